/* SPDX-License-Identifier: ISC */
#ifndef LOGS_H
#define LOGS_H

#include "http.h"
#include "ids.h"
#include "log-file.h"

/*
 * Who reads apps' logs: a session says what is wanted, and its id, which
 * nobody can guess, is the way to a stream of that. Nobody waits for a
 * reader. One thread looks for new lines, while there are readers that want
 * those to come.
 */
struct logs;

struct logs *logs_new(void);

/* Free l, after the server's end; it may be NULL. */
void logs_free(struct logs *l);

/*
 * Begin a session on the app whose folder is dir; tail: also what comes
 * later. Its id into id. It can be used for five minutes.
 */
void logs_session(struct logs *l, const char *dir, const struct log_wish *wish,
		  bool tail, char id[ID_SIZE]);

/*
 * Answer req with the stream of the session: lines, or events where it
 * accepts text/event-stream.
 * Errors: ERR_NOTFOUND.
 */
int logs_serve(struct logs *l, const char *id, struct http_request *req);

#endif
