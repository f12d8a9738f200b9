/* SPDX-License-Identifier: ISC */
#ifndef HIDDEN_H
#define HIDDEN_H

#include "json.h"

/*
 * What slugrun is told to hide from apps.
 */
struct slugd;

/*
 * An array of paths into *out, caller's: the home folder of slugd's account,
 * slugd.ini, the files that it names, slugd's folder, every repository outside
 * of that, and where these are mounted a second time. Errors: ERR_SYSTEM, and
 * the ledger's.
 */
int hidden_paths(const struct slugd *d, json_t **out);

#endif
