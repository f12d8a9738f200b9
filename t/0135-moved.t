#!/bin/sh
# SPDX-License-Identifier: ISC
# Folders that are moved, programs that are gone, branches that move without
# slugd: a push makes a release or is refused, and what is wrong is said.
# shellcheck disable=SC2317 # within calls some
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

# What looks for leaks does not work under strace.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

make_dir
make_dir_of=$dir
start_slugd || exit 1
make_app || exit 1
git -C work push -q heroku master 2>/dev/null

# push [REMOTE]: a new commit; $status, $err.
push() {
	git -C work commit -q --allow-empty -m more
	run git -C work push "${1:-heroku}" master
}

# newest [APP]: the version of its last release.
newest() {
	api GET "/apps/${1:-myapp}/releases/current" |
		sed 's/.*"version":\([0-9]*\).*/\1/'
}

problems() {
	api GET / | grep -o '"problems":\[[^]]*\]'
}

# --- the folder slugd was started from ---

mkdir from
stop_slugd
(cd from && exec slugd -d ../slugd -c ../slugd/slugd.ini 2>>"$scratch/slugd.log") &
slugd_pid=$!
within 20 api GET /
rmdir from
is "$(readlink "/proc/$slugd_pid/cwd")" "$dir" 'slugd works in its own folder'
push
is "$status:$(newest)" 0:3 'and does without the one that it was started from'
git -C work commit -q --allow-empty -m unknown
run git -C work heroku deploy "$(git -C work rev-parse HEAD~1)"
is "$status" 0 'deploy finds the commit'
kept() {
	[ "$(git -C "$repo" for-each-ref refs/releases | wc -l)" = 3 ]
}
within 10 kept
ok $? 'commits of releases are kept'

# --- the whole folder is moved ---

stop_slugd
mv "$dir" "$scratch/new place"
dir="$scratch/new place"
start_slugd || exit 1
repo=$dir/repos/myapp.git
git -C work remote set-url heroku "$repo"
push
is "$status:$(newest)" 0:5 'after DIR was moved, a push is a release'
like "$err" 'v5 deployed' 'and says so'
is "$(git -C work heroku releases -n 1 --json | grep -c '"version": 5')" 1 \
	'git heroku finds slugd'
run slugctl -d "$dir" check
unlike "$out" 'app myapp' 'check has nothing to say of the repository'
run slugctl -d "$dir" repair myapp
is "$status" 0 'nor has repair'
is "$(git -C "$repo" config core.hooksPath)" slugd.hooks \
	'hooks are found from it'
is "$(sqlite3 "$dir/ledger.db" 'SELECT repo FROM app')" repos/myapp.git \
	'the ledger knows it by its path from there'
like "$(api GET /apps/myapp)" "\"git_url\":\"$repo\"" 'and shows it in full'

git -C work commit -q --allow-empty -m mounted
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	mkdir elsewhere
	stop_slugd
	cat >mounted.sh <<-'END'
	mount --bind "$1" elsewhere || exit 9
	slugd -d "$1" 2>>slugd.log &
	pid=$!
	until curl -s --unix-socket "$1/slugd.sock" http://slugd/ >/dev/null; do
		sleep 0.05
	done
	git -C work push "$PWD/elsewhere/repos/myapp.git" master
	status=$?
	kill $pid
	wait $pid
	exit $status
	END
	run unshare -m sh mounted.sh "$dir"
	start_slugd || exit 1
	is "$status:$(newest)" 0:6 'where it is mounted elsewhere, too'
else
	skip 1 'not root: nothing can be mounted'
	git -C work push -q heroku master 2>/dev/null
fi

# --- one as an older slugd made it ---

old_form() {
	git -C "$1" config core.hooksPath "$2/hooks"
	git -C "$1" config slugd.hooks "$2/hooks"
	git -C "$1" config slugd.socket "$3/slugd.sock"
	for h in pre-receive reference-transaction post-receive; do
		ln -sfn "$SLUGD_EXEC_PATH/$h" "$1/hooks/$h"
	done
	ln -sfn "$3/slugd.sock" "$1/slugd.sock"
}
stop_slugd
old_form "$repo" "$make_dir_of/repos/myapp.git" "$make_dir_of"
sqlite3 "$dir/ledger.db" \
	"UPDATE app SET repo = '$make_dir_of/repos/myapp.git'"
start_slugd || exit 1
push
is "$status:$(newest)" 0:7 'one of an older slugd, moved: renewed at the start'

# --- a repository elsewhere is moved ---

other=$scratch/other.git
slugctl -d "$dir" init other "$other" >/dev/null
git -C work remote add other "$other"
push other
is "$status:$(newest other)" 0:2 'a repository outside of DIR'
mv "$other" "$scratch/moved.git"
git -C work remote set-url other "$scratch/moved.git"
push other
is "$status" 1 'moved by itself, a push to it is refused'
like "$err" 'slugd has no app for ' 'in words'
run slugctl -d "$dir" repair other "$repo"
like "$status:$err" '^1: !    .*/myapp\.git is not the repository of app other' \
	'repair takes no other one for it'
run slugctl -d "$dir" repair other "$scratch/moved.git"
is "$status" 0 'repair APP REPO mends that'
push other
is "$status:$(newest other)" 0:3 'and a push is a release again'

# --- the programs are gone ---

sed -i "s|^hook=.*|hook=/opt/gone/pre-receive|" "$repo/slugd.hooks/pre-receive"
push
is "$status" 1 'where the programs of slugd are gone a push is refused'
like "$err" '^remote:  !     /opt/gone/pre-receive is not there' 'in words'
run slugctl -d "$dir" check
like "$out" 'app myapp: slugd.hooks/pre-receive is of another installation of slugd; mend with' \
	'check says so'
slugctl -d "$dir" repair myapp >/dev/null
# What an uninstall of an older slugd left does no harm.
for h in pre-receive reference-transaction post-receive; do
	ln -sfn "/opt/gone/$h" "$repo/hooks/$h"
done
slugctl -d "$dir" repair myapp >/dev/null
push
is "$status:$(newest)" 0:8 'after repair pushes are releases'

# --- a branch that moves without slugd ---

tip=$(git -C work rev-parse HEAD)
git -C work commit -q --allow-empty -m behind
git -C work push -q "$repo" HEAD:refs/heads/side 2>/dev/null
git -C "$repo" -c core.hooksPath=/dev/null update-ref refs/heads/master \
	refs/heads/side
rm "$repo/slugd.hooks/post-receive"
stop_slugd
start_slugd || exit 1
seen() {
	problems | grep -q "$1"
}
within 20 seen 'without slugd'
ok $? 'slugd sees a branch that was moved by hand'
like "$(problems)" "app myapp: master was moved from $(echo "$tip" |
	cut -c 1-7) to .* without slugd: .* was not deployed" 'and says from where'
like "$(problems)" 'app myapp: slugd.hooks/post-receive is missing; mend with' \
	'and a hook that is gone'
like "$(cat slugd.log)" 'app myapp: master was moved' 'it is logged'
run slugctl -d "$dir" status
like "$out" '^app myapp: master was moved' 'status shows it'
run slugctl -d "$dir" check
like "$out" '^app myapp: master was moved' 'so does check'
push
is "$status:$(newest)" 0:9 'the next push is a release'
like "$err" '^remote:  !     master was moved from ' 'and says it, too'
push
unlike "$err" 'was moved' 'the one after it has nothing to say'

# --- what is asked for each ref ---

# started FILE: how often a trace has reference-transaction, as slugd's helper.
started() {
	grep -c "execve(\"$SLUGD_EXEC_PATH/reference-transaction" "$1"
}
hook() {
	grep -c 'execve("slugd.hooks/reference-transaction' "$1"
}
strace -f -qq -e trace=execve -o trace git -C work push -q heroku \
	HEAD:refs/heads/topic HEAD:refs/tags/t1 HEAD:refs/tags/t2 2>/dev/null
is "$(hook trace):$(started trace)" 0:0 \
	'branches and tags that are not deployed start no hook of their own'
git -C work commit -q --allow-empty -m traced
strace -f -qq -e trace=execve -o trace git -C work push -q heroku master \
	HEAD:refs/tags/t3 HEAD:refs/tags/t4 2>/dev/null
is "$(started trace)" 1 'slugd is asked for the deploy branch, once'
is "$(hook trace)" 2 'and the tags behind it cost nothing'
sed -i '1i [slugd]\ndeploy_branches = live' "$dir/slugd.ini"
slugctl -d "$dir" reload >/dev/null
run git -C work push heroku HEAD:live
is "$status:$(newest)" 0:12 'and a push to the new one is a release'
finish
