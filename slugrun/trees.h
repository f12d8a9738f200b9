/* SPDX-License-Identifier: ISC */
#ifndef TREES_H
#define TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The folders of an app. A tree belongs to the uid of its processes, who get
 * at it only through what slugrun-box makes of it: trees/ lets in nobody.
 *
 *	trees/900/v10	a release of user 900's, unpacked; never changed from
 *			then on, so releases of one slug may share one tree
 *	trees/900/v10-UUID	where it is another slug's: one that was tried
 *			as v10, or perhaps, as slugrun has forgotten
 *	trees/900/v11.tmp	while one is unpacked
 *	run/		what processes write
 *
 * One of the trees that no release needs any more is the spare one: of it
 * the next tree is made, which mostly is the same.
 */
struct supervisor;
struct release;

/* A tree, and the slug that is in it. */
struct tree {
	char *name; /* "900/v10" */
	char *slug;
};

struct trees {
	struct tree *known; /* to this slugrun; the newest one is the last */
	size_t nr;
	char *before; /* of the release before the running one, or NULL */
	char *spare;  /* or NULL */
	/* While one is unpacked: */
	struct release *release;
	void (*done)(void *ctx, int rc);
};

/*
 * When slugrun begins: away with trees of another boot of the machine, whose
 * files may be empty after a power cut, or, with keep, with none of them;
 * and with those that lie where an older slugrun laid them, or where an app
 * could change them. Errors: ERR_SYSTEM.
 */
int trees_open(struct supervisor *s, bool keep);

/* Once no process of the app is left: away with what they wrote. */
void trees_sweep(struct supervisor *s);

/* Free what is known of them. */
void trees_close(struct supervisor *s);

/*
 * Get the tree of r: r->dir is its folder then. Where it is *there already,
 * that is all; else it is being unpacked, and done(s, rc) is called after
 * it. Nothing else may be going on in the helper.
 * Errors: ERR_SYSTEM.
 */
int trees_get(struct supervisor *s, struct release *r, bool *there,
	      void (*done)(void *ctx, int rc));

/* Release r leaves: its tree is the one to be kept beside the running one's. */
void trees_note_before(struct supervisor *s, const struct release *r);

/* Start removing the trees that no release needs any more. */
void trees_prune(struct supervisor *s);

#endif
