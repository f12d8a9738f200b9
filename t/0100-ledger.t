#!/bin/sh
# SPDX-License-Identifier: ISC
# The ledger's file: what cannot be done to it by hand, what slugctl fsck
# finds in one that was damaged, and what survives kill -9. Its rules are
# tested by t/unit/test-ledger.c.

# shellcheck disable=SC2317 # within calls the functions
# shellcheck disable=SC2119 # the functions take more, where it is given

. "$(dirname "$0")/lib/test.sh"

command -v sqlite3 >/dev/null || skip_all 'sqlite3 not found'

make_dir
start_slugd || exit 1
make_app
db=$dir/ledger.db

change() {
	body=$1
	shift
	api PATCH /apps/myapp/config-vars -d "$body" -o /dev/null "$@"
}

change '{"A": "1"}'                                             # v2
api POST /apps/myapp/addons -d '{"plan": "memcachier"}' -o /dev/null # v3
git -C work push -q heroku master 2>/dev/null                   # v4
echo more >>work/index.html
git -C work commit -q -a -m more
git -C work push -q heroku master 2>/dev/null                   # v5
api POST /apps/myapp/releases -d '{"release": "v4"}' -o /dev/null # v6
change '{"B": "2"}'                                             # v7
is "$(sqlite3 "$db" 'SELECT group_concat(kind) FROM release')" \
	initial,config,addon,deploy,deploy,rollback,config 'a history'

# --- what is on ---

is "$(sqlite3 "$db" 'PRAGMA journal_mode')" wal 'the ledger is in WAL mode'
is "$(sqlite3 "$db" 'PRAGMA user_version')" 7 'and has a version'

# --- slugctl fsck ---

run slugctl -d "$dir" fsck
is "$status $out" '0 ledger ok: 1 app, 7 releases, 2 slugs' \
	'fsck of a running slugd'
stop_slugd
run slugctl -d "$dir" fsck
is "$status $out" '0 ledger ok: 1 app, 7 releases, 2 slugs' 'and without one'

# --- a release is a fact ---

# refuses WORDS SQL
refuses() {
	run sqlite3 "$db" "$2"
	isnt "$status" 0 "refused: $2"
	like "$err" "$1" 'in words'
}

for column in version kind description user slug config_set addon_set \
	target push app uuid created_at; do
	refuses 'a release is not rewritten' \
		"UPDATE release SET $column = $column"
done
refuses 'a release is not deleted' 'DELETE FROM release WHERE version = 7'
refuses 'a release is not deleted' 'DELETE FROM release'
refuses 'a release is not rewritten' "UPDATE config_set SET body = '{}'"
refuses 'a release is not deleted' 'DELETE FROM config_set'
refuses 'a release is not rewritten' "UPDATE addon_set SET body = '[]'"
refuses 'a release is not deleted' 'DELETE FROM addon_set'
columns='uuid, app, version, kind, description, user, status, slug,
	config_set, addon_set, target, push, output, created_at, updated_at'
row="'x', 1, N, 'config', 'x', 'x', 1, NULL, 1, 1, 0, NULL, NULL, 1, 1"
for version in 7 9 0 -1; do
	refuses 'a release number was left out' "INSERT INTO release
		($columns) VALUES ($(echo "$row" | sed "s/N/$version/"))"
done

# --- what fsck finds ---

# A copy of the folder, whose ledger has no triggers.
spoil() {
	rm -rf copy
	cp -a "$dir" copy
	sqlite3 copy/ledger.db "SELECT 'DROP TRIGGER ' || name || ';'
		FROM sqlite_master WHERE type = 'trigger'" >drop.sql
	sqlite3 copy/ledger.db <drop.sql
}

# finds LINE SQL: fsck says the line, once, and fails.
finds() {
	spoil
	sqlite3 copy/ledger.db "$2" || diag 'the damage failed'
	run slugctl -d copy fsck
	is "$status" 1 "fsck fails: $2"
	like "$out" "^$1\$" "and says: $1"
	like "$err" "^ !    $(printf '%s\n' "$out" | wc -l) invariants? of the \
ledger (is|are) broken\$" 'and counts'
}

other="INSERT INTO app VALUES (2, 'o', 'other', '/r', 1, 0);
	INSERT INTO config_set VALUES (90, 2, '{}');
	INSERT INTO addon_set VALUES (90, 2, '[]');
	INSERT INTO release ($columns) VALUES
	('o', 2, 1, 'initial', 'x', 'x', 1, NULL, 90, 90, 0, NULL, NULL, 1, 1)"
spoil
sqlite3 copy/ledger.db "$other"
run slugctl -d copy fsck
is "$status $out" '0 ledger ok: 2 apps, 8 releases, 2 slugs' \
	'nothing is said of an app without a slug'

finds 'app myapp: releases are not 1 to N' \
	'DELETE FROM release WHERE version = 5'
finds 'app myapp: releases are not 1 to N' \
	'UPDATE release SET version = 8 WHERE version = 7'
finds 'app other: has no release' "$other; DELETE FROM release WHERE app = 2"
finds 'app myapp: v1 is not its initial release' \
	"UPDATE release SET kind = 'config' WHERE version = 1"
finds 'app myapp: v1 is not its initial release' \
	"UPDATE release SET kind = 'initial' WHERE version = 2"
finds 'app myapp: deploy v4 has no slug' \
	'UPDATE release SET slug = NULL WHERE version = 4'
finds 'app other: v1 has the slug of another app' \
	"$other; UPDATE release SET slug = (SELECT min(uuid) FROM slug)
	WHERE app = 2"
finds 'app other: v1 has the config or add-ons of another app' \
	"$other; UPDATE release SET config_set = 1 WHERE app = 2"
finds 'app other: v1 has the config or add-ons of another app' \
	"$other; UPDATE release SET addon_set = 1 WHERE app = 2"
finds 'app myapp: rollback v6 has no older target' \
	"UPDATE release SET target = 6 WHERE version = 6"
finds 'app myapp: rollback v7 has no older target' \
	"UPDATE release SET kind = 'rollback' WHERE version = 7"
finds 'app myapp: rollback v6 has nothing of its target v4' \
	"UPDATE release SET config_set = 1, slug = (SELECT slug FROM release
	WHERE version = 5) WHERE version = 6"
finds 'app myapp: v7 has status 9' \
	'UPDATE release SET status = 9 WHERE version = 7'
finds 'app myapp: an intent and a release stand for one push' \
	"INSERT INTO intent (app, push, ref, old_id, new_id, user, slug, build,
	reflog_size, lease, created_at) SELECT 1, push, 'r', 'o', 'n', 'u',
	slug, (SELECT min(uuid) FROM build), 0, '', 1 FROM release
	WHERE version = 4"
finds 'app myapp: its add-ons are not those of its newest release' \
	'DELETE FROM addon'
finds 'app myapp: its add-ons are not those of its newest release' \
	"UPDATE addon_set SET body = '[]'"
finds 'config set [0-9]*: is not JSON' \
	"UPDATE config_set SET body = '{' WHERE id = 2"
finds 'add-on set [0-9]*: is not JSON' \
	"UPDATE addon_set SET body = 'x' WHERE id = 2"
finds 'slug [0-9a-f-]*: its process types are not JSON' \
	"UPDATE slug SET process_types = ''"
finds 'table release: row [0-9]* points to nothing' \
	"DELETE FROM slug"
finds 'table release: row [0-9]* points to nothing' \
	'DELETE FROM config_set WHERE id = 1'
finds 'row 1 missing from index i' "PRAGMA writable_schema = ON;
	CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE a > 1;
	INSERT INTO t VALUES (1);
	UPDATE sqlite_master SET sql = 'CREATE INDEX i ON t (a)'
	WHERE name = 'i'"
spoil
rm copy/slugs/*
run slugctl -d copy fsck --dry-run
is "$status $(printf '%s\n' "$out" |
	sed 's/[0-9a-f-]\{36\}/X/; s/ v.*/ ../' | uniq)" \
	'1 slug X of myapp ..' 'slugs that are gone'
rm copy/ledger.db*
run slugctl -d copy fsck
is "$status" 1 'and a ledger that is'
like "$err" '^ !    .*/ledger\.db: No such file' 'by name'

# --- ledgers that slugd does not open ---

# refused WORDS: slugd and fsck on the copy.
refused() {
	run slugd -d copy
	is "$status" 1 'slugd does not start'
	like "$err" "^ !    .*/ledger\\.db: ledger: $1" "and says: $1"
	run slugctl -d copy fsck
	is "$status" 1 'nor does fsck go on'
	like "$err" "^ !    .*/ledger\\.db: ledger: $1" 'with the same words'
}

spoil
sqlite3 copy/ledger.db 'PRAGMA user_version = 99'
refused 'it is of version 99, from a newer slugd; this one knows up to 7'
is "$(sqlite3 copy/ledger.db 'SELECT count(*) FROM release')" 7 \
	'what is from a newer slugd stays as it is'
spoil
sqlite3 copy/ledger.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
printf 'This is not a ledger, and it is longer than a header would be,
which has a hundred bytes.\n' >copy/ledger.db
rm -f copy/ledger.db-*
refused 'file is not a database'
spoil
sqlite3 copy/ledger.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
rm -f copy/ledger.db-*
perl -e 'open my $f, "+<", shift; seek $f, 100, 0; print $f "\377" x 4000' \
	copy/ledger.db
refused '.*malformed'

# --- synchronous=FULL: each release waits for the disk ---

if strace -o /dev/null true 2>/dev/null; then
	ASAN_OPTIONS=detect_leaks=0 strace -f -y -e trace=fdatasync,fsync \
		-o trace slugd -d "$dir" 2>>slugd.log &
	within 20 api GET /
	change '{"C": "0"}' # with the beginning of the log
	before=$(grep -c 'sync(.*/ledger\.db-wal>' trace)
	change '{"C": "1"}'
	change '{"C": "2"}'
	change '{"C": "3"}'
	after=$(grep -c 'sync(.*/ledger\.db-wal>' trace)
	is $((after - before)) 3 'three releases are three flushes of the log'
	slugctl -d "$dir" stop >/dev/null
	wait
else
	skip 1 'strace cannot trace here'
fi

# --- kill -9 of slugd, with four clients that write ---

# acknowledged NR: write until slugd is gone; what it said into said.NR.
acknowledged() {
	i=0
	while change "{\"K$1\": \"$i $round\"}" -D "said.$1.next"; do
		i=$((i + 1))
		sed -n 's/^Slugd-Release: //p' "said.$1.next" >>"said.$1"
	done 2>/dev/null
}

a_release_or_two() {
	[ "$(cat said.? 2>/dev/null | wc -l)" -ge "$1" ]
}

for round in 1 2 3 4 5; do
	rm -f said.*
	start_slugd || exit 1
	clients=
	for nr in 1 2 3 4; do
		acknowledged $nr &
		clients="$clients $!"
	done
	within 20 a_release_or_two $((round * 7))
	stop_slugd KILL
	# shellcheck disable=SC2086 # words
	wait $clients
	run slugctl -d "$dir" fsck
	is "$status" 0 "round $round: the ledger is sound"
	last=$(sqlite3 "$db" 'SELECT max(version) FROM release')
	said=$(cat said.? | tr -d '\r' | sort -n | tail -n 1)
	[ "$said" -le "$last" ]
	ok $? "what slugd had said to be v$said is there"
	is "$(cat said.? | sort | uniq -d)" '' 'no number was given twice'
done

finish
