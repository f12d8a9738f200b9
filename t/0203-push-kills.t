#!/bin/sh
# SPDX-License-Identifier: ISC
# Pushes during which somebody is killed at some moment: git push, its
# git-receive-pack, a hook, slugpack, slugd. Afterwards each ref that moved
# has exactly one release. SLUGD_TEST_KILLS says how many, SLUGD_TEST_SEED
# repeats a run's choices.
# shellcheck disable=SC2317 # some are called by within
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

# A search for leaks has a process of its own under the program's name: killed
# in the program's stead, it leaves that waiting for ever.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

kills=${SLUGD_TEST_KILLS:-60}
seed=${SLUGD_TEST_SEED:-$(date +%s)}
diag "SLUGD_TEST_KILLS=$kills SLUGD_TEST_SEED=$seed"
state=$((seed % 2147483647))
missed=0

# random N: $dice is 0 to N - 1 (the low bits are not random: left out).
random() {
	state=$(((state * 1103515245 + 12345) % 2147483648))
	dice=$((state / 65536 % $1))
}

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
run git push heroku master
is "$status" 0 'a first push'

# Milliseconds that a push takes here: the kills fall in that time.
start=$(date +%s%N)
commit 'to take the time'
git push -q heroku master 2>/dev/null
took=$((($(date +%s%N) - start) / 1000000))

# victim: the pid of whom the dice choose, if it is there. By the folder
# that it works in or the one that stands in its arguments: never another's.
victim() {
	case $1 in
	0) echo "$pusher" ;;
	1) pgrep -f "git.receive-pack .*$repo" | tail -n 1 ;;
	2) in_repo '-receive$|^refe' ;;
	3) pgrep -f "slugpack .*$repo" | tail -n 1 ;;
	*) echo "$slugd_pid" ;;
	esac
}

in_repo() {
	for p in $(pgrep -- "$1"); do
		[ "$(readlink "/proc/$p/cwd")" != "$repo" ] || echo "$p"
	done | tail -n 1
}

# Each move of the ref, by the reflog of the repository. git writes the entry
# first: the move did not come about where the next one starts elsewhere.
moves() {
	awk -v tip="$(at)" 'NR > 1 && $1 == new { print new }
		{ new = $2 }
		END { if (new == tip) print new }' "$repo/logs/refs/heads/master"
}

# What the releases are of, oldest first, in full.
deploys() {
	releases myapp commit | grep -v none
}

# settled: nobody works in the repository, and no intent is open.
settled() {
	[ -z "$(in_repo .)" ] && [ "$(deploys)" = "$(moves)" ]
}

i=0
bad=0
blocked=0
while [ "$i" -lt "$kills" ]; do
	i=$((i + 1))
	commit "push $i"
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	random $((took * 11 / 10 + 1))
	sleep "$(printf '%d.%03d' $((dice / 1000)) $((dice % 1000)))"
	random 6 # slugd twice as often
	pid=$(victim "$dice")
	if [ "$dice" -ge 4 ]; then
		stop_slugd KILL
		random 2 # while the push goes on, or after it
		[ "$dice" -eq 1 ] || wait "$pusher" 2>/dev/null
		start_slugd || exit 1
	elif pid=${pid:-$(victim 1)} && [ -n "$pid" ]; then
		kill -KILL "$pid" 2>/dev/null || missed=$((missed + 1))
	else
		missed=$((missed + 1))
	fi
	wait "$pusher" 2>/dev/null
	within 20 settled || {
		bad=$((bad + 1))
		diag "push $i, killed $dice: moves and releases differ"
		diag "$(cat "$scratch/push.out")"
		diag "$(deploys | tail -n 3; echo; moves | tail -n 3)"
	}
	# A push of the same must work now, if it did not yet.
	if ! within 5 git push -q heroku master; then
		blocked=$((blocked + 1))
		diag "push $i, killed $dice: the next push does not work:" \
			"$(git push heroku master 2>&1)"
		stop_slugd
		start_slugd || exit 1
	fi
done
is "$bad" 0 "$kills pushes: each moved ref had its release soon"
is "$blocked" 0 'and the next push worked without a restart'
diag "$missed of $kills found nobody to kill"
within 20 settled
is "$(deploys)" "$(moves)" 'as many releases as the ref moved, in order'
is "$(at)" "$(git rev-parse HEAD)" 'the last commit is deployed'
is "$(deploys | sort | uniq -d)" '' 'no commit has two'
stop_slugd
start_slugd || exit 1
is "$(deploys)" "$(moves)" 'a restart changes nothing'
# What a git-receive-pack leaves that was killed before it came to its hook
# is nobody's until slugd starts.
is_sound "after $kills kills"
finish
