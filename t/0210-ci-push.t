#!/bin/sh
# SPDX-License-Identifier: ISC
# Pushes as a CI does them: from shallow clones, over and over, by force. No
# released commit is ever lost.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1

# The team's repository: five commits, which CI clones.
cd work || exit 1
for i in 2 3 4 5; do
	commit "page $i"
done
git clone -q --bare . "$scratch/origin.git"
origin=file://$scratch/origin.git
cd "$scratch" || exit 1

# shallow NAME: CI's clone of that name, one commit deep.
shallow() {
	git clone -q --depth 1 "$origin" "$1" &&
		git -C "$1" remote add heroku "$repo"
}

# develop: a further commit in origin.
develop() {
	commits=$((commits + 1))
	echo "more $commits" >>work/change.txt
	git -C work commit -q -a -m more
	git -C work push -q "$scratch/origin.git" master
}

# kept VERSION COMMIT: that release's commit is there by its name.
kept() {
	within 10 test "$(at "refs/releases/v$1")" = "$2"
	is "$(at "refs/releases/v$1") $(git --git-dir="$repo" cat-file -t \
		"refs/releases/v$1^{commit}")" "$2 commit" "v$1 has its commit"
}

# deploys NAME CLONE PUSH-ARGUMENT...: a push from there makes one release
# of the clone's HEAD; its version is $v.
v=1
deploys() {
	name=$1
	clone=$2
	shift 2
	v=$((v + 1))
	run git -C "$clone" push heroku "$@"
	is "$status" 0 "$name: goes through"
	[ "$status" -eq 0 ] || diag "$err"
	like "$err" "^remote: .* v$v deployed to Heroku" "$name: v$v"
	head=$(git -C "$clone" rev-parse HEAD)
	is "$(at)" "$head" "$name: the branch is there"
	within 10 all_kept
	kept "$v" "$head"
}

# is_whole WHEN: git finds nothing wrong with the repository.
is_whole() {
	run git --git-dir="$repo" fsck --full --strict --connectivity-only
	is "$status" 0 "$1: git fsck"
	is "$(printf '%s' "$err$out" | grep -v '^dangling')" '' 'is content'
}

# --- shallow, full, shallow
shallow ci1
is "$(git -C ci1 rev-list --count HEAD)" 1 'CI has one commit'
deploys 'shallow into nothing' ci1 +HEAD:master
first=$head
is_whole 'a shallow push'
develop
shallow ci2
deploys 'shallow again' ci2 +HEAD:master
is_whole 'a second one'
develop
git clone -q "$origin" full && git -C full remote add heroku "$repo"
deploys 'from a full clone' full HEAD:master
is_whole 'a full push'
is "$(git -C full rev-list --count HEAD)" 7 'which has seven commits'
develop
shallow ci3
deploys 'shallow after full' ci3 +HEAD:master
develop
git -C full pull -q origin master
deploys 'full after that' full HEAD:master
is_whole 'shallow and full by turns'
run git -C full push heroku master
like "$status $err" '^0 Everything up-to-date' 'the same again is no release'
kept 2 "$first"

# --- force pushes that leave a released commit behind
git -C full checkout -q --orphan fresh
git -C full commit -q -m 'A new beginning'
orphaned=$(at)
deploys 'a history of its own' full +HEAD:master
run git --git-dir="$repo" merge-base --is-ancestor "$orphaned" master
is "$status" 1 'the branch has the released commit no more'
git -C full commit -q --amend -m 'A newer beginning'
deploys 'an amended commit' full +HEAD:master
shallow ci4
deploys 'and back, from a shallow clone' ci4 +HEAD:master
is_whole 'force pushes'

# --- garbage
before=$(git --git-dir="$repo" for-each-ref refs/releases)
is "$(printf '%s\n' "$before" | wc -l)" $((v - 1)) 'a ref for each release'
git --git-dir="$repo" reflog expire --expire=now --all
run git --git-dir="$repo" gc -q --prune=now
is "$status$err" 0 'git gc --prune=now'
is "$(git --git-dir="$repo" for-each-ref refs/releases)" "$before" \
	'loses no name'
for i in $(seq 2 "$v"); do
	git --git-dir="$repo" archive "refs/releases/v$i" | tar -tf - ||
		echo "v$i"
done >tars 2>&1
is "$(grep -c '^Procfile$' tars) $(grep '^v' tars)" "$((v - 1)) " \
	'and no file of any release'
is_whole 'git gc'
develop
git -C full fetch -q origin
git -C full checkout -q -B master origin/master
deploys 'a push after git gc' full +HEAD:master

# --- the names, in a clone
run git clone -q "$repo" fresh
is "$status" 0 'the repository can be cloned'
git -C fresh remote rename origin heroku 2>/dev/null
is "$(git -C fresh for-each-ref 'refs/releases/*')" '' \
	'releases do not come by themselves'
# What came from shallow clones has its roots there; git takes new ones only
# when told to.
run git -C fresh fetch -q --update-shallow heroku \
	'refs/releases/*:refs/releases/*'
is "$status$err" 0 'they come when asked for'
is "$(git -C fresh for-each-ref refs/releases)" \
	"$(git --git-dir="$repo" for-each-ref refs/releases)" 'all of them'
run git -C fresh log --oneline releases/v5..releases/v6
is "$status $(printf '%s\n' "$out" | wc -l)" '0 1' \
	'git log releases/v5..releases/v6: the commit between'
like "$out" ' more$' 'with its subject'
run git -C fresh log --format=%s releases/v9..releases/v10
is "$status $(printf '%s\n' "$out" | tr '\n' ' ')" '0 more ' \
	'between others, too'
run git -C fresh diff --name-only releases/v6 releases/v7
is "$status" 0 'git diff between a release and one of another history'
git clone -q "$origin" team
git -C team remote add heroku "$repo"
run git -C team fetch -q heroku 'refs/releases/*:refs/releases/*'
is "$status$err" 0 'a clone with the history needs no option for them'
is "$(git -C team for-each-ref refs/releases)" \
	"$(git --git-dir="$repo" for-each-ref refs/releases)" 'all of them'
run git -C team log --format=%s releases/v2..releases/v4
is "$status $(printf '%s\n' "$out" | tr '\n' ' ')" '0 more more ' \
	'git log from a shallow push to a full one'
run git -C ci4 fetch -q --update-shallow heroku \
	'refs/releases/*:refs/releases/*'
is "$status" 0 'they come into a shallow clone, too'
is "$(git -C ci4 for-each-ref refs/releases | wc -l)" $((v - 1)) 'all of them'
is_sound 'after all of this'

# --- an app that nobody pushed to from a shallow clone
plain=$(slugctl -d "$dir" init plain)
for i in 1 2; do
	git -C full push -q "$plain" \
		"+HEAD~$((2 - i)):refs/heads/master" 2>/dev/null
done
within 10 git --git-dir="$plain" rev-parse -q --verify refs/releases/v3
git clone -q "$plain" new
run git -C new fetch -q origin 'refs/releases/*:refs/releases/*'
is "$status$err" 0 'without shallow pushes a new clone needs no option either'
run git -C new log --format=%h releases/v2..releases/v3
is "$status $out" "0 $(git -C full rev-parse --short HEAD)" \
	'git log releases/v2..releases/v3'

finish
