/* SPDX-License-Identifier: ISC */
#ifndef UIDS_H
#define UIDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which slugd of this machine has which uids for its apps. Two that are root
 * must not share any: an app of one would own files and processes of an app
 * of the other. Each range is a file in /run/slugd-uids, which only root
 * reaches: it is locked as long as its slugd lives, and says where that is.
 */

/* A range of numbers: uids, and ports. */
struct uid_range {
	int64_t first, last;
};

/* Read "FIRST-LAST"; false where text is anything else. */
bool uid_range_parse(struct uid_range *r, const char *text);

struct uids {
	const char *dir; /* of the slugd that has them */
	struct uid_range uids, ports;
};

/*
 * Reserve uids as long as this process lives; what it reserved before stays
 * so. A range of ports that another slugd has, too, is logged.
 * Errors: ERR_CONFLICT, which names the other slugd's DIR.
 */
int uids_take(const struct uids *u);

#endif
