/* SPDX-License-Identifier: ISC */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Who would get a connection to that port of 127.0.0.1? *own becomes true
 * where one of them has that uid, and *strange where one has another.
 */
void listeners_find(uint16_t port, int64_t uid, bool *own, bool *strange);

#endif
