/* SPDX-License-Identifier: ISC */
#ifndef HIDDEN_H
#define HIDDEN_H

#include "json.h"

/*
 * What slugrun is told to hide from apps besides slugd's folder, which it
 * hides in any case.
 */
struct slugd;

/*
 * An array of paths into *out, caller's: the home folder of slugd's account,
 * slugd.ini, the files that it names, and every repository outside slugd's
 * folder. What is not there may be among
 * them. Errors: ERR_SYSTEM, and the ledger's.
 */
int hidden_paths(const struct slugd *d, json_t **out);

#endif
