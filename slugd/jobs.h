/* SPDX-License-Identifier: ISC */
#ifndef JOBS_H
#define JOBS_H

/*
 * Long work, off the server's thread. Jobs with the same key run one after
 * the other, in the order they came; jobs of different keys side by side,
 * each key on a thread that lives as long as it has work. Where no thread can
 * be started, work that somebody asks for is refused, and what slugd owes to
 * what it has begun is done by a few threads that it has from the start, one
 * of which does nothing but write to the ledger.
 *
 * Keys in use: "ledger" (every write), "launch APP", "dynos APP" (orders to
 * its slugrun), "look APP" (questions), "git APP", "addon APP" (by its id),
 * "addons" (which resumes them), "slugs" (who looks at the whole store, or
 * removes of it), "checksums" (of slugs), "pushes" (their first step), "wait
 * APP" (by its id: changes that wait for a push), "kept APP" (waits to try
 * again), "route" (HAProxy), and one of its own for each build.
 */
struct jobs;

#define JOBS_LEDGER "ledger"
#define JOBS_SLUGS  "slugs"

/* Errors: ERR_UNAVAILABLE, as jobs_no_thread(); *out is NULL then. */
int jobs_new(struct jobs **out);

/* What pthread_create() returned, as an error: 0, or ERR_UNAVAILABLE. */
int jobs_no_thread(int error);

/* Run fn(arg) some time. key is copied. */
void jobs_submit(struct jobs *j, const char *key, void (*fn)(void *arg),
		 void *arg);

/*
 * As jobs_submit(), for work that may be refused: fn is not called where this
 * fails. Errors: ERR_UNAVAILABLE, where the key has no work and no thread can
 * be started for it; never for JOBS_LEDGER.
 */
int jobs_try(struct jobs *j, const char *key, void (*fn)(void *arg), void *arg);

/*
 * Run fn(arg) as a job of that key, and wait for its end; not from a job of
 * the same key. Returns what fn returns; its message becomes the caller's.
 */
int jobs_call(struct jobs *j, const char *key, int (*fn)(void *arg), void *arg);

/* Wait until no job is left; new ones may be submitted by those running. */
void jobs_drain(struct jobs *j);

/* Drain and free; j may be NULL. */
void jobs_free(struct jobs *j);

#endif
