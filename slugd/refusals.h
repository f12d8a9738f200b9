/* SPDX-License-Identifier: ISC */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "json.h"

/*
 * What git is sure to refuse after pre-receive has said yes. A release
 * command must not run for such a push: so git is asked before, by a ref
 * transaction that is prepared and aborted, and by its settings. Nothing is
 * changed in the repository. What cannot be known before is in slugd-hooks(5).
 */
struct refusals_push {
	const char *repo, *ref, *old, *new;
	const char *quarantine; /* folder of the push's objects, or NULL */
	const json_t *refs;     /* all: [{"name", "old", "new"}], or NULL */
};

/*
 * Would git let the push's refs move, as the repository is now?
 * Errors: ERR_CONFLICT, in words; ERR_SYSTEM, ERR_FAILED where git could not
 * tell.
 */
int refusals_check(const struct refusals_push *p);

#endif
