/* SPDX-License-Identifier: ISC */
#ifndef HOOK_H
#define HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "json.h"

/*
 * What the hooks share. A hook runs in the app's bare repository, as a child
 * of git, with "OLD NEW REF" lines on its standard input; it is a viewer:
 * it tells slugd of the push, through the link slugd.sock in the repository,
 * and shows what slugd says. See githooks(5).
 */

/*
 * The lines of standard input as [{"name", "old", "new"}] into *refs.
 * Errors: ERR_INVALID.
 */
int hook_read_refs(json_t **refs);

/*
 * The lines that are branches that now exist, which is what a settled push
 * can be of. Caller's reference.
 */
json_t *hook_branches(const json_t *refs);

/*
 * slugd said yes to a push of ref (NULL: it deploys nothing): git is to start
 * reference-transaction until that has moved; see slugd-hooks(5).
 */
void hook_watch_ref(const char *ref);

/*
 * Have git run the other hooks that the repository has in hooks/, such as
 * update: those that are there. Errors: ERR_SYSTEM; one that may refuse the
 * push would not be run.
 */
int hook_pass_others(void);

/*
 * Watch every ref, where the repository has such a hook of its own.
 */
int hook_watch_all(void);

/* Is that the ref, by its name? Where none is known, each branch is. */
bool hook_is_watched(const char *name);

/* The ref moves: git need not start reference-transaction any more. */
void hook_watch_end(void);

/* Connect to the repository's slugd. Errors: ERR_UNAVAILABLE. */
int hook_connect(struct client **out);

/*
 * POST path {"repository": ..., "refs": ...} with what more has (NULL:
 * nothing); the answer as client_call() gives it.
 */
int hook_post(struct client *c, const char *path, const json_t *refs,
	      const json_t *more, json_t **out);

/*
 * Write to the developer without ever waiting for one who does not read:
 * what finds no room is left out.
 */
void hook_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Each line of text as " !     line", escaped; the first on a line of its own. */
void hook_complain(const char *text);

/* A sink for client_stream() that says what comes. */
int hook_say_bytes(void *ctx, const char *data, size_t len);

/* How long nothing was said by these calls, or since the first call of this. */
int64_t hook_silent_ms(void);

/*
 * Say the text at the end of the line of slugd's that is begun, as
 * "-----> Compressing...", which then begins anew; or, where none is, behind
 * `begin`. Amid a line of anybody else's nothing is said. end: a newline, or
 * '\r' for a terminal, where the next line takes its place. It is no end of
 * the silence.
 */
void hook_say_meanwhile(const char *begin, const char *text, char end);

#endif
