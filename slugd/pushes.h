/* SPDX-License-Identifier: ISC */
#ifndef PUSHES_H
#define PUSHES_H

#include "ledger.h"

struct slugd;

/*
 * Pushes to deploy branches, from pre-receive to settled.
 *
 * pre-receive begins a push: a job packs the tree, and ends with an intent
 * in the ledger. git then moves the ref, or does not: pre-receive's yes is
 * not git's, and post-receive may never run. So a push is settled from four
 * places, all of which call the same function: the hooks that say that the
 * ref moved, the end of the push's lease, and slugd's start.
 *
 * One push of an app at a time is between packing and settled.
 */
struct pushes;

/* A push as pre-receive tells of it. */
struct push_request {
	const struct app *app;
	const char *ref, *old, *new, *user;
	const json_t *refs;     /* all of the push: [{"name", "old", "new"}] */
	const char *quarantine; /* or NULL */
	const char *objects;    /* the repository's own */
	pid_t hook;             /* pre-receive, which waits for us */
};

struct push_status {
	char id[UUID_SIZE];    /* and the release's output stream */
	char build[UUID_SIZE]; /* and its output stream */
	const char *state;     /* pending, succeeded, failed */
};

struct pushes *pushes_new(struct slugd *d);

/*
 * Take up what the last slugd left open: settle each intent whose push is
 * over. Call before anything else may write.
 */
int pushes_recover(struct pushes *p);

/* Begin to watch leases, on a thread of its own. Errors: ERR_UNAVAILABLE. */
int pushes_start(struct pushes *p);

/* End it. Waiting pushes are refused. */
void pushes_stop(struct pushes *p);

/* Free p, whose jobs have ended; it may be NULL. */
void pushes_free(struct pushes *p);

/* Begin a push. Errors: ERR_INVALID, ERR_SYSTEM. */
int pushes_begin(struct pushes *p, const struct push_request *req,
		 struct push_status *out);

/*
 * Release a commit that the app's repository has already: no ref moves, so
 * no lease is needed; the rest is as with a push.
 */
int pushes_deploy(struct pushes *p, const struct app *app, const char *commit,
		  const char *user, struct push_status *out);

/*
 * How the push of that id, or that made the build of that id, is doing.
 * Errors: ERR_NOTFOUND.
 */
int pushes_status(struct pushes *p, const char *id, struct push_status *out);

/* What a push that is pending waits for. */
enum push_wait {
	PUSH_WAIT_NONE,   /* it is over */
	PUSH_WAIT_TURN,   /* another push of the app */
	PUSH_WAIT_PACK,   /* its slug */
	PUSH_WAIT_LAUNCH, /* its trial */
};

/* The same of the push of that id, and its app, into *app (the row's id). */
enum push_wait pushes_waiting(struct pushes *p, const char *id, int64_t *app);

/*
 * The n slugs that are packed and not in the ledger yet, as those on trial,
 * each freed as is the array. A slug that is none of them any more is in the
 * ledger, or of no use.
 */
void pushes_slugs(struct pushes *p, char ***out, size_t *n);

/*
 * The hook says that ref of the app is now at new: the release that this
 * made, now or before, into *out; NULL where no push is known.
 * To be called by jobs of JOBS_LEDGER.
 */
int pushes_settle(struct pushes *p, int64_t app, const char *ref,
		  const char *new, struct release **out);

#endif
