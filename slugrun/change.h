/* SPDX-License-Identifier: ISC */
#ifndef CHANGE_H
#define CHANGE_H

#include "http.h"

/*
 * Changes of what runs, without a new release: more or fewer processes,
 * others in their place, some of them down. The processes that a change
 * starts are fresh until they are up, or were not able to.
 */
struct supervisor;

/*
 * PATCH /formation: as many of each type as the body says. Answered, later,
 * when all that it starts are up or crashed.
 * Errors: ERR_INVALID, ERR_NOTFOUND, ERR_CONFLICT.
 */
int change_scale(struct supervisor *s, struct http_request *req);

/*
 * POST /restart: another process in place of each that the name means,
 * which goes when that one is up. One that cannot come up is dropped, the
 * old one stays, and that is the answer.
 * Errors: ERR_INVALID, ERR_NOTFOUND, ERR_CONFLICT.
 */
int change_restart(struct supervisor *s, struct http_request *req);

/* POST /dynos/stop. Errors: ERR_INVALID, ERR_NOTFOUND. */
int change_stop(struct supervisor *s, struct http_request *req);

/* Start the processes of the running release that are new. */
void change_start(struct supervisor *s);

/* Take the change a step further, where there is one. */
void change_tick(struct supervisor *s);

/*
 * It is over: answer who waits for it, if anybody, with why as an error, or
 * with what came of it where that is NULL.
 */
void change_end(struct supervisor *s, const char *why);

#endif
