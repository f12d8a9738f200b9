/* SPDX-License-Identifier: ISC */
#ifndef STANDARD_H
#define STANDARD_H

/*
 * Standard input, output and error as main() finds and leaves them.
 */

/*
 * Open /dev/null for each that is closed: else it would be the next file
 * that is opened, the ledger or a connection maybe. Errors: ERR_SYSTEM.
 */
int standard_open(void);

/*
 * Was all that was put on standard output so far written? To be asked before
 * the end, and wherever nothing more is to be done if it was not.
 * Errors: ERR_SYSTEM.
 */
int standard_flush(void);

#endif
