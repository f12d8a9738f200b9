/* SPDX-License-Identifier: ISC */
#ifndef RELEASE_H
#define RELEASE_H

#include <stdint.h>
#include <sys/queue.h>

#include "json.h"
#include "process.h"

/* Processes that the app may have in all, and of one type. */
#define MAX_PROCESSES 200
#define MAX_QUANTITY  100

/*
 * A release as POST /launch describes it, with its processes.
 */
struct route;

struct release {
	int64_t version;
	int64_t created_at; /* seconds since 1970: its files' time */
	char *app, *commit; /* commit may be NULL */
	char *store, *slug; /* where the slug is kept, and its uuid */
	char *dir;          /* its tree; NULL before trees_get() */
	json_t *config;
	uint16_t listen; /* the stable address, for web processes */
	uint16_t port_first, port_last;
	int64_t timeout, grace; /* seconds */
	bool trial;             /* start the web processes alone, and wait */
	int64_t trial_timeout;  /* seconds that it waits */
	char *release_command;  /* to be run first; NULL: none */
	int64_t release_timeout;
	char *check; /* "/path" of a request, or NULL */
	int64_t uid; /* of its processes; -1: ours */
	bool namespaces, seccomp, cgroups;
	int64_t memory;                   /* bytes; 0: no limit */
	int64_t max_processes, max_files; /* 0: no limit */
	int64_t log_size;                 /* bytes; 0: APPLOG_MAX */
	json_t *hide, *show;              /* arrays of paths, or NULL */
	json_t *route;                    /* as the order has it, or NULL */
	json_t *events;                   /* lines for the log, or NULL */
	struct process_list processes;
	const struct bind_fence *fence; /* of its app's ports; NULL: none */
	struct route *old_route;        /* that still carries its connections */
	TAILQ_ENTRY(release) link;
};

/*
 * The release in body, into *out (release_free()). Errors: ERR_INVALID.
 */
int release_parse(struct release **out, const json_t *body);

/*
 * The formation in types, an array as in POST /launch, as a release that has
 * nothing but processes, into *out (release_free()). A command that is not
 * there is that of base, which is to have this formation.
 * Errors: ERR_INVALID.
 */
int release_parse_formation(struct release **out, const json_t *types,
			    const struct release *base);

/*
 * Is env an object of strings, whose keys may be variables? Errors:
 * ERR_INVALID, with what it is.
 */
int release_check_env(json_t *env, const char *what);

/*
 * Are they the same release: version, slug, config and commands? They may
 * differ in how many processes of a type they have and how these are held.
 */
bool release_is_same(const struct release *a, const struct release *b);

/* r gets the events of from, which has them no more. */
void release_take_events(struct release *r, struct release *from);

/* Processes of r that are started from now on are held as those of from. */
void release_take_fences(struct release *r, const struct release *from);

/* The same as fences says, as in an order. Errors: ERR_INVALID. */
int release_change_fences(struct release *r, const json_t *fences);

/* Free r, whose processes are gone or never were; r may be NULL. */
void release_free(struct release *r);

/* Has it a web process that counts (process_counts())? */
bool release_has_web(const struct release *r);

/*
 * The environment of its process p as a file without a name: "A=b", each
 * ended by a NUL. The descriptor into *fd, caller's. Errors: ERR_SYSTEM.
 */
int release_environment(int *fd, const struct release *r,
			const struct process *p);

#endif
