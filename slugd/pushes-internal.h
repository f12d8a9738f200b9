/* SPDX-License-Identifier: ISC */
#ifndef PUSHES_INTERNAL_H
#define PUSHES_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "build.h"
#include "lease.h"
#include "pushes.h"

/*
 * What pushes.c, which begins and builds pushes, trial.c, which tries them,
 * and settle.c, which ends them, share.
 */

enum push_state {
	PUSH_WAITING,  /* for another push of the app */
	PUSH_BUILDING, /* holds the app's push lock, as does the next */
	PUSH_ACCEPTED, /* its intent is in the ledger */
	PUSH_SETTLED,
	PUSH_REFUSED,
	PUSH_DROPPED, /* the ref never moved */
};

struct push {
	struct pushes *pushes;
	struct build_request build; /* what to pack, and what for */
	char *old;
	json_t *refs;  /* all that git is to move, as push_request has them */
	char *folders; /* for repo_sync() */
	char *slug;    /* packed, and not in the ledger yet */
	struct lease lease;
	enum push_state state;
	bool quarantined; /* its objects are in build.objects[0] */
	bool direct;      /* no push, but a wish: has no lease */
	bool over;        /* the lease is */
	bool tried;       /* it took the app's release lane, for its trial */
	bool trying;      /* its trial has begun; under the lock */
	bool torn;        /* git-receive-pack may have been killed */
	int64_t retry;    /* when to settle again, by clock_mono_ms() */
	int64_t pause;    /* ms until then; grows */
	unsigned jobs;    /* that still use it */
	TAILQ_ENTRY(push) link;
};

/* The app's repository is cleared of what a crash left, or soon will be. */
struct sweep {
	struct pushes *pushes;
	struct app *app;
	TAILQ_ENTRY(sweep) link;
};

/* An intent of the last slugd that could not be taken up yet. */
struct left {
	struct pushes *pushes;
	struct intent *intent;
	int64_t retry, pause; /* as those of a push */
	bool busy;            /* a job is at it */
	TAILQ_ENTRY(left) link;
};

struct pushes {
	struct slugd *slugd;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* some push's state or lease, or a sweep */
	TAILQ_HEAD(, push) all;
	TAILQ_HEAD(, sweep) sweeps;
	TAILQ_HEAD(, left) left;
	pthread_t watcher;
	bool watching;
	int wake; /* an eventfd: there is a lease more to watch */
};

void push_free(struct push *push);
void left_free(struct left *left);

/* Set the push's state, and tell whoever waits for a change. */
void push_set_state(struct push *push, enum push_state state);

/* Would git move the push's refs? Errors: as refusals_check(). */
int push_check_refs(const struct push *push);

/* Is the push still wanted? Under the lock. Errors: ERR_UNAVAILABLE. */
int push_check_wanted(const struct push *push);

/*
 * Where there is something to try before the push is accepted, take the
 * app's release lane and do so. Waits. Errors: what the launch said.
 */
int trial_run(struct push *push, const struct slug *slug);

/* The push is over without a release: so is its trial, if it had one. */
void trial_end(struct push *push);

/*
 * After a start: the push of that intent takes its lane again, if it had a
 * trial. Errors: what the ledger said.
 */
int trial_take_up(struct push *push, const struct intent *i);

/* There is a lease more to watch, or a push that has ended. */
void pushes_wake_watcher(struct pushes *p);

#endif
