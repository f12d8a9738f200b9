/* SPDX-License-Identifier: ISC */
#ifndef BACKEND_H
#define BACKEND_H

#include "ledger.h"

/*
 * What keeps the ledger's rows. A back end knows no rule: ledger.c asks for
 * rows and writes rows, inside begin() and commit(). Every function returns
 * 0 or an ERR_*; a find that finds nothing returns ERR_NOTFOUND without a
 * message.
 */

/* A row of whatever a list is of; its strings are the receiver's. */
typedef void (*backend_row_fn)(void *ctx, void *row);

struct backend;

/* What the release is like that release_other() looks for. */
struct release_wish {
	int64_t last;          /* its version at most */
	bool code, config;     /* another commit, other config; either */
	int64_t not_addon_set; /* not with that one; 0: any */
};

struct backend_ops {
	void (*close)(struct backend *b);
	int (*begin)(struct backend *b);
	int (*commit)(struct backend *b);
	void (*rollback)(struct backend *b);

	int (*app_add)(struct backend *b, struct app *a);
	int (*app_by_name)(struct backend *b, const char *name,
			   struct app **out);
	int (*app_by_id)(struct backend *b, int64_t id, struct app **out);
	int (*app_by_repo)(struct backend *b, const char *repo,
			   struct app **out);
	/* *ref stays NULL where there is none. */
	int (*last_pushed)(struct backend *b, int64_t app, char **ref,
			   char **commit);
	int (*app_move)(struct backend *b, int64_t app, const char *repo);
	int (*app_list)(struct backend *b, backend_row_fn fn, void *ctx);
	int (*port_taken)(struct backend *b, int64_t port, bool *taken);
	int (*app_maintenance)(struct backend *b, int64_t app, bool on);

	/* Sets of config and add-ons that are 0 are written, too. */
	int (*release_add)(struct backend *b, struct release *r,
			   const char *push);
	int (*release_by_version)(struct backend *b, int64_t app,
				  int64_t version, struct release **out);
	int (*release_by_uuid)(struct backend *b, int64_t app, const char *uuid,
			       struct release **out);
	int (*release_by_push)(struct backend *b, const char *push,
			       struct release **out);
	int (*release_last)(struct backend *b, int64_t app,
			    struct release **out);
	int (*release_current)(struct backend *b, int64_t app,
			       struct release **out);
	int (*release_last_good)(struct backend *b, int64_t app,
				 struct release **out);
	/*
	 * The newest that succeeded, whose slug is there and that is as wished;
	 * or, where it is newer, a rollback that did not fail, whatever it has.
	 * What has another config_set may have equal config.
	 */
	int (*release_other)(struct backend *b, const struct release *now,
			     const struct release_wish *wish,
			     struct release **out);
	int (*release_list)(struct backend *b, int64_t app,
			    const struct release_range *range,
			    backend_row_fn fn, void *ctx);
	int (*release_pending)(struct backend *b, backend_row_fn fn, void *ctx);
	int (*release_status)(struct backend *b, int64_t id,
			      enum release_status status, int64_t at);

	int (*pin_add)(struct backend *b, const struct release *r,
		       const char *user, int64_t at);
	int (*pin_remove)(struct backend *b, const struct release *r);

	int (*slug_add)(struct backend *b, const struct slug *s);
	int (*slug_by_uuid)(struct backend *b, const char *uuid,
			    struct slug **out);
	int (*slug_checksum)(struct backend *b, const char *uuid,
			     const char *sum);
	int (*slug_drop_unused)(struct backend *b, const char *uuid);
	/*
	 * Those of app that are there, as struct kept_slug, by the newest
	 * release of each that did not fail. needed: an intent's, or that of
	 * a pending or pinned release.
	 */
	int (*slug_list)(struct backend *b, int64_t app, backend_row_fn fn,
			 void *ctx);
	/* The same, in no order, and without asking what is needed. */
	int (*slug_sizes)(struct backend *b, int64_t app, backend_row_fn fn,
			  void *ctx);
	/* Is it there, and not needed in that sense? */
	int (*slug_may_go)(struct backend *b, int64_t app, const char *uuid,
			   bool *may);
	int (*slug_count)(struct backend *b, int64_t app, int64_t *n);
	int (*slug_expire)(struct backend *b, const char *uuid, int64_t at);
	/* How many releases that succeeded have it. */
	int (*slug_releases)(struct backend *b, const char *uuid, int64_t *n);

	int (*build_add)(struct backend *b, const struct build *build);
	int (*build_released)(struct backend *b, const char *uuid,
			      int64_t release, int64_t at);
	int (*build_by_uuid)(struct backend *b, const char *uuid,
			     struct build **out);
	int (*build_list)(struct backend *b, int64_t app, backend_row_fn fn,
			  void *ctx);

	int (*addon_add)(struct backend *b, const struct addon *a);
	int (*addon_state)(struct backend *b, const char *uuid,
			   const char *state, const char *user, int64_t at);
	int (*addon_update)(struct backend *b, const struct addon *a);
	int (*addon_gone)(struct backend *b, const char *uuid);
	int (*addon_end)(struct backend *b, const char *uuid, int64_t at);
	int (*addon_remove)(struct backend *b, const char *uuid);
	int (*addon_unfinished)(struct backend *b, backend_row_fn fn,
				void *ctx);
	int (*addon_by_name)(struct backend *b, int64_t app, const char *name,
			     struct addon **out);
	int (*addon_list)(struct backend *b, int64_t app, backend_row_fn fn,
			  void *ctx);

	int (*intent_add)(struct backend *b, const struct intent *i);
	int (*intent_of)(struct backend *b, int64_t app, struct intent **out);
	int (*intent_list)(struct backend *b, backend_row_fn fn, void *ctx);
	int (*intent_drop)(struct backend *b, const char *push);

	/* All of *out but its type. */
	int (*formation)(struct backend *b, int64_t app, const char *type,
			 struct formation *out);
	int (*formation_set)(struct backend *b, int64_t app,
			     const struct formation *f);
	int (*audit_add)(struct backend *b, int64_t app, const char *user,
			 const char *event, const char *detail, int64_t at);

	/* A whole copy as of now, in the empty file at path. */
	int (*backup)(struct backend *b, const char *path);

	/* Each broken invariant that the rows alone show, a line to fn. */
	int (*check)(struct backend *b, void (*fn)(void *ctx, const char *line),
		     void *ctx);
	/* Every slug that is there. */
	int (*slugs_needed)(struct backend *b,
			    void (*fn)(void *ctx, const char *uuid), void *ctx);
};

struct backend {
	const struct backend_ops *ops;
};

/* The SQLite back end: WAL, synchronous=FULL, migrations by user_version. */
int backend_open_sqlite(struct backend **out, const char *path);

#endif
