/* SPDX-License-Identifier: ISC */
#ifndef LEDGER_KIT_H
#define LEDGER_KIT_H

#include "../../slugd/ledger.h"

/*
 * For tests of the ledger: one in a scratch folder with one app, and each
 * kind of change in one call. A call that should succeed is asserted.
 */
struct kit {
	char dir[64];
	char *path; /* of the ledger */
	struct ledger *ledger;
	int64_t app;
	int deploys;
};

/* setup and teardown of a test; *state is the struct kit. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* Close the ledger and open it again. */
void kit_reopen(struct kit *k);

/* The newest version of the app. */
int64_t kit_last(struct kit *k);

/* The release of that version. Caller frees. */
struct release *kit_release(struct kit *k, int64_t version);

/* A push that was accepted: its slug, its build and its intent. */
struct intent *kit_accept(struct kit *k, const char *commit);

/* A push of a commit made of the number of the deploy; its version. */
int64_t kit_deploy(struct kit *k);

/*
 * Each returns the version of the release that was made, 0 where none was,
 * or the error.
 */
int64_t kit_config(struct kit *k, const char *json);
int64_t kit_addon_add(struct kit *k, const char *service, const char *plan,
		      const char *vars);
int64_t kit_addon_remove(struct kit *k, const char *name);
int64_t kit_rollback(struct kit *k, const char *name);
int64_t kit_rollback_part(struct kit *k, const char *name,
			  enum rollback_part part);

/* The release was launched, or not. */
void kit_finish(struct kit *k, int64_t version, enum release_status status);

/* What the next release starts from, as "COMMIT {config} [plans]". */
char *kit_today(struct kit *k);

/* fsck finds nothing. */
void kit_check(struct kit *k);

#endif
