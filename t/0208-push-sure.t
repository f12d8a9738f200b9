#!/bin/sh
# SPDX-License-Identifier: ISC
# A push that git is sure to refuse is refused before its release command
# runs, and before it is packed.
# shellcheck disable=SC2016,SC2317 # the app's shell expands these; within calls
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

own_exec_path
driver=slugrun
export GIT_CONFIG_GLOBAL="$scratch/gitconfig" # slugd's, too
: >"$GIT_CONFIG_GLOBAL"
make_dir '[slugd]' 'deploy_branches = master main deep/er' "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
settings() {
	git --git-dir="$repo" config "$@"
}
printf 'worker: exec sleep 1000\nrelease: echo "MIGRATED $(cat name)"\n' \
	>Procfile
echo first >name
git add . && commit first
run git push heroku master
like "$err" '^remote: MIGRATED first' 'a release command runs'

# try WHO: a commit to push.
try() {
	who=$1
	echo "$1" >name
	git add name && commit "$1"
}
# refused NAME WORDS: the push just made; git and slugd are as before.
refused() {
	is "$status" 1 "$1: the push is refused"
	like "$err" "^remote:  !     $2" 'in words'
	unlike "$err" 'MIGRATED|Compressing' 'before anything else'
	is "$(grep -c "MIGRATED $who\$" "$dir/apps/myapp/log")" 0 \
		'no release command ran'
}
# taken NAME: the push just made.
taken() {
	is "$status" 0 "$1: the push is taken"
	like "$err" "^remote: MIGRATED $who" 'and its release command runs'
}

try tagged
git tag -a v1 -m v1
run git push heroku v1:master
refused 'an annotated tag' "a branch can only be at a commit.*TAG\\^\\{\\}:master"
run git push heroku 'v1^{}:master'
taken 'its commit'

try rewritten
settings receive.denyNonFastForwards yes
run git push -f heroku HEAD:master
taken 'a fast-forward, where there are only those'
git commit -q --amend -m 'rewritten again'
who=rewritten2 && echo $who >name && git commit -qam "$who"
git reset -q --soft HEAD~2 && git commit -qm "$who"
run git push -f heroku master
refused 'receive.denyNonFastForwards' '.*would not be a fast-forward'
settings --unset receive.denyNonFastForwards
printf '[receive]\n\tdenyNonFastForwards\n' >"$GIT_CONFIG_GLOBAL"
run git push -f heroku master
refused 'the same for the account' '.*would not be a fast-forward'
settings receive.denyNonFastForwards off
run git push -f heroku master
taken 'a forced push where that is off'

try hidden
settings --add transfer.hideRefs refs/heads
run git push heroku master
refused 'a hidden ref' '.*refs/heads/master: the repository hides it'
settings --add transfer.hideRefs '!refs/heads/master'
run git push -f heroku master
taken 'one of them that is not hidden'
settings --unset-all transfer.hideRefs

try beside
git push -q heroku HEAD:refs/heads/main/x HEAD:refs/heads/deep 2>/dev/null
run git push heroku HEAD:main
refused 'main beside main/x' '.*main/x.* exists'
run git push heroku HEAD:deep/er
refused 'deep/er beside deep' ".*'refs/heads/deep' exists"
git --git-dir="$repo" pack-refs --all
run git push heroku HEAD:main
refused 'main beside main/x in packed-refs' '.*main/x.* exists'
run git push heroku HEAD:deep/er
refused 'deep/er beside deep in packed-refs' ".*'refs/heads/deep' exists"
run git push heroku HEAD:main :main/x
taken 'main in the place of main/x'

try locked
: >"$repo/refs/heads/master.lock"
run git push heroku master
refused 'a stale lock' '.*master.lock.: File exists'
within 10 no_leftovers
run git push heroku master
taken 'once it is gone'

try checked-out
git --git-dir="$repo" worktree add -q "$scratch/tree" master
run git push heroku master
refused 'a branch that is checked out' '.*is checked out in a work tree'
settings receive.denyCurrentBranch warn
run git push heroku master
taken 'where the repository allows it'
git --git-dir="$repo" worktree remove --force "$scratch/tree"

try no-reflog
mv "$repo/logs/refs/heads/master" ../log
mkdir -p "$repo/logs/refs/heads/master" && : >"$repo/logs/refs/heads/master/x"
run git push heroku master
refused 'a reflog that cannot be written' '.*its reflog cannot be written'
rm -r "$repo/logs/refs/heads/master"
mv ../log "$repo/logs/refs/heads/master"
mv "$repo/logs/HEAD" ../log
mkdir -p "$repo/logs/HEAD" && : >"$repo/logs/HEAD/x"
run git push heroku master
refused 'that of HEAD' '.*HEAD: its reflog cannot be written'
rm -r "$repo/logs/HEAD"
mv ../log "$repo/logs/HEAD"

# Of several refs, one for which git is sure to refuse the push, where it is
# atomic: slugd cannot see that.
git push -q heroku HEAD~1:refs/heads/other 2>/dev/null
settings receive.denyDeletes true
run git push --atomic heroku master :other
refused 'another ref, which must not be deleted' '.*refs/heads/other: .*denyD'
settings receive.denyDeletes false
git --git-dir="$repo" update-ref refs/heads/x/y HEAD
run git push --atomic heroku master HEAD:refs/heads/x
refused 'another ref, whose name is taken' ".*'refs/heads/x/y' exists"
run git push --atomic heroku master :other HEAD:refs/tags/a-tag
taken 'several refs that git takes'

# --- two at a time, the second of which knew the refs before the first
git clone -q "$repo" ../second
git -C ../second remote rename origin heroku
hold pre-receive
(cd ../second && try loser && exec git push heroku HEAD:master \
	>"$scratch/second.out" 2>&1) &
second=$!
held pre-receive || diag 'no pre-receive'
ln -sfn "$real_path/pre-receive" "$exec_path/pre-receive.link"
mv -f "$exec_path/pre-receive.link" "$exec_path/pre-receive"
try winner
run git push heroku master
taken 'the first of two'
let_go pre-receive
wait "$second"
status=$? err=$(cat "$scratch/second.out") who=loser
refused 'the second' 'refs/heads/master was moved by another push; fetch and'

is_sound 'after all this'
finish
