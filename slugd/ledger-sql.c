/* SPDX-License-Identifier: ISC */
#include "ledger-sql.h"

/*
 * The schema, one entry a version: opening runs what a ledger lacks. An
 * entry that was released is never edited; a change is a new entry.
 */
const char *const sql_migrations[] = {
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
	" target, push, build, output, created_at ON release"
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

	"CREATE TABLE pin ("
	" app INTEGER NOT NULL, version INTEGER NOT NULL,"
	" user TEXT NOT NULL, created_at INTEGER NOT NULL,"
	" PRIMARY KEY (app, version),"
	" FOREIGN KEY (app, version) REFERENCES release(app, version))"
	" STRICT;"
	"CREATE INDEX slug_there ON slug(app) WHERE deleted_at IS NULL;",

	"ALTER TABLE app ADD COLUMN maintenance INTEGER NOT NULL DEFAULT 0;",

	"ALTER TABLE formation ADD COLUMN updated_at INTEGER NOT NULL"
	" DEFAULT 0;",

	"ALTER TABLE intent ADD COLUMN reflog_last TEXT;",

	"ALTER TABLE addon ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;",
};

const int sql_nr_migrations =
	sizeof(sql_migrations) / sizeof(sql_migrations[0]);

#define APP_COLUMNS                                                            \
 "a.id, a.uuid, a.name, a.repo, ifnull(p.port, 0), a.created_at,"              \
 " a.maintenance"                                                              \
 " FROM app a LEFT JOIN port p ON p.app = a.id"
#define RELEASE_COLUMNS                                                        \
 "r.id, r.app, r.uuid, r.version, r.kind, r.description, r.user,"              \
 " CASE WHEN r.status = 1 AND s.deleted_at IS NOT NULL THEN 3"                 \
 "  ELSE r.status END, r.slug, s.commit_id, c.body, d.body, r.config_set,"     \
 " r.addon_set, r.build, r.target, r.output, r.created_at, r.updated_at,"      \
 " r.version = (SELECT version FROM release WHERE app = r.app AND"             \
 "  status = 1 ORDER BY version DESC LIMIT 1),"                                \
 " EXISTS (SELECT 1 FROM pin WHERE app = r.app AND version = r.version)"       \
 " FROM release r JOIN config_set c ON c.id = r.config_set"                    \
 " JOIN addon_set d ON d.id = r.addon_set"                                     \
 " LEFT JOIN slug s ON s.uuid = r.slug"
/* An intent, a pending or a pinned release has slug s. */
#define SLUG_HELD                                                              \
 "(EXISTS (SELECT 1 FROM intent WHERE slug = s.uuid) OR"                       \
 " EXISTS (SELECT 1 FROM release r WHERE r.slug = s.uuid AND"                  \
 "  (r.status = 0 OR EXISTS (SELECT 1 FROM pin"                                \
 "  WHERE app = r.app AND version = r.version))))"
#define BUILD_COLUMNS                                                          \
 "uuid, app, commit_id, ref, user, status, slug, release,"                     \
 " created_at, updated_at FROM build"
#define ADDON_COLUMNS                                                          \
 "uuid, app, service, plan, name, price, state, user, config, created_at,"     \
 " updated_at, gone FROM addon"
#define INTENT_COLUMNS                                                         \
 "app, push, ref, old_id, new_id, user, slug, build, reflog_size,"             \
 " lease, created_at, reflog_last FROM intent"

/* clang-format off */
const char *const sql_statements[NR_STATEMENTS] = {
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
	[APP_MOVE] = "UPDATE app SET repo = ? WHERE id = ?",
	[LAST_PUSHED] = "SELECT b.ref, b.commit_id FROM release r"
			" JOIN build b ON b.uuid = r.build"
			" WHERE r.app = ? AND r.push IS NOT NULL"
			" ORDER BY r.version DESC LIMIT 1",
	[APP_MAINTENANCE] = "UPDATE app SET maintenance = ? WHERE id = ?",
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
	/* The line of history turns at a rollback, good or not. */
	[RELEASE_OTHER] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ?1 AND r.version ="
		" (SELECT version FROM release o WHERE app = ?1 AND"
		"  version <= ?2 AND ((target AND status <> 2) OR"
		"  (status = 1 AND addon_set <> ?7 AND"
		"   EXISTS (SELECT 1 FROM slug WHERE uuid = o.slug AND"
		"    deleted_at IS NULL AND ((?3 AND commit_id IS NOT ?4) OR"
		"    (?5 AND config_set <> ?6)))))"
		" ORDER BY version DESC LIMIT 1)",
	[RELEASE_LIST_UP] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.version BETWEEN ? AND ?"
		" ORDER BY r.version LIMIT ?",
	[RELEASE_LIST_DOWN] = "SELECT " RELEASE_COLUMNS
		" WHERE r.app = ? AND r.version BETWEEN ? AND ?"
		" ORDER BY r.version DESC LIMIT ?",
	[RELEASE_PENDING_LIST] = "SELECT " RELEASE_COLUMNS
		" WHERE r.status = 0 ORDER BY r.id",
	[RELEASE_STATUS] = "UPDATE release SET status = ?, updated_at = ?"
		" WHERE id = ? AND status = 0",
	[PIN_ADD] = "INSERT OR IGNORE INTO pin (app, version, user,"
		" created_at) VALUES (?, ?, ?, ?)",
	[PIN_REMOVE] = "DELETE FROM pin WHERE app = ? AND version = ?",
	[SLUG_ADD] = "INSERT INTO slug (uuid, app, commit_id,"
		" commit_description, size, tree_size, process_types,"
		" created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SLUG_BY_UUID] = "SELECT uuid, app, commit_id, commit_description,"
		" size, tree_size, process_types, created_at, checksum"
		" FROM slug WHERE uuid = ?",
	[SLUG_CHECKSUM] = "UPDATE slug SET checksum = ? WHERE uuid = ?",
	[SLUG_DROP_UNUSED] = "DELETE FROM slug WHERE uuid = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM release WHERE slug = ?1)",
	[SLUG_LIST] = "SELECT s.uuid, s.size, " SLUG_HELD ","
		" (SELECT max(version) FROM release"
		"  WHERE slug = s.uuid AND status <> 2) good"
		" FROM slug s WHERE s.app = ? AND s.deleted_at IS NULL"
		" ORDER BY good DESC, s.id DESC",
	[SLUG_SIZES] = "SELECT uuid, size, 0 FROM slug"
		" WHERE app = ? AND deleted_at IS NULL",
	[SLUG_MAY_GO] = "SELECT count(*) FROM slug s WHERE s.app = ? AND"
		" s.uuid = ? AND s.deleted_at IS NULL AND NOT " SLUG_HELD,
	[SLUG_COUNT] = "SELECT count(*) FROM slug"
		" WHERE app = ? AND deleted_at IS NULL",
	[SLUG_EXPIRE] = "UPDATE slug SET deleted_at = ?"
		" WHERE uuid = ? AND deleted_at IS NULL",
	[SLUG_RELEASES] = "SELECT count(*) FROM release"
		" WHERE slug = ? AND status = 1",
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
	[ADDON_GONE] = "UPDATE addon SET gone = 1 WHERE uuid = ?",
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
		" user, slug, build, reflog_size, lease, created_at,"
		" reflog_last) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[INTENT_OF] = "SELECT " INTENT_COLUMNS " WHERE app = ?",
	[INTENT_LIST] = "SELECT " INTENT_COLUMNS " ORDER BY app",
	[INTENT_DROP] = "DELETE FROM intent WHERE push = ?",
	[FORMATION_OF] = "SELECT quantity, updated_at FROM formation"
		" WHERE app = ? AND type = ?",
	[FORMATION_SET] = "INSERT INTO formation (app, type, quantity, size,"
		" updated_at) VALUES (?, ?, ?, '1X', ?) ON CONFLICT (app, type)"
		" DO UPDATE SET quantity = excluded.quantity,"
		" updated_at = excluded.updated_at",
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
		" SELECT 'app ' || a.name || ': v' || r.version || ' is needed,"
		" and its slug was let go' FROM release r JOIN app a ON"
		" a.id = r.app JOIN slug s ON s.uuid = r.slug WHERE"
		" s.deleted_at IS NOT NULL AND (r.status = 0 OR r.version ="
		" (SELECT max(version) FROM release WHERE app = r.app AND"
		"  status = 1) OR EXISTS (SELECT 1 FROM pin WHERE app = r.app"
		"  AND version = r.version))"
		" UNION ALL"
		" SELECT 'app ' || a.name || ': an intent''s slug was let go'"
		" FROM intent i JOIN app a ON a.id = i.app"
		" JOIN slug s ON s.uuid = i.slug WHERE s.deleted_at IS NOT NULL"
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
	[SLUGS_NEEDED] = "SELECT uuid FROM slug WHERE deleted_at IS NULL",
};
/* clang-format on */
