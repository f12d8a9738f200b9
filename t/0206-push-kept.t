#!/bin/sh
# SPDX-License-Identifier: ISC
# refs/releases/vNN, which keep the commits of releases: what is missing when
# slugd starts comes back, in the background, however many they are.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

command -v sqlite3 >/dev/null || skip_all 'sqlite3 not found'
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
git push -q heroku master 2>/dev/null
git heroku config:set A=1 >/dev/null
repo=$dir/repos/myapp.git

# kept N: the repository has so many of them, all at the commit.
# shellcheck disable=SC2317 # within calls it
kept() {
	test "$(git -C "$repo" for-each-ref refs/releases/ | wc -l)" = "$1" &&
		test "$(git -C "$repo" for-each-ref --format='%(objectname)' \
			refs/releases/ | sort -u)" = "$(git rev-parse HEAD)"
}
within 10 kept 2
ok $? 'each release with code has its ref'
stop_slugd
git -C "$repo" update-ref -d refs/releases/v2
start_slugd || exit 1
within 10 kept 2
ok $? 'one that is missing comes back at the next start'
: >"$repo/refs/releases/v4.lock"
git heroku config:set B=1 >/dev/null
within 10 grep -q 'app=myapp v4: its commit is not kept yet' "$scratch/slugd.log"
ok $? 'one that git cannot write is noted'
rm "$repo/refs/releases/v4.lock"
within 20 kept 3
ok $? 'and written later, while slugd runs'
stop_slugd
"$t/perf/make-releases" "$dir/ledger.db" myapp 3500 || exit 1
start_slugd || exit 1
run git heroku releases -n 1
like "$out" '^v3500 ' 'the app answers while many are missing'
within 60 kept 3499
ok $? 'which all come back'
stop_slugd
git -C "$repo" for-each-ref --format='delete %(refname)' refs/releases/ |
	git -C "$repo" update-ref --stdin
start_slugd || exit 1
start=$(date +%s)
stop_slugd
test $(($(date +%s) - start)) -lt 10
ok $? 'slugd does not end with all of them first'
finish
