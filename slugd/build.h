/* SPDX-License-Identifier: ISC */
#ifndef BUILD_H
#define BUILD_H

#include "ledger.h"
#include "streams.h"

struct slugd;
struct push_request;

/*
 * A build: slugpack runs as a child on the pushed commit and writes to the
 * slug store, and the build says how it goes on its stream.
 */

/* What to pack, and what for. Filled by the calls below. */
struct build_request {
	struct app *app;
	char push[UUID_SIZE];
	char uuid[UUID_SIZE]; /* of the build, and of its output stream */
	char *ref, *commit, *user;
	char *objects[2]; /* the quarantine, if any, and the repository's */
	struct stream *stream;
	int (*check)(void *ctx); /* asked now and then: not 0 is the end */
	void *ctx;
};

struct build_result {
	struct slug *slug;   /* NULL where none was made */
	struct build *build; /* NULL where it did not begin */
};

/*
 * From what pre-receive says. Errors: ERR_INVALID where the object folders
 * are not the repository's.
 */
int build_request_init(struct build_request *b, const struct slugd *d,
		       const struct push_request *req);

/* From an intent whose build is done. Takes the app. */
void build_request_restore(struct build_request *b, struct app *app,
			   const struct intent *i);

void build_request_clear(struct build_request *b);

/*
 * Pack the tree. On success the slug is in the store, durable. The caller
 * has the store's lock, shared, until gc can know of the slug.
 * Errors: ERR_INVALID where the tree cannot be a slug; ERR_FAILED.
 */
int build_run(struct slugd *d, const struct build_request *b,
	      struct build_result *result);

/* Say on the build's stream, in the words of err_msg(), that it is refused. */
void build_say_refused(const struct build_request *b);

void build_result_clear(struct build_result *r);

#endif
