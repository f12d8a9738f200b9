/* SPDX-License-Identifier: ISC */
#ifndef REPORT_H
#define REPORT_H

#include "slug.h"

/*
 * One line of JSON about a slug, or about why there is none, to fd:
 *
 *	{"commit": "...", "commit_description": "...", "process_types": {},
 *	 "size": 1, "tree_size": 1, "entries": 1, "stored": 1,
 *	 "notices": []}
 *	{"error": {"id": "too_large", "message": "..."}}
 *
 * The ids are the Platform API's.
 */

/* rc is what slug_make() said, with its message. Errors: ERR_SYSTEM. */
int report_write(int fd, int rc, const struct slug *s);

/*
 * From now on, where reading an object takes longer than STUCK_SECONDS:
 * say so on standard error and, unless fd is -1, in a report, and exit.
 */
void report_when_stuck(int fd);

/*
 * The same, seconds from now, however far slugpack is then (0: never). To be
 * called after report_when_stuck().
 */
void report_when_late(unsigned seconds);

#endif
