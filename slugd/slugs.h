/* SPDX-License-Identifier: ISC */
#ifndef SLUGS_H
#define SLUGS_H

#include <stdbool.h>

/*
 * Where slugs are kept. Behind it stands one struct of functions, so that
 * another kind of store can stand beside the local folder.
 */
struct slug_store;

/* Called through the functions below; see there. */
struct slug_store_ops {
	int (*begin)(struct slug_store *s, const char *uuid, int *fd);
	int (*commit)(struct slug_store *s, const char *uuid, int fd);
	void (*abort)(struct slug_store *s, const char *uuid, int fd);
	char *(*path)(struct slug_store *s, const char *uuid);
	void (*drop)(struct slug_store *s, const char *uuid);
	void (*drop_if)(struct slug_store *s,
			bool (*unwanted)(void *ctx, const char *uuid),
			void *ctx);
	void (*close)(struct slug_store *s);
};

struct slug_store {
	const struct slug_store_ops *ops;
};

/*
 * The store in folder dir, which exists; suffix is that of new slugs'
 * files (".tar.zst"). What a crash left half written is removed.
 */
struct slug_store *slugs_open_folder(const char *dir, const char *suffix);

/* The same, only to look at. */
struct slug_store *slugs_at_folder(const char *dir);

/* Free s; it may be NULL. */
void slugs_close(struct slug_store *s);

/* Begin to write a slug, to *fd. Errors: ERR_SYSTEM. */
int slugs_begin(struct slug_store *s, const char *uuid, int *fd);

/*
 * The slug is whole: make it durable. Closes fd. On an error nothing is
 * left. Errors: ERR_SYSTEM.
 */
int slugs_commit(struct slug_store *s, const char *uuid, int fd);

/* The slug will not be: forget it. Closes fd. */
void slugs_abort(struct slug_store *s, const char *uuid, int fd);

/* The slug's file, or NULL where it is not there. Caller frees. */
char *slugs_path(struct slug_store *s, const char *uuid);

/* Remove a slug; all slugs for which unwanted() is true. */
void slugs_drop(struct slug_store *s, const char *uuid);
void slugs_drop_if(struct slug_store *s,
		   bool (*unwanted)(void *ctx, const char *uuid), void *ctx);

#endif
