/* SPDX-License-Identifier: ISC */
#ifndef CHAIN_H
#define CHAIN_H

/*
 * Run the repository's own hook of that name first, where it was kept by
 * slugctl init --chain-hooks as hooks/NAME.chained: with the same arguments,
 * environment and standard input, which this process can read after it.
 * Errors: ERR_FAILED, where the hook failed; ERR_SYSTEM.
 */
int hook_chain(const char *name, char **argv);

#endif
