#!/bin/sh
# SPDX-License-Identifier: ISC
# slugunpack --base: a release's tree made from the one before is what a full
# unpacking gives, and leaves that one as it was. SLUGD_TEST_EDITS says how
# many random edits, SLUGD_TEST_SEED repeats a run.

# shellcheck disable=SC2317 # failing calls some of the functions
# In memory, where there is room.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ] &&
	[ "$(df -k --output=avail /dev/shm | tail -n 1)" -gt 300000 ]; then
	export TMPDIR=/dev/shm
fi
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"

slugunpack=$SLUGD_EXEC_PATH/slugunpack
store=$scratch/store
start=1000000000
edits=${SLUGD_TEST_EDITS:-150}
seed=${SLUGD_TEST_SEED:-$(date +%s)}
diag "SLUGD_TEST_EDITS=$edits SLUGD_TEST_SEED=$seed"
mkdir -p "$store/cache"

# list TREE: all there is to see of it.
list() {
	perl "$t/lib/trees.pl" list "$1"
}

# compare NEW BASE N: it is right for release N.
compare() {
	rm -rf full
	"$slugunpack" "$store" "$(uuid "$3")" full $start &&
		perl "$t/lib/trees.pl" compare "$1" full "$2" $((start + $3))
}

# update N BASE [SPARE]: tree of slug N into trees/vN, from trees/vBASE.
update() {
	"$slugunpack" --base="trees/v$2" --base-slug="$(uuid "$2")" \
		${3+"--spare=trees/v$3"} "$store" "$(uuid "$1")" \
		"trees/v$1" $((start + $1))
}

# --- random edits ---

git init -q --bare repo
perl "$t/lib/edits.pl" "$edits" "$seed" | git -C repo fast-import --quiet
git -C repo log --reverse --format='%H' master >commits
mkdir trees
n=0
: >bad
while read -r commit; do
	n=$((n + 1))
	slugpack --store="$store" --slug="$(uuid $n)" \
		--cache="$store/cache/app" repo "$commit" 2>/dev/null ||
		echo "$n: slugpack" >>bad
	if [ $n -eq 1 ]; then
		"$slugunpack" "$store" "$(uuid 1)" trees/v1 $((start + 1))
		continue
	fi
	# From the one before or an older one, with a spare one or without.
	base=$((n - 1 - n / 7 % 3))
	[ -d trees/v$base ] || base=$((n - 1))
	list trees/v$base >before
	case $((n % 3)) in
	0) update $n $base 2>>bad ;;
	*)
		spare=$((n - 5))
		[ -d trees/v$spare ] || spare=$((n - 4))
		update $n $base $spare 2>>bad
		;;
	esac || echo "$n: failed" >>bad
	compare trees/v$n trees/v$base $n | sed "s/^/$n: /" >>bad
	list trees/v$base | cmp -s - before || echo "$n: base" >>bad
	rm -rf trees/v$((n - 6))
done <commits
is "$(head -n 20 bad)" '' 'random edits: each tree is as it should be'
is "$(find trees -name '*.tmp')" '' 'and nothing half made is left'
find trees/v$n -type f -links +1 >shared
isnt "$(wc -l <shared)" 0 'files are shared'

finish
