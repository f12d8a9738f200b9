/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bind-fence.h"
#include "guard.h"
#include "helper.h"
#include "http.h"
#include "output.h"
#include "release.h"
#include "route.h"
#include "trees.h"

/*
 * One app's supervisor. All of it belongs to the main thread, which starts
 * the processes (the kernel ends a process with the thread that started
 * it); the HTTP server's thread only queues requests, and handlers run on
 * the main thread.
 *
 *	supervisor.c	the loop
 *	api.c		the requests
 *	launch.c	a release on its way up
 *	leaving.c	the way down of releases and processes
 *	change.c	changes of what runs; formation.c, which those are
 *	oneoff.c	processes that are run once
 *	traffic.c	which processes requests go to
 *	appdir.c	the app's folder
 *	trees.c		the unpacked releases in it
 */
struct capture;
struct launch;

struct command {
	struct http_request *req;
	TAILQ_ENTRY(command) link;
};

struct supervisor {
	char *dir, *name; /* the app's folder, absolute; its last part */
	uid_t owner;      /* of slugd's folder, where we are root; else 0 */
	int dir_fd, lock_fd, listen_fd, signal_fd, event_fd;
	int watch_fd; /* of the folder that holds it; -1: none */
	struct http_server *http;
	pthread_mutex_t lock; /* of commands alone */
	TAILQ_HEAD(, command) commands;
	struct applog log;

	struct release *running; /* NULL: none */
	struct launch *launch;   /* NULL: none is going on */
	struct launch *next;     /* waits for the end of that one */
	struct capture *capture; /* of the last launch's release command */
	struct route *route;     /* of its traffic; NULL: none */
	TAILQ_HEAD(release_list, release) leaving;

	struct trees trees;
	struct bind_fence fence; /* of the app's ports */
	char *group;             /* the control group that it is around */
	struct guard guard;
	struct helper helper;
	struct http_request *change_req; /* who waits for a change */
	char *change_error;              /* what came of it, or NULL */
	unsigned last_run;               /* number of the last one-off */
	bool want_prune; /* folders of old releases may lie around */
	bool look;       /* our own folder may be gone */
	bool stopping;
	struct http_request *stop_req[16]; /* answered at the end */
	size_t nr_stop_req;
};

/* Be the supervisor of the app in dir until it is stopped. */
int supervise(const char *dir);

/* api.c: the routes, for http_start(). */
extern const struct http_route api_routes[];

/* supervisor.c: let all processes end; the loop ends after them. */
void supervisor_stop(struct supervisor *s);

/* leaving.c: let time pass for the processes of r; free those that left. */
void release_tick(struct supervisor *s, struct release *r);

/* All processes of r are gone: end such as left their groups. */
void release_end_strays(const struct supervisor *s, const struct release *r);

/* Take releases that leave a step further. */
void leaving_tick(struct supervisor *s);

/* appdir.c: take the folder: absolute path, lock, leftovers, log. */
int appdir_open(struct supervisor *s, const char *dir);
void appdir_close(struct supervisor *s);

/*
 * May the app be run as uid? Where slugd is no more than an account, it says
 * so: then as no account of the machine, and not as root. Errors: ERR_INVALID.
 */
int appdir_check_uid(const struct supervisor *s, int64_t uid);

/* The number of the next one-off process: one that none had before. */
unsigned appdir_next_run(struct supervisor *s);

/* Is the folder gone (removed, or another one in its place)? */
bool appdir_is_gone(const struct supervisor *s);

#endif
