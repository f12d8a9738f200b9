/* SPDX-License-Identifier: ISC */
#ifndef PROCESS_H
#define PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "box.h"
#include "json.h"
#include "output.h"
#include "ports.h"

/*
 * One process of a release: "web.1". It runs in a session of its own; its
 * process group is what signals go to.
 *
 *	starting -> up -> crashed -> starting ...	(while it shall run)
 *	any of them -> ending -> gone			(once it shall not)
 *
 * A web process is up when it accepts a connection on its port, or answers
 * a request for the release's check with 2xx or 3xx, and, where the app has
 * a uid, nobody else does that in its place; any other when its command has
 * lived for PROCESS_SETTLE_MS.
 *
 * A one-off process (run.1, release.1) is up at once, is never started
 * again, and is gone when it ends.
 */
#define PROCESS_SETTLE_MS 200

struct release;

enum process_state {
	PROCESS_NEW,
	PROCESS_STARTING,
	PROCESS_UP,
	PROCESS_CRASHED,
	PROCESS_ENDING,
	PROCESS_GONE,
};

struct process {
	const struct release *release;
	char *name, *type, *command;
	unsigned nth;
	bool web;
	bool oneoff;
	enum process_state state;
	pid_t pid;    /* and its group's; 0: none of that is left */
	bool reaped;  /* it ended; its group may be left */
	bool late;    /* it did not answer in time */
	bool taken;   /* another app listens on its port */
	bool leaving; /* gets no traffic, is to be stopped once it has none */
	bool stays;   /* and is kept when it is gone: "down" */
	bool fresh;   /* a change waits for it; see change.h */
	struct port_lease port;
	uint64_t listener; /* its socket's inode, as far as known */
	struct probe probe;
	struct output out;
	struct box box;
	int64_t since;              /* seconds since 1970 it has this state */
	int64_t started_ms, due_ms; /* clock_mono_ms() */
	int64_t ready_ms;           /* its command runs since; 0: not yet */
	int64_t left_ms;            /* since when it is leaving */
	int64_t killed_ms;          /* SIGKILL was sent; 0: not yet */
	int64_t backoff;            /* seconds before it is started again */
	char *ending;               /* "exited with status 1" */
	char *instead;              /* of an answer in time; NULL: unknown */
	int status;                 /* it ended with; 128 + a signal */
	json_t *env;                /* further variables; NULL: none */
	int64_t time_to_live;       /* seconds; 0: no limit */
	bool attached;              /* to a client, by slugrun-box */
	int client;                 /* the socket for that; -1 */
	TAILQ_ENTRY(process) link;
};

TAILQ_HEAD(process_list, process);

/* The types of one-off processes, which slugrun gives itself. */
#define PROCESS_RUN     "run"
#define PROCESS_RELEASE "release"

/* The nth process of a type; the strings are copied. */
struct process *process_new(const struct release *r, const char *type,
			    unsigned nth, const char *command);

/* Free p, which has no process. */
void process_free(struct process *p);

/* Start it. Errors: ERR_UNAVAILABLE (no port), ERR_SYSTEM; it is crashed. */
int process_start(struct process *p, struct applog *log);

/* Let time pass: answers, limits, restarts. True where p came up by it. */
bool process_tick(struct process *p, struct applog *log);

/* Is pid its process, or the one that this was started by? */
bool process_is(const struct process *p, pid_t pid);

/* Would the kernel leave some of it when the supervisor is killed? */
bool process_needs_guard(const struct process *p);

/* That one ended, as info says, and is not reaped yet. */
void process_ended(struct process *p, struct applog *log, siginfo_t *info);

/* From now on it is leaving: release_tick() stops it once it is drained. */
void process_leave(struct process *p);

/* Is it one that the formation asks for, and that is to stay? */
bool process_counts(const struct process *p);

/* Let it end: SIGTERM, and SIGKILL after its release's grace. */
void process_stop(struct process *p, struct applog *log);

/* Let it end at once. */
void process_kill(struct process *p, struct applog *log);

/* When process_tick() is next of use, at the latest; clock_mono_ms(). */
int64_t process_due(const struct process *p);

/* As GET / shows it. Caller's reference. */
json_t *process_json(const struct process *p);

#endif
