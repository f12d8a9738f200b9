/* SPDX-License-Identifier: ISC */
#ifndef LEDGER_INTERNAL_H
#define LEDGER_INTERNAL_H

#include <pthread.h>

#include "backend.h"

/*
 * What the files of the ledger share: ledger.c reads, changes.c writes
 * releases, rollback.c knows which way is back, expire.c which slugs go.
 */
struct ledger {
	struct backend *backend;
	pthread_mutex_t lock;
	char *dir; /* that the ledger lies in: slugd's */
	bool launch;
};

/* ledger_*() calls lock; functions below are called under the lock. */
void ledger_lock(struct ledger *l);
void ledger_unlock(struct ledger *l);

/* End a transaction: commit where rc is 0, else undo; returns what holds. */
int ledger_end(struct ledger *l, int rc);

/*
 * The release that would come after the newest one of app, with the state
 * that the next one starts from (see ledger.h); kind, description and
 * whatever changes are the caller's to set.
 */
int ledger_next(struct ledger *l, int64_t app, const char *user,
		struct release **out);

/* Write r, as the ledger's next release, and tell the audit. */
int ledger_append(struct ledger *l, struct release *r, const char *push);

/*
 * Run fn on the next release of app (see ledger_next()) as one transaction;
 * fn sets what changes and appends it. The release into *out; NULL where fn
 * did not append it.
 */
int ledger_transact(struct ledger *l, int64_t app, const char *user,
		    int (*fn)(struct ledger *l, struct release *r, void *ctx),
		    void *ctx, struct release **out);

/*
 * What a rollback without a name goes back to from the state now; see
 * ledger_rollback(). Errors: ERR_INVALID where there is none.
 */
int ledger_default_target(struct ledger *l, const struct release *now,
			  enum rollback_part part, struct release **out);

/* The message of a find of a what that found nothing (rc); returns rc. */
int ledger_not_found(int rc, const char *what, const char *name);

/* As ledger_release(). */
int ledger_find_release(struct ledger *l, int64_t app, const char *name,
			struct release **out);

/* As ledger_addon(). */
int ledger_find_addon(struct ledger *l, int64_t app, const char *name,
		      struct addon **out);

/* The add-on of release r that provides the config var key, or NULL. */
const char *ledger_provider_of(const struct release *r, const char *key);

/* Rows of a list, gathered into an array. */
struct ledger_rows {
	void **v;
	size_t n;
};
void ledger_gather(void *ctx, void *row);

#endif
