#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd at the limit of threads: what it is asked for is refused in words,
# what it owes is done, and it goes on.
# shellcheck disable=SC2154 # out, err and status are run's
# shellcheck disable=SC2086 # $us is several words, or none
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

command -v prlimit >/dev/null || skip_all 'no prlimit'

# The limit is none for root: slugd is of somebody else's then.
us=
make_dir
mkdir w
export XDG_CONFIG_HOME="$scratch/w"
if [ "$(id -u)" -eq 0 ]; then
	us='setpriv --reuid=6520 --regid=6520 --clear-groups'
	chmod 711 "$scratch"
	chown -R 6520:6520 "$dir" w
fi
start_as_us() {
	$us slugd -d "$dir" 2>>"$scratch/slugd.log" &
	slugd_pid=$!
	within 20 api GET / >/dev/null
}

# limit N: slugd has no more than N threads, with all else of its user.
limit() {
	$us prlimit --pid "$slugd_pid" --nproc="$1:"
}

push() {
	echo "$1" >w/tree/file
	$us git -C w/tree add . && $us git -C w/tree commit -qm "$1" &&
		run $us git -C w/tree push heroku master
}

start_as_us || exit 1
repo=$($us slugctl -d "$dir" init myapp)
$us git init -q -b master w/tree
$us git -C w/tree remote add heroku "$repo"
chmod 777 w/tree
push one
is "$status" 0 'without a limit a push goes through'

many=$($us prlimit --pid "$slugd_pid" --nproc --noheadings -o HARD)
limit 1 || exit 1
code() {
	method=$1
	shift
	path=$1
	shift
	api "$method" "$path" -m 20 -o "$scratch/answer" -w '%{http_code}' "$@"
}
is "$(code GET /apps/myapp)" 200 'at the limit slugd shows what it has'
is "$(code GET /apps/myapp/dynos)" 503 'what needs a thread is refused'
like "$(cat answer)" 'slugd cannot start a thread: .*limit of processes' \
	'in words'
is "$(code POST /apps/myapp/builds -H 'Content-Type: application/json' \
	-d '{"source_blob": {"version": "master"}}')" 503 'a build, too'
is "$(code PATCH /apps/myapp/config-vars -d '{"A": "1"}')" 200 \
	'the ledger is written'
push two
is "$status" 1 'a push is refused'
like "$err" '^remote:  !     slugd cannot start a thread: ' 'in words'
is "$($us git -C "$repo" log -1 --format=%s master)" one 'and moves nothing'
is "$(kill -0 "$slugd_pid" 2>&1; echo $?)" 0 'slugd goes on'
run api POST /apps/myapp/log-sessions -d '{"tail": true}'
url=$(echo "$out" | grep -o '"logplex_url":[ ]*"[^"]*"' | cut -d'"' -f4)
is "$(code GET "${url#http://slugd}")" 503 'who wants to see logs is told'

limit "$many"
push three
is "$status" 0 'once there are threads again, a push goes through'
kill "$slugd_pid"
wait "$slugd_pid"
is "$?" 0 'and slugd ends as ever'
slugd_pid=

# --- at the start ---
run timeout 20 $us prlimit --nproc=1: slugd -d "$dir"
is "$status" 1 'slugd that cannot have the threads it must have does not start'
like "$err" 'slugd cannot start a thread: ' 'and says so'
finish
