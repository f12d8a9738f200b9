/* SPDX-License-Identifier: ISC */
#ifndef FORMATION_H
#define FORMATION_H

#include "json.h"
#include "release.h"

/*
 * How many processes of which type a release has.
 */

/*
 * Make the formation of release r that of from, which has the same commands:
 * what r lacks goes over from there, to be started; what is too much
 * leaves. Where types is not NULL, this is only for the types that array
 * mentions (as in POST /launch).
 */
void formation_adopt(struct release *r, struct release *from,
		     const json_t *types);

/* Would r have at most MAX_PROCESSES after that? Errors: ERR_INVALID. */
int formation_check(const struct release *r, const struct release *from,
		    const json_t *types);

/*
 * The process of r that counts (process_counts()) and has that name, but not
 * the process but; NULL where there is none. Borrowed.
 */
struct process *formation_find(const struct release *r, const char *name,
			       const struct process *but);

#endif
