/* SPDX-License-Identifier: ISC */
#ifndef UIDS_H
#define UIDS_H

#include <stdint.h>

/*
 * Which slugd of this machine has which uids for its apps. Two that are root
 * must not share any: an app of one would own files and processes of an app
 * of the other. Each range is a file in /run/slugd-uids, which only root
 * reaches: it is locked as long as its slugd lives, and says where that is.
 */
struct config;
struct slugd;

/*
 * Reserve the range of c, the configuration that d is to have, where d's apps
 * have uids of their own; what was reserved before stays so. A range of ports
 * that another slugd has, too, is logged. Errors: ERR_CONFLICT, which names the other slugd's DIR.
 */
int uids_reserve(const struct slugd *d, const struct config *c);

#endif
