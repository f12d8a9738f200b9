/* SPDX-License-Identifier: ISC */
#ifndef LEDGER_SQL_H
#define LEDGER_SQL_H

/*
 * All SQL of the SQLite back end, as constants: the schema, by versions,
 * and each statement that ledger-sqlite.c prepares. That file has the few
 * that open a ledger; no other has any.
 */

/* What brings a ledger of version i to version i + 1. */
extern const char *const sql_migrations[];
extern const int sql_nr_migrations;

/* clang-format off */
enum sql_statement {
	BEGIN, COMMIT, ROLLBACK,
	APP_ADD, PORT_ADD, APP_BY_NAME, APP_BY_ID, APP_BY_REPO, APP_LIST,
	PORT_TAKEN, APP_MAINTENANCE, APP_MOVE, LAST_PUSHED,
	CONFIG_SET_ADD, ADDON_SET_ADD, RELEASE_ADD, RELEASE_BY_VERSION,
	RELEASE_BY_UUID, RELEASE_BY_PUSH, RELEASE_LAST, RELEASE_CURRENT,
	RELEASE_LAST_GOOD, RELEASE_OTHER, RELEASE_LIST_UP, RELEASE_LIST_DOWN,
	RELEASE_PENDING_LIST, RELEASE_STATUS, PIN_ADD, PIN_REMOVE,
	SLUG_ADD, SLUG_BY_UUID, SLUG_DROP_UNUSED, SLUG_LIST, SLUG_COUNT,
	SLUG_SIZES, SLUG_MAY_GO, SLUG_EXPIRE, SLUG_RELEASES, SLUG_CHECKSUM,
	BUILD_ADD, BUILD_RELEASED, BUILD_BY_UUID, BUILD_LIST,
	ADDON_ADD, ADDON_STATE, ADDON_GONE, ADDON_UPDATE, ADDON_END, ADDON_REMOVE,
	ADDON_BY_NAME, ADDON_LIST, ADDON_UNFINISHED,
	INTENT_ADD, INTENT_OF, INTENT_LIST, INTENT_DROP,
	FORMATION_OF, FORMATION_SET, AUDIT_ADD,
	BACKUP, CHECK, CHECK_INTEGRITY, CHECK_FOREIGN, SLUGS_NEEDED,
	NR_STATEMENTS
};
/* clang-format on */

extern const char *const sql_statements[NR_STATEMENTS];

#endif
