/* SPDX-License-Identifier: ISC */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

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
 *	launch.c	a release on its way up, and the old one's way down
 *	appdir.c	the app's folder
 *	trees.c		the unpacked releases in it
 */
struct launch;

struct command {
	struct http_request *req;
	TAILQ_ENTRY(command) link;
};

struct supervisor {
	char *dir, *name; /* the app's folder, absolute; its last part */
	int dir_fd, lock_fd, listen_fd, signal_fd, event_fd;
	struct http_server *http;
	pthread_mutex_t lock; /* of commands alone */
	TAILQ_HEAD(, command) commands;
	struct applog log;

	struct release *running; /* NULL: none */
	struct launch *launch;   /* NULL: none is going on */
	struct route *route;     /* of its traffic; NULL: none */
	TAILQ_HEAD(release_list, release) leaving;

	struct trees trees;
	struct guard guard;
	struct helper helper;
	bool want_prune; /* folders of old releases may lie around */
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

/* launch.c: begin a launch, which becomes the holder of r; req is answered
 * when it is over. Errors: ERR_CONFLICT, ERR_UNAVAILABLE, r is the caller's.
 */
int launch_begin(struct supervisor *s, struct release *r,
		 struct http_request *req);

/* Take the launch a step further, where it can be. */
void launch_tick(struct supervisor *s);

/* The release on its way up (or down, where it failed), or NULL; borrowed. */
struct release *launch_release(const struct supervisor *s);

/* End it at once, with these words: the supervisor stops. */
void launch_abort(struct supervisor *s, const char *why);

/* Take releases that leave a step further. */
void leaving_tick(struct supervisor *s);

/* Lead requests to the web processes of the running release that are up. */
void route_refresh(struct supervisor *s);

/* appdir.c: take the folder: absolute path, lock, leftovers, log. */
int appdir_open(struct supervisor *s, const char *dir);
void appdir_close(struct supervisor *s);

/* Is the folder gone (removed, or another one in its place)? */
bool appdir_is_gone(const struct supervisor *s);

#endif
