/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "err.h"
#include "ledger-sql.h"
#include "mem.h"

struct sqlite {
	struct backend base;
	sqlite3 *db;
	sqlite3_stmt *prepared[NR_STATEMENTS];
};

static struct sqlite *sqlite_of(struct backend *b)
{
	return (struct sqlite *)b;
}

/*
 * The errno of what the database or its log could not read last, or 0. A read
 * that the disk fails (EIO) is SQLITE_CORRUPT, "malformed", in a statement: the
 * file may be as good as before.
 */
static int disk_error(struct sqlite *q)
{
	static const int files[] = { SQLITE_FCNTL_FILE_POINTER,
				     SQLITE_FCNTL_JOURNAL_POINTER };
	sqlite3_file *file;
	size_t i;
	int code;

	for (i = 0; i < 2; i++) {
		file = NULL;
		code = 0;
		if (!sqlite3_file_control(q->db, "main", files[i], &file) &&
		    file && file->pMethods &&
		    !file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO,
						  &code) &&
		    code == EIO)
			return code;
	}
	return 0;
}

static int fail(struct sqlite *q)
{
	int code = sqlite3_errcode(q->db) & 0xff, error = 0;

	if (code == SQLITE_CORRUPT)
		error = disk_error(q);
	else if (code == SQLITE_CANTOPEN || code == SQLITE_IOERR)
		error = sqlite3_system_errno(q->db);
	if (error)
		return err_set(ERR_SYSTEM,
			       "ledger: cannot be read or written: "
			       "%s",
			       strerror(error));
	if (code == SQLITE_CONSTRAINT)
		return err_set(ERR_CONFLICT, "ledger: %s",
			       sqlite3_errmsg(q->db));
	return err_set(code == SQLITE_FULL || code == SQLITE_IOERR ? ERR_SYSTEM
								   : ERR_FAILED,
		       "ledger: %s", sqlite3_errmsg(q->db));
}

/*
 * Statement nr with its parameters bound: i an int64_t, s a string or NULL,
 * j a json_t. NULL and a message where that fails.
 */
static sqlite3_stmt *bind(struct sqlite *q, int nr, const char *types, ...)
{
	sqlite3_stmt *st = q->prepared[nr];
	int i, rc = SQLITE_OK;
	va_list ap;

	if (!st && sqlite3_prepare_v3(q->db, sql_statements[nr], -1,
				      SQLITE_PREPARE_PERSISTENT, &st, NULL)) {
		fail(q);
		return NULL;
	}
	q->prepared[nr] = st;
	sqlite3_reset(st);
	va_start(ap, types);
	for (i = 0; types[i] && !rc; i++) {
		if (types[i] == 'i') {
			rc = sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
		} else if (types[i] == 's') {
			rc = sqlite3_bind_text(st, i + 1,
					       va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
		} else {
			char *text = json_text(va_arg(ap, const json_t *));

			rc = sqlite3_bind_text(st, i + 1, text, -1, free);
		}
	}
	va_end(ap);
	if (rc) {
		fail(q);
		return NULL;
	}
	return st;
}

/* 1: a row; 0: no more; else an error. */
static int step(struct sqlite *q, sqlite3_stmt *st)
{
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE) {
		sqlite3_reset(st);
		return 0;
	}
	if (st) {
		rc = fail(q);
		sqlite3_reset(st);
		return rc;
	}
	return ERR_FAILED;
}

/* A statement that gives no rows. */
#define DO(q, nr, ...) step(q, bind(q, nr, __VA_ARGS__))

static char *text(sqlite3_stmt *st, int col)
{
	return xstrdup((const char *)sqlite3_column_text(st, col));
}

static void uuid_text(char *buf, sqlite3_stmt *st, int col)
{
	const char *s = (const char *)sqlite3_column_text(st, col);

	memset(buf, 0, UUID_SIZE);
	if (s)
		memcpy(buf, s, strnlen(s, UUID_SIZE - 1));
}

static json_t *json(sqlite3_stmt *st, int col)
{
	json_t *v = NULL;

	if (json_read(&v, (const char *)sqlite3_column_text(st, col),
		      (size_t)sqlite3_column_bytes(st, col)))
		return json_object();
	return v;
}

#define INT(st, col) sqlite3_column_int64(st, col)

static void *app_row(sqlite3_stmt *st)
{
	struct app *a = xcalloc(1, sizeof(*a));

	a->id = INT(st, 0);
	uuid_text(a->uuid, st, 1);
	a->name = text(st, 2);
	a->repo = text(st, 3);
	a->port = INT(st, 4);
	a->created_at = INT(st, 5);
	a->maintenance = INT(st, 6) != 0;
	return a;
}

static void *release_row(sqlite3_stmt *st)
{
	struct release *r = xcalloc(1, sizeof(*r));

	r->id = INT(st, 0);
	r->app = INT(st, 1);
	uuid_text(r->uuid, st, 2);
	r->version = INT(st, 3);
	r->kind = text(st, 4);
	r->description = text(st, 5);
	r->user = text(st, 6);
	r->status = (enum release_status)INT(st, 7);
	r->slug = text(st, 8);
	r->commit = text(st, 9);
	r->config = json(st, 10);
	r->addons = json(st, 11);
	r->config_set = INT(st, 12);
	r->addon_set = INT(st, 13);
	r->build = text(st, 14);
	r->target = INT(st, 15);
	r->output = text(st, 16);
	r->created_at = INT(st, 17);
	r->updated_at = INT(st, 18);
	r->current = INT(st, 19) != 0;
	r->pinned = INT(st, 20) != 0;
	return r;
}

static void *slug_row(sqlite3_stmt *st)
{
	struct slug *s = xcalloc(1, sizeof(*s));

	uuid_text(s->uuid, st, 0);
	s->app = INT(st, 1);
	s->commit = text(st, 2);
	s->commit_description = text(st, 3);
	s->size = INT(st, 4);
	s->tree_size = INT(st, 5);
	s->process_types = json(st, 6);
	s->created_at = INT(st, 7);
	s->checksum = text(st, 8);
	return s;
}

static void *kept_row(sqlite3_stmt *st)
{
	struct kept_slug *k = xcalloc(1, sizeof(*k));

	uuid_text(k->uuid, st, 0);
	k->size = INT(st, 1);
	k->needed = INT(st, 2) != 0;
	return k;
}

static void *build_row(sqlite3_stmt *st)
{
	struct build *b = xcalloc(1, sizeof(*b));

	uuid_text(b->uuid, st, 0);
	b->app = INT(st, 1);
	b->commit = text(st, 2);
	b->ref = text(st, 3);
	b->user = text(st, 4);
	b->status = text(st, 5);
	b->slug = text(st, 6);
	b->release = INT(st, 7);
	b->created_at = INT(st, 8);
	b->updated_at = INT(st, 9);
	return b;
}

static void *addon_row(sqlite3_stmt *st)
{
	struct addon *a = xcalloc(1, sizeof(*a));

	uuid_text(a->uuid, st, 0);
	a->app = INT(st, 1);
	a->service = text(st, 2);
	a->plan = text(st, 3);
	a->name = text(st, 4);
	a->price = INT(st, 5);
	a->state = text(st, 6);
	a->user = text(st, 7);
	a->config = json(st, 8);
	a->created_at = INT(st, 9);
	a->updated_at = INT(st, 10);
	a->gone = INT(st, 11) != 0;
	return a;
}

static void *intent_row(sqlite3_stmt *st)
{
	struct intent *i = xcalloc(1, sizeof(*i));

	i->app = INT(st, 0);
	uuid_text(i->push, st, 1);
	i->ref = text(st, 2);
	i->old = text(st, 3);
	i->new = text(st, 4);
	i->user = text(st, 5);
	i->slug = text(st, 6);
	i->build = text(st, 7);
	i->reflog_size = INT(st, 8);
	i->lease = text(st, 9);
	i->created_at = INT(st, 10);
	i->reflog_last = text(st, 11);
	return i;
}

typedef void *(*row_fn)(sqlite3_stmt *st);

/* The one row of st into *out, or ERR_NOTFOUND. */
static int one(struct sqlite *q, sqlite3_stmt *st, row_fn row, void **out)
{
	int rc = step(q, st);

	if (rc < 0)
		return rc;
	if (!rc)
		return ERR_NOTFOUND;
	*out = row(st);
	sqlite3_reset(st);
	return 0;
}

static int each(struct sqlite *q, sqlite3_stmt *st, row_fn row,
		backend_row_fn fn, void *ctx)
{
	int rc;

	while ((rc = step(q, st)) > 0)
		fn(ctx, row(st));
	return rc;
}

static int q_begin(struct backend *b)
{
	return DO(sqlite_of(b), BEGIN, "");
}

static int q_commit(struct backend *b)
{
	return DO(sqlite_of(b), COMMIT, "");
}

static void q_rollback(struct backend *b)
{
	/* The error that led here is the one to tell of. */
	char *saved = xstrdup(err_msg());

	if (!sqlite3_get_autocommit(sqlite_of(b)->db))
		DO(sqlite_of(b), ROLLBACK, "");
	err_set(ERR_FAILED, "%s", saved);
	free(saved);
}

static int q_app_add(struct backend *b, struct app *a)
{
	struct sqlite *q = sqlite_of(b);
	int rc = DO(q, APP_ADD, "sssi", a->uuid, a->name, a->repo,
		    a->created_at);

	if (rc)
		return rc;
	a->id = sqlite3_last_insert_rowid(q->db);
	return a->port ? DO(q, PORT_ADD, "ii", a->port, a->id) : 0;
}

static int q_app_by_name(struct backend *b, const char *name, struct app **out)
{
	return one(sqlite_of(b), bind(sqlite_of(b), APP_BY_NAME, "s", name),
		   app_row, (void **)out);
}

static int q_app_by_id(struct backend *b, int64_t id, struct app **out)
{
	return one(sqlite_of(b), bind(sqlite_of(b), APP_BY_ID, "i", id),
		   app_row, (void **)out);
}

static int q_app_by_repo(struct backend *b, const char *repo, struct app **out)
{
	return one(sqlite_of(b), bind(sqlite_of(b), APP_BY_REPO, "s", repo),
		   app_row, (void **)out);
}

static int q_app_move(struct backend *b, int64_t app, const char *repo)
{
	return DO(sqlite_of(b), APP_MOVE, "si", repo, app);
}

static int q_last_pushed(struct backend *b, int64_t app, char **ref,
			 char **commit)
{
	sqlite3_stmt *st = bind(sqlite_of(b), LAST_PUSHED, "i", app);
	int rc = step(sqlite_of(b), st);

	if (rc <= 0)
		return rc;
	*ref = text(st, 0);
	*commit = text(st, 1);
	sqlite3_reset(st);
	return 0;
}

static int q_app_list(struct backend *b, backend_row_fn fn, void *ctx)
{
	return each(sqlite_of(b), bind(sqlite_of(b), APP_LIST, ""), app_row, fn,
		    ctx);
}

static int q_app_maintenance(struct backend *b, int64_t app, bool on)
{
	return DO(sqlite_of(b), APP_MAINTENANCE, "ii", (int64_t)on, app);
}

static int q_port_taken(struct backend *b, int64_t port, bool *taken)
{
	struct sqlite *q = sqlite_of(b);
	sqlite3_stmt *st = bind(q, PORT_TAKEN, "i", port);
	int rc = step(q, st);

	*taken = rc == 1;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

static int q_release_add(struct backend *b, struct release *r, const char *push)
{
	struct sqlite *q = sqlite_of(b);
	int rc = 0;

	if (!r->config_set) {
		rc = DO(q, CONFIG_SET_ADD, "ij", r->app, r->config);
		r->config_set = sqlite3_last_insert_rowid(q->db);
	}
	if (!rc && !r->addon_set) {
		rc = DO(q, ADDON_SET_ADD, "ij", r->app, r->addons);
		r->addon_set = sqlite3_last_insert_rowid(q->db);
	}
	if (!rc)
		rc = DO(q, RELEASE_ADD, "siisssisiisissii", r->uuid, r->app,
			r->version, r->kind, r->description, r->user,
			(int64_t)r->status, r->slug, r->config_set,
			r->addon_set, r->build, r->target, push, r->output,
			r->created_at, r->updated_at);
	r->id = sqlite3_last_insert_rowid(q->db);
	return rc;
}

static int q_release_by_version(struct backend *b, int64_t app, int64_t version,
				struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_BY_VERSION, "ii", app, version),
		   release_row, (void **)out);
}

static int q_release_by_uuid(struct backend *b, int64_t app, const char *uuid,
			     struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_BY_UUID, "is", app, uuid), release_row,
		   (void **)out);
}

static int q_release_by_push(struct backend *b, const char *push,
			     struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_BY_PUSH, "s", push), release_row,
		   (void **)out);
}

static int q_release_last(struct backend *b, int64_t app, struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_LAST, "i", app), release_row,
		   (void **)out);
}

static int q_release_current(struct backend *b, int64_t app,
			     struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_CURRENT, "i", app), release_row,
		   (void **)out);
}

static int q_release_last_good(struct backend *b, int64_t app,
			       struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, RELEASE_LAST_GOOD, "i", app), release_row,
		   (void **)out);
}

static int q_release_other(struct backend *b, const struct release *now,
			   const struct release_wish *wish,
			   struct release **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q,
		   bind(q, RELEASE_OTHER, "iiisiii", now->app, wish->last,
			(int64_t)wish->code, now->commit, (int64_t)wish->config,
			now->config_set, wish->not_addon_set),
		   release_row, (void **)out);
}

static int q_release_list(struct backend *b, int64_t app,
			  const struct release_range *range, backend_row_fn fn,
			  void *ctx)
{
	struct sqlite *q = sqlite_of(b);
	int nr = range->descending ? RELEASE_LIST_DOWN : RELEASE_LIST_UP;

	return each(q,
		    bind(q, nr, "iiii", app, range->first,
			 range->last ? range->last : INT64_MAX, range->max),
		    release_row, fn, ctx);
}

static int q_release_pending(struct backend *b, backend_row_fn fn, void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, RELEASE_PENDING_LIST, ""), release_row, fn, ctx);
}

static int q_release_status(struct backend *b, int64_t id,
			    enum release_status status, int64_t at)
{
	return DO(sqlite_of(b), RELEASE_STATUS, "iii", (int64_t)status, at, id);
}

static int q_pin_add(struct backend *b, const struct release *r,
		     const char *user, int64_t at)
{
	return DO(sqlite_of(b), PIN_ADD, "iisi", r->app, r->version, user, at);
}

static int q_pin_remove(struct backend *b, const struct release *r)
{
	return DO(sqlite_of(b), PIN_REMOVE, "ii", r->app, r->version);
}

static int q_slug_add(struct backend *b, const struct slug *s)
{
	return DO(sqlite_of(b), SLUG_ADD, "sissiiji", s->uuid, s->app,
		  s->commit, s->commit_description, s->size, s->tree_size,
		  s->process_types, s->created_at);
}

static int q_slug_by_uuid(struct backend *b, const char *uuid,
			  struct slug **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, SLUG_BY_UUID, "s", uuid), slug_row, (void **)out);
}

static int q_slug_checksum(struct backend *b, const char *uuid, const char *sum)
{
	return DO(sqlite_of(b), SLUG_CHECKSUM, "ss", sum, uuid);
}

static int q_slug_drop_unused(struct backend *b, const char *uuid)
{
	return DO(sqlite_of(b), SLUG_DROP_UNUSED, "s", uuid);
}

static int q_slug_list(struct backend *b, int64_t app, backend_row_fn fn,
		       void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, SLUG_LIST, "i", app), kept_row, fn, ctx);
}

/* The number that is the one row of st, into *n. */
static int number(struct sqlite *q, sqlite3_stmt *st, int64_t *n)
{
	int rc = step(q, st);

	*n = rc == 1 ? INT(st, 0) : 0;
	sqlite3_reset(st);
	return rc < 0 ? rc : 0;
}

static int q_slug_sizes(struct backend *b, int64_t app, backend_row_fn fn,
			void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, SLUG_SIZES, "i", app), kept_row, fn, ctx);
}

static int q_slug_may_go(struct backend *b, int64_t app, const char *uuid,
			 bool *may)
{
	struct sqlite *q = sqlite_of(b);
	int64_t n;
	int rc = number(q, bind(q, SLUG_MAY_GO, "is", app, uuid), &n);

	*may = n != 0;
	return rc;
}

static int q_slug_count(struct backend *b, int64_t app, int64_t *n)
{
	struct sqlite *q = sqlite_of(b);

	return number(q, bind(q, SLUG_COUNT, "i", app), n);
}

static int q_slug_expire(struct backend *b, const char *uuid, int64_t at)
{
	return DO(sqlite_of(b), SLUG_EXPIRE, "is", at, uuid);
}

static int q_slug_releases(struct backend *b, const char *uuid, int64_t *n)
{
	struct sqlite *q = sqlite_of(b);

	return number(q, bind(q, SLUG_RELEASES, "s", uuid), n);
}

static int q_build_add(struct backend *b, const struct build *d)
{
	return DO(sqlite_of(b), BUILD_ADD, "sisssssiii", d->uuid, d->app,
		  d->commit, d->ref, d->user, d->status, d->slug, d->release,
		  d->created_at, d->updated_at);
}

static int q_build_released(struct backend *b, const char *uuid,
			    int64_t release, int64_t at)
{
	return DO(sqlite_of(b), BUILD_RELEASED, "iis", release, at, uuid);
}

static int q_build_by_uuid(struct backend *b, const char *uuid,
			   struct build **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, BUILD_BY_UUID, "s", uuid), build_row,
		   (void **)out);
}

static int q_build_list(struct backend *b, int64_t app, backend_row_fn fn,
			void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, BUILD_LIST, "i", app), build_row, fn, ctx);
}

static int q_addon_add(struct backend *b, const struct addon *a)
{
	return DO(sqlite_of(b), ADDON_ADD, "sisssissjii", a->uuid, a->app,
		  a->service, a->plan, a->name, a->price, a->state, a->user,
		  a->config, a->created_at, a->updated_at);
}

static int q_addon_state(struct backend *b, const char *uuid, const char *state,
			 const char *user, int64_t at)
{
	return DO(sqlite_of(b), ADDON_STATE, "ssis", state, user, at, uuid);
}

static int q_addon_update(struct backend *b, const struct addon *a)
{
	return DO(sqlite_of(b), ADDON_UPDATE, "sijis", a->plan, a->price,
		  a->config, a->updated_at, a->uuid);
}

static int q_addon_gone(struct backend *b, const char *uuid)
{
	return DO(sqlite_of(b), ADDON_GONE, "s", uuid);
}

static int q_addon_end(struct backend *b, const char *uuid, int64_t at)
{
	return DO(sqlite_of(b), ADDON_END, "is", at, uuid);
}

static int q_addon_remove(struct backend *b, const char *uuid)
{
	return DO(sqlite_of(b), ADDON_REMOVE, "s", uuid);
}

static int q_addon_unfinished(struct backend *b, backend_row_fn fn, void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, ADDON_UNFINISHED, ""), addon_row, fn, ctx);
}

static int q_addon_by_name(struct backend *b, int64_t app, const char *name,
			   struct addon **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, ADDON_BY_NAME, "is", app, name), addon_row,
		   (void **)out);
}

static int q_addon_list(struct backend *b, int64_t app, backend_row_fn fn,
			void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, ADDON_LIST, "i", app), addon_row, fn, ctx);
}

static int q_intent_add(struct backend *b, const struct intent *i)
{
	return DO(sqlite_of(b), INTENT_ADD, "isssssssisis", i->app, i->push,
		  i->ref, i->old, i->new, i->user, i->slug, i->build,
		  i->reflog_size, i->lease, i->created_at, i->reflog_last);
}

static int q_intent_of(struct backend *b, int64_t app, struct intent **out)
{
	struct sqlite *q = sqlite_of(b);

	return one(q, bind(q, INTENT_OF, "i", app), intent_row, (void **)out);
}

static int q_intent_list(struct backend *b, backend_row_fn fn, void *ctx)
{
	struct sqlite *q = sqlite_of(b);

	return each(q, bind(q, INTENT_LIST, ""), intent_row, fn, ctx);
}

static int q_intent_drop(struct backend *b, const char *push)
{
	return DO(sqlite_of(b), INTENT_DROP, "s", push);
}

static int q_formation(struct backend *b, int64_t app, const char *type,
		       struct formation *out)
{
	struct sqlite *q = sqlite_of(b);
	sqlite3_stmt *st = bind(q, FORMATION_OF, "is", app, type);
	int rc = step(q, st);

	if (rc < 0)
		return rc;
	if (!rc)
		return ERR_NOTFOUND;
	out->quantity = INT(st, 0);
	out->updated_at = INT(st, 1);
	sqlite3_reset(st);
	return 0;
}

static int q_formation_set(struct backend *b, int64_t app,
			   const struct formation *f)
{
	return DO(sqlite_of(b), FORMATION_SET, "isii", app, f->type,
		  f->quantity, f->updated_at);
}

static int q_audit_add(struct backend *b, int64_t app, const char *user,
		       const char *event, const char *detail, int64_t at)
{
	return DO(sqlite_of(b), AUDIT_ADD, "iisss", at, app, user, event,
		  detail);
}

/* Each row's first column to fn, but for integrity_check's "ok". */
static int lines(struct sqlite *q, int nr,
		 void (*fn)(void *ctx, const char *line), void *ctx)
{
	sqlite3_stmt *st = bind(q, nr, "");
	int rc;

	while ((rc = step(q, st)) > 0) {
		const char *s = (const char *)sqlite3_column_text(st, 0);

		if (s && strcmp(s, "ok"))
			fn(ctx, s);
	}
	return rc;
}

static int q_check(struct backend *b, void (*fn)(void *ctx, const char *line),
		   void *ctx)
{
	int rc = lines(sqlite_of(b), CHECK_INTEGRITY, fn, ctx);

	/* Pages that the disk did not give were told as broken. */
	if (!rc && disk_error(sqlite_of(b)))
		rc = err_set(ERR_SYSTEM, "ledger: cannot be read: %s",
			     strerror(EIO));
	if (!rc)
		rc = lines(sqlite_of(b), CHECK_FOREIGN, fn, ctx);
	if (!rc)
		rc = lines(sqlite_of(b), CHECK, fn, ctx);
	return rc;
}

static int q_backup(struct backend *b, const char *path)
{
	return DO(sqlite_of(b), BACKUP, "s", path);
}

static int q_slugs_needed(struct backend *b,
			  void (*fn)(void *ctx, const char *uuid), void *ctx)
{
	return lines(sqlite_of(b), SLUGS_NEEDED, fn, ctx);
}

static void q_close(struct backend *b)
{
	struct sqlite *q = sqlite_of(b);
	int i;

	for (i = 0; i < NR_STATEMENTS; i++)
		sqlite3_finalize(q->prepared[i]);
	sqlite3_close(q->db);
	free(q);
}

static const struct backend_ops sqlite_ops = {
	.close = q_close,
	.begin = q_begin,
	.commit = q_commit,
	.rollback = q_rollback,
	.app_add = q_app_add,
	.app_by_name = q_app_by_name,
	.app_by_id = q_app_by_id,
	.app_by_repo = q_app_by_repo,
	.last_pushed = q_last_pushed,
	.app_move = q_app_move,
	.app_list = q_app_list,
	.port_taken = q_port_taken,
	.app_maintenance = q_app_maintenance,
	.release_add = q_release_add,
	.release_by_version = q_release_by_version,
	.release_by_uuid = q_release_by_uuid,
	.release_by_push = q_release_by_push,
	.release_last = q_release_last,
	.release_current = q_release_current,
	.release_last_good = q_release_last_good,
	.release_other = q_release_other,
	.release_list = q_release_list,
	.release_pending = q_release_pending,
	.release_status = q_release_status,
	.pin_add = q_pin_add,
	.pin_remove = q_pin_remove,
	.slug_add = q_slug_add,
	.slug_by_uuid = q_slug_by_uuid,
	.slug_drop_unused = q_slug_drop_unused,
	.slug_list = q_slug_list,
	.slug_checksum = q_slug_checksum,
	.slug_sizes = q_slug_sizes,
	.slug_may_go = q_slug_may_go,
	.slug_count = q_slug_count,
	.slug_expire = q_slug_expire,
	.slug_releases = q_slug_releases,
	.build_add = q_build_add,
	.build_released = q_build_released,
	.build_by_uuid = q_build_by_uuid,
	.build_list = q_build_list,
	.addon_add = q_addon_add,
	.addon_state = q_addon_state,
	.addon_update = q_addon_update,
	.addon_gone = q_addon_gone,
	.addon_end = q_addon_end,
	.addon_remove = q_addon_remove,
	.addon_unfinished = q_addon_unfinished,
	.addon_by_name = q_addon_by_name,
	.addon_list = q_addon_list,
	.intent_add = q_intent_add,
	.intent_of = q_intent_of,
	.intent_list = q_intent_list,
	.intent_drop = q_intent_drop,
	.formation = q_formation,
	.formation_set = q_formation_set,
	.audit_add = q_audit_add,
	.backup = q_backup,
	.check = q_check,
	.slugs_needed = q_slugs_needed,
};

static int run(struct sqlite *q, const char *sql)
{
	return sqlite3_exec(q->db, sql, NULL, NULL, NULL) ? fail(q) : 0;
}

/* The version of the schema that the file has. */
static int schema_version(struct sqlite *q, int *version)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(q->db, "PRAGMA user_version", -1, &st, NULL) ||
	    sqlite3_step(st) != SQLITE_ROW)
		rc = fail(q);
	else
		*version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc;
}

static int migrate(struct sqlite *q)
{
	int version = 0, rc = schema_version(q, &version);
	char *sql;

	if (!rc && version > sql_nr_migrations)
		return err_set(ERR_FAILED,
			       "ledger: it is of version %d, from a newer "
			       "slugd; this one knows up to %d",
			       version, sql_nr_migrations);
	for (; !rc && version < sql_nr_migrations; version++) {
		sql = xasprintf("BEGIN IMMEDIATE; %s"
				"PRAGMA user_version = %d; COMMIT",
				sql_migrations[version], version + 1);
		rc = run(q, sql);
		free(sql);
	}
	return rc;
}

/*
 * The file, which SQLite would make for all to read: it has config vars in
 * it. Its -wal and -shm get the mode that it has. A file that is there is
 * not opened: closing it would end the locks that another connection of this
 * process has on it (fcntl(2)), and slugctl would remove the log under slugd
 * (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return err_set(ERR_SYSTEM, "ledger: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

int backend_open_sqlite(struct backend **out, const char *path)
{
	struct sqlite *q = xcalloc(1, sizeof(*q));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int rc = make_file(path);

	q->base.ops = &sqlite_ops;
	if (rc)
		goto done;
	if (sqlite3_open_v2(path, &q->db, flags, NULL)) {
		rc = fail(q);
		goto done;
	}
	sqlite3_busy_timeout(q->db, 10000);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	rc = run(q, "PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = FULL;"
		    "PRAGMA foreign_keys = ON;");
	if (!rc)
		rc = migrate(q);
done:
	if (rc) {
		rc = err_prefix(rc, "%s", path);
		q_close(&q->base);
	} else {
		*out = &q->base;
	}
	return rc;
}
