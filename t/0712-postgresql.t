#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/addons/postgresql, with a real PostgreSQL of the test's own.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

bin=$(find /usr/lib/postgresql/*/bin /usr/local/bin /usr/bin -maxdepth 1 \
	-name initdb 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || skip_all 'PostgreSQL is not installed'
command -v psql >/dev/null || skip_all 'psql is not installed'
bin=${bin%/initdb}

# PostgreSQL does not run as root.
as=
if [ "$(id -u)" -eq 0 ]; then
	id postgres >/dev/null 2>&1 || skip_all 'there is no user postgres'
	as='setpriv --reuid=postgres --regid=postgres --clear-groups'
	chmod 711 "$scratch"
fi

# --- a server: its superuser is "super", by a password ---

pick_ports
pg=$scratch/pg
mkdir "$pg"
[ -z "$as" ] || chown postgres "$pg"
printf 'sesame\n' >pw
chmod 644 pw
cd "$pg" || exit 1
# shellcheck disable=SC2086 # words
$as "$bin/initdb" -D "$pg/data" -U super -A scram-sha-256 \
	--pwfile="$scratch/pw" -N -E UTF8 --no-locale >"$scratch/pg.log" 2>&1 ||
	skip_all "initdb: $(tail -n 1 "$scratch/pg.log")"
# shellcheck disable=SC2086 # words
$as "$bin/postgres" -D "$pg/data" -p "$last_port" -k "$pg" -F \
	-c listen_addresses=127.0.0.1 >>"$scratch/pg.log" 2>&1 &
server=$!
cd "$scratch" || exit 1
# shellcheck disable=SC2317 # trap calls it
end_server() {
	kill -QUIT "$server" 2>/dev/null
	wait "$server"
}
trap 'end_server; end_test' EXIT

# super SQL: as the superuser, unaligned
super() {
	PGPASSWORD=sesame psql -X -q -w -At -h 127.0.0.1 -p "$last_port" \
		-U super -d postgres -c "$1" 2>&1
}

within 30 super 'SELECT 1' || {
	diag "$(cat pg.log)"
	exit 1
}

make_dir '[addon postgresql]' 'plans = mini:5, 50:50' \
	"provider = exec:$(cd "$t/.." && pwd)/contrib/addons/postgresql" \
	'config.CONNECTIONS = 7' "config.PGPORT = $last_port"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1

# --- how it reaches the server ---

create postgresql
is "$code" 503 'without admin.env it is nobody to this server'
like "$(message)" 'The provider of postgresql failed: it exited with 1: ' \
	'and says so'
state=$dir/addons/postgresql
printf '# the admin\nPGHOST=%s\nPGPORT=%s\nPGUSER=super\nPGPASSWORD=sesame\n' \
	"$pg" "$last_port" >"$state/admin.env"
chmod 644 "$state/admin.env"
create postgresql
is "$(message | sed 's/^What was half made before could not be destroyed: //')" \
	"The provider of postgresql failed: it exited with 1: $state/admin.env: others may read it; chmod 600 it" \
	'admin.env that everybody can read is refused'
chmod 600 "$state/admin.env"

# --- by slugd ---

create postgresql
is "$code:$(newest)" '201:v2 Add-on add postgresql:mini' 'create'
first=$(var DATABASE_URL)
id=$(printf '%s' "$body" | perl -MJSON::PP -e 'local $/;
	print decode_json(<STDIN>)->{id}')
name=addon_$(printf '%s' "$id" | tr -d -)
like "$first" "^postgres://$name:[0-9a-f]{32}@127.0.0.1:$last_port/$name\$" \
	'its URL'
is "$(var PGPASSWORD)/$(var PGPORT)" '(none)/(none)' \
	'of how to be the admin the app sees nothing'

# sql URL STATEMENT
sql() {
	psql -X -q -w -At "$1" -c "$2" 2>&1
}

is "$(sql "$first" "CREATE TABLE t (a text); INSERT INTO t VALUES ('hello');
	SELECT a FROM t")" hello 'the app can use it'
is "$(super "SELECT rolconnlimit, rolsuper, rolcreatedb, rolcreaterole
	FROM pg_roles WHERE rolname = '$name'")" '7|f|f|f' \
	'its role has the limit of slugd.ini, and no other rights'
unlike "$(cat slugd.log)" 'sesame' 'no password is in the log'

git -C work push -q heroku master 2>/dev/null
slugctl -d "$dir" init other >/dev/null
api POST /apps/other/addons -H 'Content-Type: application/json' \
	-d '{"plan": "postgresql"}' >/dev/null
other=$(api GET /apps/other/config-vars | perl -MJSON::PP -e 'local $/;
	print decode_json(<STDIN>)->{DATABASE_URL}')
is "$(sql "$other" 'SELECT 1')" 1 'another app has a database of its own'
like "$(sql "${other%/*}/$name" 'SELECT 1')" 'permission denied' \
	'and cannot look into this one'

change postgresql 50
is "$code:$(var DATABASE_URL)" "200:$first" 'upgrade: the URL stays'
is "$(super "SELECT rolconnlimit FROM pg_roles WHERE rolname = '$name'")" 50 \
	'there are more connections'
rotate postgresql
is "$code:$(newest)" '200:v5 Add-on rotate postgresql:50' 'rotate'
second=$(var DATABASE_URL)
is "$(sql "$second" 'SELECT a FROM t')" hello 'with another password'
like "$(sql "$first" 'SELECT 1')" 'password authentication failed' \
	'the old one is none any more'

# A crash after the server took a password that the ledger has not.
stop_slugd
SLUGD_ADDON_DIR=$state
call postgresql rotate "$id" postgresql:50 "{\"DATABASE_URL\": \"$second\"}" \
	"{\"PGPORT\": \"$last_port\"}"
is "$status:$err" 0: 'a rotation that slugd does not get to see'
like "$(sql "$second" 'SELECT 1')" 'password authentication failed' \
	'the app has no good password then'
start_slugd
# shellcheck disable=SC2317 # within calls it
answers() {
	[ "$(sql "$second" 'SELECT a FROM t')" = hello ]
}
ok "$(within 20 answers; echo $?)" 'slugd has the server take it back'

# A session that is open is no reason not to go.
sql "$second" 'SELECT pg_sleep(100)' >sleeper 2>&1 &
sleeper=$!
within 10 sh -c "PGPASSWORD=sesame psql -X -q -w -At -h 127.0.0.1 \
	-p $last_port -U super -d postgres -c \"SELECT 'busy' FROM
	pg_stat_activity WHERE query LIKE '%pg_sleep(100)' AND usename = '$name'\" |
	grep -q busy"
destroy postgresql
is "$code:$(newest)" '200:v6 Add-on remove postgresql:50' 'destroy'
wait "$sleeper"
is "$(super "SELECT datname FROM pg_database WHERE datname = '$name'
	UNION SELECT rolname FROM pg_roles WHERE rolname = '$name'")" '' \
	'the database is gone, and the role'
is "$(sql "$other" 'SELECT 1')" 1 'no other is'
stop_slugd

# --- by itself ---

one=00000000-0000-4000-8000-000000000001
defaults="{\"PGPORT\": \"$last_port\"}"
call postgresql create $one postgresql:mini '{}' "$defaults"
sql "$(given DATABASE_URL)" 'CREATE TABLE t (a text)' >/dev/null
call postgresql create $one postgresql:mini '{}' "$defaults"
is "$status:$(sql "$(given DATABASE_URL)" 'SELECT count(*) FROM t')" 0:0 \
	'create, again: the same database'
call postgresql destroy $one postgresql:mini '{}' "$defaults"
is "$status" 0 'destroy'
call postgresql destroy $one postgresql:mini '{}' "$defaults"
is "$status" 0 'destroy, again, is no mistake'
call postgresql rotate $one postgresql:mini '{}' "$defaults"
is "$status" 1 'rotate of what is not there: exit 1'
like "$err" 'role "addon_0.*" does not exist' 'and says so'
call postgresql create "x'; DROP ROLE super; --" postgresql:mini '{}' \
	"$defaults"
is "$status:$err" "1:the add-on's id is no uuid" 'no id is SQL'
echo nonsense >>"$state/admin.env"
call postgresql create $one postgresql:mini '{}' "$defaults"
is "$status:$err" "1:$state/admin.env: line 6: expected PGxxx=VALUE" \
	'a mistake in admin.env is told with its line'
sed '/nonsense/d' "$state/admin.env" >admin.new &&
	sed 's/^PGHOST=.*/PGHOST=\/nowhere/' admin.new >"$state/admin.env"
call postgresql create $one postgresql:mini '{}' "$defaults"
is "$status" 1 'a server that does not answer: exit 1'
like "$err" '/nowhere' 'and says which'

# An admin that is no superuser.
super "CREATE ROLE manager LOGIN CREATEDB CREATEROLE PASSWORD 'xyzzy'"
printf 'PGHOST=127.0.0.1\nPGPORT=%s\nPGUSER=manager\nPGPASSWORD=xyzzy\n' \
	"$last_port" >"$state/admin.env"
call postgresql create $one postgresql:mini '{}' "$defaults"
is "$status:$err" 0: 'who may create roles and databases is admin enough'
is "$(sql "$(given DATABASE_URL)" 'CREATE TABLE t (a text);
	SELECT count(*) FROM t')" 0 'for a database that works'
call postgresql rotate $one postgresql:mini '{}' "$defaults"
is "$status" 0 'for rotate'
call postgresql destroy $one postgresql:mini '{}' "$defaults"
is "$status" 0 'and for destroy'

finish
