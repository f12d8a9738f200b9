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
#include "mem.h"

/*
 * The schema, one entry a version: opening runs what a ledger lacks. An
 * entry that was released is never edited; a change is a new entry.
 */
static const char *const migrations[] = {
	"CREATE TABLE app ("
	" id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL UNIQUE, repo TEXT NOT NULL UNIQUE,"
	" created_at INTEGER NOT NULL) STRICT;"

	"CREATE TABLE port ("
	" port INTEGER PRIMARY KEY,"
	" app INTEGER NOT NULL UNIQUE REFERENCES app) STRICT;"

	"CREATE TABLE slug ("
	" id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" app INTEGER NOT NULL REFERENCES app, commit_id TEXT NOT NULL,"
	" commit_description TEXT NOT NULL, size INTEGER NOT NULL,"
	" tree_size INTEGER NOT NULL, checksum TEXT,"
	" process_types TEXT NOT NULL, created_at INTEGER NOT NULL,"
	" deleted_at INTEGER) STRICT;"

	"CREATE TABLE config_set ("
	" id INTEGER PRIMARY KEY, app INTEGER NOT NULL REFERENCES app,"
	" body TEXT NOT NULL) STRICT;"

	"CREATE TABLE addon ("
	" id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" app INTEGER NOT NULL REFERENCES app, service TEXT NOT NULL,"
	" plan TEXT NOT NULL, name TEXT NOT NULL, price INTEGER NOT NULL,"
	" config TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN"
	"  ('provisioning', 'provisioned', 'deprovisioning',"
	"  'deprovisioned')), user TEXT NOT NULL,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
	" destroyed_at INTEGER) STRICT;"
	"CREATE UNIQUE INDEX addon_name ON addon(app, name)"
	" WHERE destroyed_at IS NULL;"

	"CREATE TABLE addon_set ("
	" id INTEGER PRIMARY KEY, app INTEGER NOT NULL REFERENCES app,"
	" body TEXT NOT NULL) STRICT;"

	"CREATE TABLE release ("
	" id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" app INTEGER NOT NULL REFERENCES app, version INTEGER NOT NULL,"
	" kind TEXT NOT NULL CHECK (kind IN"
	"  ('initial', 'deploy', 'config', 'addon', 'rollback')),"
	" description TEXT NOT NULL, user TEXT NOT NULL,"
	" status INTEGER NOT NULL, slug TEXT REFERENCES slug(uuid),"
	" config_set INTEGER NOT NULL REFERENCES config_set,"
	" addon_set INTEGER NOT NULL REFERENCES addon_set,"
	" build TEXT, target INTEGER NOT NULL, push TEXT UNIQUE, output TEXT,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,"
	" UNIQUE (app, version)) STRICT;"
	"CREATE INDEX release_status ON release(app, status, version);"
	"CREATE INDEX release_pending ON release(id) WHERE status = 0;"
	"CREATE INDEX release_slug ON release(slug);"
	"CREATE TRIGGER release_is_next BEFORE INSERT ON release"
	" WHEN NEW.version <> 1 + ifnull((SELECT max(version) FROM release"
	"  WHERE app = NEW.app), 0)"
	" BEGIN SELECT RAISE(ABORT, 'a release number was left out'); END;"
	"CREATE TRIGGER release_is_a_fact BEFORE UPDATE OF id, uuid, app,"
	" version, kind, description, user, slug, config_set, addon_set,"
	" target, push, created_at ON release"
	" BEGIN SELECT RAISE(ABORT, 'a release is not rewritten'); END;"
	"CREATE TRIGGER release_stays BEFORE DELETE ON release"
	" BEGIN SELECT RAISE(ABORT, 'a release is not deleted'); END;"

	"CREATE TABLE build ("
	" id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE,"
	" app INTEGER NOT NULL REFERENCES app, commit_id TEXT NOT NULL,"
	" ref TEXT NOT NULL, user TEXT NOT NULL, status TEXT NOT NULL,"
	" slug TEXT, release INTEGER NOT NULL,"
	" created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
	"CREATE INDEX build_app ON build(app, id);"

	"CREATE TABLE intent ("
	" app INTEGER PRIMARY KEY REFERENCES app, push TEXT NOT NULL UNIQUE,"
	" ref TEXT NOT NULL, old_id TEXT NOT NULL, new_id TEXT NOT NULL,"
	" user TEXT NOT NULL, slug TEXT NOT NULL REFERENCES slug(uuid),"
	" build TEXT NOT NULL REFERENCES build(uuid),"
	" reflog_size INTEGER NOT NULL, lease TEXT NOT NULL,"
	" created_at INTEGER NOT NULL) STRICT;"

	"CREATE TABLE formation ("
	" app INTEGER NOT NULL REFERENCES app, type TEXT NOT NULL,"
	" quantity INTEGER NOT NULL, size TEXT NOT NULL,"
	" PRIMARY KEY (app, type)) STRICT;"

	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY, at INTEGER NOT NULL, app INTEGER,"
	" user TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL)"
	" STRICT;",

	"CREATE TRIGGER config_set_is_a_fact BEFORE UPDATE ON config_set"
	" BEGIN SELECT RAISE(ABORT, 'a release is not rewritten'); END;"
	"CREATE TRIGGER config_set_stays BEFORE DELETE ON config_set"
	" BEGIN SELECT RAISE(ABORT, 'a release is not deleted'); END;"
	"CREATE TRIGGER addon_set_is_a_fact BEFORE UPDATE ON addon_set"
	" BEGIN SELECT RAISE(ABORT, 'a release is not rewritten'); END;"
	"CREATE TRIGGER addon_set_stays BEFORE DELETE ON addon_set"
	" BEGIN SELECT RAISE(ABORT, 'a release is not deleted'); END;",
};

#define NR_MIGRATIONS ((int)(sizeof(migrations) / sizeof(migrations[0])))

#define APP_COLUMNS                                                            \
 "a.id, a.uuid, a.name, a.repo, ifnull(p.port, 0), a.created_at"               \
 " FROM app a LEFT JOIN port p ON p.app = a.id"
#define RELEASE_COLUMNS                                                        \
 "r.id, r.app, r.uuid, r.version, r.kind, r.description, r.user,"              \
 " r.status, r.slug, s.commit_id, c.body, d.body, r.config_set,"               \
 " r.addon_set, r.build, r.target, r.output, r.created_at, r.updated_at,"      \
 " r.version = (SELECT version FROM release WHERE app = r.app AND"             \
 "  status = 1 ORDER BY version DESC LIMIT 1)"                                 \
 " FROM release r JOIN config_set c ON c.id = r.config_set"                    \
 " JOIN addon_set d ON d.id = r.addon_set"                                     \
 " LEFT JOIN slug s ON s.uuid = r.slug"
#define BUILD_COLUMNS                                                          \
 "uuid, app, commit_id, ref, user, status, slug, release,"                     \
 " created_at, updated_at FROM build"
#define ADDON_COLUMNS                                                          \
 "uuid, app, service, plan, name, price, state, user, config, created_at,"     \
 " updated_at FROM addon"
#define INTENT_COLUMNS                                                         \
 "app, push, ref, old_id, new_id, user, slug, build, reflog_size,"             \
 " lease, created_at FROM intent"

/* clang-format off */
enum {
	BEGIN, COMMIT, ROLLBACK,
	APP_ADD, PORT_ADD, APP_BY_NAME, APP_BY_ID, APP_BY_REPO, APP_LIST,
	PORT_TAKEN,
	CONFIG_SET_ADD, ADDON_SET_ADD, RELEASE_ADD, RELEASE_BY_VERSION,
	RELEASE_BY_UUID, RELEASE_BY_PUSH, RELEASE_LAST, RELEASE_CURRENT,
	RELEASE_LAST_GOOD, RELEASE_LIST_UP, RELEASE_LIST_DOWN,
	RELEASE_PENDING_LIST, RELEASE_STATUS,
	SLUG_ADD, SLUG_BY_UUID, SLUG_DROP_UNUSED,
	BUILD_ADD, BUILD_RELEASED, BUILD_BY_UUID, BUILD_LIST,
	ADDON_ADD, ADDON_STATE, ADDON_UPDATE, ADDON_END, ADDON_REMOVE,
	ADDON_BY_NAME, ADDON_LIST, ADDON_UNFINISHED,
	INTENT_ADD, INTENT_OF, INTENT_LIST, INTENT_DROP,
	FORMATION_OF, AUDIT_ADD,
	BACKUP, CHECK, CHECK_INTEGRITY, CHECK_FOREIGN, SLUGS_NEEDED,
	NR_STATEMENTS
};

static const char *const statements[NR_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[APP_ADD] = "INSERT INTO app (uuid, name, repo, created_at)"
		" VALUES (?, ?, ?, ?)",
	[PORT_ADD] = "INSERT INTO port (port, app) VALUES (?, ?)",
	[APP_BY_NAME] = "SELECT " APP_COLUMNS
		" WHERE a.name = ?1 OR a.uuid = ?1",
	[APP_BY_ID] = "SELECT " APP_COLUMNS " WHERE a.id = ?",
	[APP_BY_REPO] = "SELECT " APP_COLUMNS " WHERE a.repo = ?",
	[APP_LIST] = "SELECT " APP_COLUMNS " ORDER BY a.name",
	[PORT_TAKEN] = "SELECT 1 FROM port WHERE port = ?",
	[CONFIG_SET_ADD] = "INSERT INTO config_set (app, body) VALUES (?, ?)",
	[ADDON_SET_ADD] = "INSERT INTO addon_set (app, body) VALUES (?, ?)",
	[RELEASE_ADD] = "INSERT INTO release (uuid, app, version, kind,"
		" description, user, status, slug, config_set, addon_set,"
		" build, target, push, output, created_at, updated_at) VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[RELEASE_BY_VERSION] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.version = ?",
	[RELEASE_BY_UUID] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.uuid = ?",
	[RELEASE_BY_PUSH] = "SELECT " RELEASE_COLUMNS " WHERE r.push = ?",
	[RELEASE_LAST] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? ORDER BY r.version DESC LIMIT 1",
	[RELEASE_CURRENT] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.status = 1"
		" ORDER BY r.version DESC LIMIT 1",
	[RELEASE_LAST_GOOD] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.status <> 2"
		" ORDER BY r.version DESC LIMIT 1",
	[RELEASE_LIST_UP] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.version BETWEEN ? AND ?"
		" ORDER BY r.version LIMIT ?",
	[RELEASE_LIST_DOWN] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.version BETWEEN ? AND ?"
		" ORDER BY r.version DESC LIMIT ?",
	[RELEASE_PENDING_LIST] = "SELECT " RELEASE_COLUMNS
		" WHERE r.status = 0 ORDER BY r.id",
	[RELEASE_STATUS] = "UPDATE release SET status = ?, updated_at = ?"
		" WHERE id = ?",
	[SLUG_ADD] = "INSERT INTO slug (uuid, app, commit_id,"
		" commit_description, size, tree_size, process_types,"
		" created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SLUG_BY_UUID] = "SELECT uuid, app, commit_id, commit_description,"
		" size, tree_size, process_types, created_at FROM slug"
		" WHERE uuid = ?",
	[SLUG_DROP_UNUSED] = "DELETE FROM slug WHERE uuid = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM release WHERE slug = ?1)",
	[BUILD_ADD] = "INSERT INTO build (uuid, app, commit_id, ref, user,"
		" status, slug, release, created_at, updated_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[BUILD_RELEASED] = "UPDATE build SET release = ?, updated_at = ?"
		" WHERE uuid = ?",
	[BUILD_BY_UUID] = "SELECT " BUILD_COLUMNS " WHERE uuid = ?",
	[BUILD_LIST] = "SELECT " BUILD_COLUMNS
		" WHERE app = ? ORDER BY id DESC LIMIT 1000",
	[ADDON_ADD] = "INSERT INTO addon (uuid, app, service, plan, name,"
		" price, state, user, config, created_at, updated_at) VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[ADDON_STATE] = "UPDATE addon SET state = ?, user = ?,"
		" updated_at = ? WHERE uuid = ?",
	[ADDON_UPDATE] = "UPDATE addon SET plan = ?, price = ?, config = ?,"
		" updated_at = ? WHERE uuid = ?",
	[ADDON_END] = "UPDATE addon SET state = 'deprovisioned',"
		" updated_at = ?1, destroyed_at = ?1 WHERE uuid = ?2",
	[ADDON_REMOVE] = "DELETE FROM addon WHERE uuid = ?"
		" AND state = 'provisioning'",
	[ADDON_BY_NAME] = "SELECT " ADDON_COLUMNS " WHERE app = ?1 AND"
		" destroyed_at IS NULL AND (name = ?2 OR uuid = ?2)",
	[ADDON_LIST] = "SELECT " ADDON_COLUMNS
		" WHERE app = ? AND destroyed_at IS NULL ORDER BY name",
	[ADDON_UNFINISHED] = "SELECT " ADDON_COLUMNS " WHERE state IN"
		" ('provisioning', 'deprovisioning') ORDER BY id",
	[INTENT_ADD] = "INSERT INTO intent (app, push, ref, old_id, new_id,"
		" user, slug, build, reflog_size, lease, created_at) VALUES"
		" (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INTENT_OF] = "SELECT " INTENT_COLUMNS " WHERE app = ?",
	[INTENT_LIST] = "SELECT " INTENT_COLUMNS " ORDER BY app",
	[INTENT_DROP] = "DELETE FROM intent WHERE push = ?",
	[FORMATION_OF] = "SELECT quantity FROM formation"
		" WHERE app = ? AND type = ?",
	[AUDIT_ADD] = "INSERT INTO audit (at, app, user, event, detail)"
		" VALUES (?, ?, ?, ?, ?)",
	[BACKUP] = "VACUUM INTO ?",
	[CHECK] =
		"SELECT 'app ' || a.name || ': has no release' FROM app a"
		" WHERE NOT EXISTS (SELECT 1 FROM release WHERE app = a.id)"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': releases are not 1 to N' FROM"
		" (SELECT app, count(*) n, min(version) lo, max(version) hi"
		"  FROM release GROUP BY app) JOIN app a ON a.id = app"
		" WHERE lo <> 1 OR hi <> n"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': v1 is not its initial release'"
		" FROM release r JOIN app a ON a.id = r.app"
		" WHERE (r.version = 1) <> (r.kind = 'initial')"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': deploy v' || r.version ||"
		" ' has no slug' FROM release r JOIN app a ON a.id = r.app"
		" WHERE r.kind = 'deploy' AND r.slug IS NULL"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': v' || r.version || ' has the"
		" slug of another app' FROM release r JOIN app a ON a.id ="
		" r.app JOIN slug s ON s.uuid = r.slug WHERE s.app <> r.app"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': rollback v' || r.version ||"
		" ' has no older target' FROM release r JOIN app a ON"
		" a.id = r.app WHERE (r.kind = 'rollback') <>"
		" (r.target BETWEEN 1 AND r.version - 1)"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': rollback v' || r.version ||"
		" ' has nothing of its target v' || t.version FROM release r"
		" JOIN app a ON a.id = r.app JOIN release t ON t.app = r.app"
		" AND t.version = r.target WHERE r.slug IS NOT t.slug AND"
		" r.config_set <> t.config_set"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': v' || r.version || ' has the"
		" config or add-ons of another app' FROM release r"
		" JOIN app a ON a.id = r.app"
		" JOIN config_set c ON c.id = r.config_set"
		" JOIN addon_set d ON d.id = r.addon_set"
		" WHERE c.app <> r.app OR d.app <> r.app"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': v' || r.version ||"
		" ' has status ' || r.status FROM release r"
		" JOIN app a ON a.id = r.app WHERE r.status NOT BETWEEN 0 AND 3"
		" UNION ALL"
		" SELECT 'config set ' || id || ': is not JSON' FROM config_set"
		" WHERE NOT json_valid(body)"
		" UNION ALL"
		" SELECT 'add-on set ' || id || ': is not JSON' FROM addon_set"
		" WHERE NOT json_valid(body)"
		" UNION ALL"
		" SELECT 'slug ' || uuid || ': its process types are not JSON'"
		" FROM slug WHERE NOT json_valid(process_types)"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': an intent and a release stand"
		" for one push' FROM intent i JOIN app a ON a.id = i.app"
		" JOIN release r ON r.push = i.push"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': its add-ons are not those of"
		" its newest release' FROM app a WHERE"
		" (SELECT group_concat(uuid) FROM (SELECT uuid FROM addon"
		"  WHERE app = a.id AND destroyed_at IS NULL AND"
		"  state <> 'provisioning' ORDER BY uuid))"
		" IS NOT (SELECT group_concat(id) FROM (SELECT"
		"  json_extract(e.value, '$.id') id FROM release r JOIN"
		"  addon_set d ON d.id = r.addon_set, json_each(CASE WHEN"
		"  json_valid(d.body) THEN d.body ELSE '[]' END) e"
		"  WHERE r.app = a.id AND r.version = (SELECT max(version)"
		"  FROM release WHERE app = a.id) ORDER BY id))",
	[CHECK_INTEGRITY] = "PRAGMA integrity_check",
	[CHECK_FOREIGN] = "SELECT 'table ' || \"table\" || ': row ' ||"
		" ifnull(rowid, '?') || ' points to nothing'"
		" FROM pragma_foreign_key_check",
	[SLUGS_NEEDED] = "SELECT DISTINCT slug FROM release"
		" WHERE slug IS NOT NULL AND status <> 3",
};
/* clang-format on */

struct sqlite {
	struct backend base;
	sqlite3 *db;
	sqlite3_stmt *prepared[NR_STATEMENTS];
};

static struct sqlite *sqlite_of(struct backend *b)
{
	return (struct sqlite *)b;
}

static int fail(struct sqlite *q)
{
	int code = sqlite3_errcode(q->db) & 0xff;

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

	if (!st && sqlite3_prepare_v3(q->db, statements[nr], -1,
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
	return s;
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

static int q_app_list(struct backend *b, backend_row_fn fn, void *ctx)
{
	return each(sqlite_of(b), bind(sqlite_of(b), APP_LIST, ""), app_row, fn,
		    ctx);
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

static int q_slug_drop_unused(struct backend *b, const char *uuid)
{
	return DO(sqlite_of(b), SLUG_DROP_UNUSED, "s", uuid);
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
	return DO(sqlite_of(b), INTENT_ADD, "isssssssisi", i->app, i->push,
		  i->ref, i->old, i->new, i->user, i->slug, i->build,
		  i->reflog_size, i->lease, i->created_at);
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
		       int64_t *quantity)
{
	struct sqlite *q = sqlite_of(b);
	sqlite3_stmt *st = bind(q, FORMATION_OF, "is", app, type);
	int rc = step(q, st);

	if (rc < 0)
		return rc;
	if (!rc)
		return ERR_NOTFOUND;
	*quantity = INT(st, 0);
	sqlite3_reset(st);
	return 0;
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
	.app_list = q_app_list,
	.port_taken = q_port_taken,
	.release_add = q_release_add,
	.release_by_version = q_release_by_version,
	.release_by_uuid = q_release_by_uuid,
	.release_by_push = q_release_by_push,
	.release_last = q_release_last,
	.release_current = q_release_current,
	.release_last_good = q_release_last_good,
	.release_list = q_release_list,
	.release_pending = q_release_pending,
	.release_status = q_release_status,
	.slug_add = q_slug_add,
	.slug_by_uuid = q_slug_by_uuid,
	.slug_drop_unused = q_slug_drop_unused,
	.build_add = q_build_add,
	.build_released = q_build_released,
	.build_by_uuid = q_build_by_uuid,
	.build_list = q_build_list,
	.addon_add = q_addon_add,
	.addon_state = q_addon_state,
	.addon_update = q_addon_update,
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

	if (!rc && version > NR_MIGRATIONS)
		return err_set(ERR_FAILED,
			       "ledger: it is of version %d, from a newer "
			       "slugd; this one knows up to %d",
			       version, NR_MIGRATIONS);
	for (; !rc && version < NR_MIGRATIONS; version++) {
		sql = xasprintf("BEGIN IMMEDIATE; %s"
				"PRAGMA user_version = %d; COMMIT",
				migrations[version], version + 1);
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
