#!/bin/sh
# SPDX-License-Identifier: ISC
# What slugd cannot find out is no answer: a push whose git-receive-pack it
# cannot look at, or whose rows it cannot read, is settled later. And what a
# reflog lost in a power cut says nothing.
# shellcheck disable=SC2317 # some are called by within
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
own_exec_path
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
git push -q heroku master 2>/dev/null
log=$repo/logs/refs/heads/master

# The push waits: before its ref moves, or after that. $receive is its
# git-receive-pack, $pusher its git push.
hold_ref() {
	commit "$2"
	hold_push "$1"
}

hold_push() {
	hold pre-receive
	hold reference-transaction "$1"
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	held pre-receive || diag 'no pre-receive'
	receive=$parent
	let_go pre-receive
	held reference-transaction || diag 'no reference-transaction'
	version=$(newest version)
}

ended() {
	wait "$pusher" 2>/dev/null
	status=$?
}

is_released() {
	[ "$(newest version) $(newest commit)" = "$1 $2" ]
}

is_dropped() {
	! slugctl -d "$dir" fsck 2>&1 | grep -q intent &&
		[ "$(intents)" = 0 ]
}

intents() {
	sqlite3 "$dir/ledger.db" 'SELECT count(*) FROM intent'
}

# start_failing INJECTION...: as start_slugd, by strace.
start_failing() {
	strace -D -f -qq -o /dev/null "$@" \
		slugd -d "$dir" 2>>"$scratch/slugd.log" &
	slugd_pid=$!
	within 20 api GET /
}

# unknown WHAT PATH INJECTION: slugd starts during a push, and a call that
# looks at its git-receive-pack (PID in the path) fails once.
unknown() {
	what=$1
	hold_ref prepared "$what"
	stop_slugd KILL
	start_failing -e inject="$3" -P "$(echo "$2" | sed "s/PID/$receive/")" ||
		diag 'slugd does not start'
	is "$(intents)" 1 "$what: the push is not given up"
	let_go reference-transaction
	ended
	is "$status" 0 'it goes on'
	within 20 is_released $((version + 1)) "$(git rev-parse HEAD)"
	ok $? 'and has its release'
	stop_slugd
	start_slugd
}

if strace -f -o /dev/null true 2>/dev/null; then
	# The first look is the one for who works in the repository.
	unknown 'no descriptor for the process' /proc/PID/stat \
		openat:error=EMFILE:when=2
	unknown 'no memory to read of the process' /proc/PID/stat \
		read:error=ENOMEM:when=2
	unknown 'no descriptor for the id of the boot' \
		/proc/sys/kernel/random/boot_id openat:error=ENFILE:when=1
else
	skip 9 'strace cannot trace here'
fi

# --- the ledger cannot say whose the push is

hold_ref committed 'no such row'
stop_slugd KILL
let_go reference-transaction
ended
sqlite3 "$dir/ledger.db" 'UPDATE app SET id = -id'
start_slugd || exit 1
within 10 grep -q 'cannot be taken up yet' "$scratch/slugd.log"
ok $? 'an intent that cannot be taken up is told of'
sqlite3 "$dir/ledger.db" 'UPDATE app SET id = -id'
within 20 is_released $((version + 1)) "$(git rev-parse HEAD)"
ok $? 'and taken up later, without a start'
stop_slugd
start_slugd || exit 1

# --- a reflog that was longer

commit 'there and back'
git push -q heroku master 2>/dev/null
git push -qf heroku HEAD~1:master 2>/dev/null
hold_push prepared
stop_slugd KILL
kill -KILL "$receive"
let_go reference-transaction
ended
like "$(tail -n 2 "$log" | head -n 1)" \
	"^$(git rev-parse HEAD~1) $(git rev-parse HEAD) " \
	'the ref made the same move before'
truncate -s -2 "$log"
start_slugd || exit 1
within 20 is_dropped
is "$(newest version) $(at)" "$version $(git rev-parse HEAD~1)" \
	'a reflog that a power cut shortened: it did not move now'
run git push heroku master
is "$status" 0 'the next push works'

hold_ref committed 'moved on'
stop_slugd KILL
let_go reference-transaction
ended
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref \
	refs/heads/master HEAD~1
sed -i 1,3d "$log"
start_slugd || exit 1
within 20 is_released $((version + 1)) "$(git rev-parse HEAD)"
ok $? 'a reflog that was rewritten: the ref moved, and moved on'
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref \
	refs/heads/master "$(git rev-parse HEAD)"

is_sound 'after all this'
finish
