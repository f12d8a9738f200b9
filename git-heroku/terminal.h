/* SPDX-License-Identifier: ISC */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/*
 * The caller's terminal, while another one's process has it: raw, so that
 * every key goes there.
 */

/* Are standard input and output a terminal? */
bool terminal_is_there(void);

/* Its size; 80 and 24 where it does not say. */
void terminal_size(unsigned *columns, unsigned *rows);

/* Make it raw, for the first time or again. Errors: ERR_SYSTEM. */
int terminal_raw(void);

/* Make it again what it was before it was raw, if it was made so. */
void terminal_restore(void);

#endif
