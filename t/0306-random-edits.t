#!/bin/sh
# SPDX-License-Identifier: ISC
# slugpack --cache: a history of random edits, each packed by the cache that
# the one before it left, and, at the same time, by a walk over the whole
# tree. Every 50th time something happens to the cache. SLUGD_TEST_EDITS says
# how many, SLUGD_TEST_SEED repeats a run.

# In memory, where there is room: a thousand slugs are flushed to the disk.
if [ -z "${TMPDIR-}" ] && [ -w /dev/shm ] &&
	[ "$(df -k --output=avail /dev/shm | tail -n 1)" -gt 300000 ]; then
	export TMPDIR=/dev/shm
fi
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"

edits=1000
# Under a sanitizer each takes five times as long.
! grep -q __asan_init "$(command -v slugpack)" || edits=150
edits=${SLUGD_TEST_EDITS:-$edits}
seed=${SLUGD_TEST_SEED:-$(date +%s)}
diag "SLUGD_TEST_EDITS=$edits SLUGD_TEST_SEED=$seed"

git init -q --bare repo
perl "$t/lib/edits.pl" "$edits" "$seed" | git -C repo fast-import --quiet
git -C repo log --reverse --format='%H' master >commits
is "$(wc -l <commits)" "$edits" 'a history of edits'
git init -q --bare other
perl "$t/lib/edits.pl" 3 $((seed + 1)) | git -C other fast-import --quiet
mkdir -p store/cache
slugpack --store=store --slug="$(uuid 0)" --cache=store/cache/other \
	other master 2>err
is $? 0 'an app of its own'
cp store/cache/other other.cache

cache=store/cache/app

# Something happens to the cache, N says what.
damage() {
	case $(($1 % 8)) in
	0)
		perl -e 'srand $ARGV[1]; open(my $f, "+<:raw", $ARGV[0]) or die;
			for (my $at = 80; $at < -s $f; $at += 1 + rand 400) {
				seek $f, $at, 0; read $f, my $c, 1;
				seek $f, $at, 0; print $f chr(ord($c) ^ 1 << rand 8)
			}' $cache "$1"
		;;
	1) truncate -s "$(($(wc -c <$cache) * 2 / 3))" $cache ;;
	2) truncate -s 0 $cache ;;
	3) cp other.cache $cache ;;
	4) rm $cache && mkdir $cache && : >$cache/file ;;
	5) cp old.cache $cache ;;
	6) rm $cache && mkfifo $cache ;;
	7) mv $cache cache.real && ln -s ../../cache.real $cache ;;
	esac
}

# whole COMMIT: the slug is what standard output gets.
whole() {
	slugpack repo "$1" 2>err >whole.tzst && cat_slug store "$slug" |
		cmp - whole.tzst
}

# listing FOLDER: modes, names and targets of links.
listing() {
	(cd "$1" && find . -mindepth 1 ! -type d -printf '%M %P %l\n' | sort)
}

# content COMMIT: what is in the slug is what git archive has; for trees
# without .slugignore. Of a submodule git makes an empty folder.
content() {
	! git -C repo cat-file -e "$1:.slugignore" 2>err || return 0
	contents=$((contents + 1))
	rm -rf out wanted && mkdir out wanted &&
		cat_slug store "$slug" | tar --zstd -xpf - -C out &&
		git -C repo archive "$1" | tar -xpf - -C wanted &&
		git -C repo ls-tree -r -z "$1" |
		sed -zn 's,^160000[^\t]*\t,wanted/,p' | xargs -0 -r rmdir &&
		chmod -R go-w wanted && listing out >a && listing wanted >b &&
		cmp a b && diff -r --no-dereference out wanted
}

n=0
contents=0
old_rules=
bad=
damaged=0
while read -r commit; do
	n=$((n + 1))
	slug=$(uuid $n)
	full=$(uuid $((n + 1000000)))
	[ $n -ne 20 ] || cp $cache old.cache
	if [ $((n % 50)) -eq 40 ]; then
		damage $((n / 50))
		damaged=$((damaged + 1))
	fi
	slugpack --store=store --slug="$full" repo "$commit" 2>full.err &
	slugpack --store=store --slug="$slug" --cache=$cache repo "$commit" \
		2>err || bad="$bad $n:cache"
	wait "$!" || bad="$bad $n:full"
	cmp -s err full.err || bad="$bad $n:notices"
	cmp "store/slugs/$slug" "store/slugs/$full" || bad="$bad $n:root"
	rules=$(git -C repo rev-parse -q --verify "$commit:.slugignore")
	case $((n % 50)) in
	?5 | 40) whole "$commit" || bad="$bad $n:whole" ;;
	*)
		[ "$rules" = "$old_rules" ] || whole "$commit" ||
			bad="$bad $n:rules"
		;;
	esac
	old_rules=$rules
	[ $((n % 10)) -ne 7 ] || content "$commit" || bad="$bad $n:content"
	[ ! -d $cache ] || rm -r $cache
done <commits
is "$bad" '' "by the cache each slug is that of the whole tree"
ok $((damaged < edits / 50)) "with a cache that was damaged $damaged times"
ok $((edits > 200 && contents < edits / 100)) \
	"and has what git archive has, of $contents slugs"
is "$(unsound store)" '' 'all that is in the store is sound'
is "$(find store -name '*.tmp')" '' 'and whole'

finish
