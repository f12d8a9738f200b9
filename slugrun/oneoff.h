/* SPDX-License-Identifier: ISC */
#ifndef ONEOFF_H
#define ONEOFF_H

#include "http.h"

/*
 * One-off processes: a command of the user's, run once as run.N with the
 * running release's environment and files. It outlives its release.
 */
struct process;
struct supervisor;

/*
 * The process that the body of POST /dynos describes, into *out: it is one
 * of the running release, and is not started.
 * Errors: ERR_INVALID, ERR_NOTFOUND, ERR_CONFLICT, ERR_UNAVAILABLE.
 */
int oneoff_new(struct supervisor *s, const json_t *body, struct process **out);

/*
 * Let p, not yet started, be attached to the client of the request, whose
 * connection goes to it when that is answered (common/frames.h).
 * Errors: ERR_BADREQUEST, ERR_SYSTEM; p is gone when it is next looked at.
 */
int oneoff_attach(struct process *p, struct http_request *req);

/* Start it. Where that fails it is gone. Errors: ERR_INVALID. */
int oneoff_start(struct supervisor *s, struct process *p);

#endif
