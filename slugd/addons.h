/* SPDX-License-Identifier: ISC */
#ifndef ADDONS_H
#define ADDONS_H

#include "ledger.h"

struct slugd;

/*
 * Changes of add-ons: the provider does its part, then the ledger records
 * the release. A provider that fails leaves neither add-on nor release.
 * Each waits, for the provider and for the ledger: call them from a job of
 * the lane of that app only.
 */

/* The lane of the app, by its id; of 0, one for what is no app. Caller frees. */
char *addons_lane(int64_t app);

/* What a change leads to, in the caller's hands. */
struct addon_result {
	struct addon *addon;
	struct release *release;
};

/* Create name, "memcachier" or "memcachier:100". */
int addons_create(struct slugd *d, const struct app *app, const char *name,
		  const char *user, struct addon_result *out);

/* Give the add-on another plan, "memcachier:100" or "100". */
int addons_change(struct slugd *d, const struct app *app, const char *name,
		  const char *plan, const char *user, struct addon_result *out);

/* Have the provider give it new credentials. */
int addons_rotate(struct slugd *d, const struct app *app, const char *name,
		  const char *user, struct addon_result *out);

/*
 * Destroy it; of what was only half made, whatever is left, which makes no
 * release.
 */
int addons_destroy(struct slugd *d, const struct app *app, const char *name,
		   const char *user, struct addon_result *out);

/*
 * After a start: undo what was being created, finish what was being
 * destroyed, and have providers bring up again what the machine's end has
 * ended. Runs as jobs.
 */
int addons_recover(struct slugd *d);

#endif
