/* SPDX-License-Identifier: ISC */
#ifndef SLUGS_H
#define SLUGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where slugs are kept: common/manifest.h has the form. slugpack writes
 * them; here they are counted and let go. Behind it stands one struct of
 * functions, so that another kind of store can stand beside the local
 * folder.
 *
 * The lock of the store (slugs_lock()) keeps what removes segments apart
 * from whoever counts on them before the ledger names them. It is an
 * flock(2) on segments/lock, so it holds between processes, too:
 *
 *	shared		slugd, from before slugpack's start until the slug is
 *			in the ledger, or among pushes_slugs(); slugctl fsck,
 *			as long as it has slugpack --verify mend segments
 *	exclusive	slugs_gc()'s caller, from before it asks these two
 *			which slugs are needed
 *
 * Reading a slug that the ledger needs takes no lock.
 */
struct slug_store;
struct slug_sum;

/* What slugs_gc() removed. */
struct slug_freed {
	uint64_t bytes;
	size_t slugs, segments, pages;
};

/* Called through the functions below; see there. */
struct slug_store_ops {
	bool (*has)(struct slug_store *s, const char *uuid);
	void (*drop)(struct slug_store *s, const char *uuid);
	void (*drop_if)(struct slug_store *s,
			bool (*unwanted)(void *ctx, const char *uuid),
			void *ctx);
	int (*lock)(struct slug_store *s, bool exclusive, int *lock);
	void (*unlock)(struct slug_store *s, int lock);
	int (*gc)(struct slug_store *s, const char *const *keep, size_t n,
		  struct slug_freed *freed);
	int (*stored)(struct slug_store *s, uint64_t *bytes);
	int (*add)(struct slug_store *s, struct slug_sum *sum,
		   const char *uuid);
	void (*close)(struct slug_store *s);
};

struct slug_store {
	const struct slug_store_ops *ops;
};

/*
 * The store in folder dir, which exists: its folders are made, and what a
 * crash left half written is removed, unless somebody has the lock.
 * Errors: ERR_SYSTEM.
 */
int slugs_open_folder(struct slug_store **out, const char *dir);

/*
 * The same, only to look at: nothing is made, and a lock that is not there
 * nobody has.
 */
struct slug_store *slugs_at_folder(const char *dir);

/* Free s; it may be NULL. */
void slugs_close(struct slug_store *s);

/* Is there such a slug? What it has is not looked at. */
bool slugs_has(struct slug_store *s, const char *uuid);

/*
 * Remove a slug; all slugs for which unwanted() is true. Only the roots:
 * their segments go with the next gc.
 */
void slugs_drop(struct slug_store *s, const char *uuid);
void slugs_drop_if(struct slug_store *s,
		   bool (*unwanted)(void *ctx, const char *uuid), void *ctx);

/*
 * Take the lock. A shared one waits for an exclusive one to end, which is
 * soon; an exclusive one is tried: ERR_CONFLICT where somebody has it.
 * *lock is for slugs_unlock(), or -1.
 */
int slugs_lock(struct slug_store *s, bool exclusive, int *lock);
void slugs_unlock(struct slug_store *s, int lock);

/*
 * Under the exclusive lock: keep these n slugs; remove the roots of all
 * others, then the pages and segments that no slug kept has. Before
 * anything is removed, the manifests of those kept are read, as otherwise
 * nobody knows what they need.
 * Errors: ERR_NOTFOUND, ERR_FAILED where one of them is missing or damaged:
 * nothing was removed; ERR_SYSTEM, and the rest goes with the next gc.
 */
int slugs_gc(struct slug_store *s, const char *const *keep, size_t n,
	     struct slug_freed *freed);

/* Bytes of all that the store has. */
int slugs_stored(struct slug_store *s, uint64_t *bytes);

/*
 * A sum over slugs that counts what they share once. Each call adds a slug
 * and says in *bytes how many more they take now. Errors: as
 * manifest_read(); what could be read is counted.
 */
struct slug_sum *slugs_sum_new(struct slug_store *s);
int slugs_sum_add(struct slug_sum *sum, const char *uuid, uint64_t *bytes);
void slugs_sum_free(struct slug_sum *sum);

#endif
