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
edits=${SLUGD_TEST_EDITS:-100}
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

# --- what can go wrong ---

mkdir -p same/d/e old new
echo a >same/a
echo e >same/d/e/f
ln -s "$scratch/elsewhere" same/link
printf 1234 >old/b
head -c 100000 /dev/urandom >old/large
cp old/large new/large
echo more >>new/large
printf 5678 >new/b
head -c 200000 /dev/urandom >noise
{ cat noise && echo 1; } >old/tail
{ cat noise && echo 2; } >new/tail
for name in same old new; do
	(cd $name && find . -mindepth 1 -printf '%P\n' | sort |
		tar -b 1 --no-recursion -cf - -T -) | zstd -q >$name.zst
done
head -c 1024 /dev/zero | zstd -q >end.zst
put_slug "$store" "$(uuid 1001)" same.zst old.zst end.zst
put_slug "$store" "$(uuid 1002)" same.zst new.zst end.zst
"$slugunpack" "$store" "$(uuid 1001)" trees/v1001 $((start + 1001))
list trees/v1001 >base.list

# now NAME: what update 1002 1001 made is whole, and the base as it was.
now() {
	is "$status" 0 "$1: unpacked"
	is "$(compare trees/v1002 "${2-trees/v1001}" 1002)" '' 'as it should be'
	list trees/v1001 | cmp -s - base.list
	ok $? 'and the base as it was'
	is "$(find trees -name '*.tmp')" '' 'with nothing beside it'
	rm -rf trees/v1002
}

# unshared NAME REGEXP: it was unpacked as without a base, and says why.
unshared() {
	like "$err" "unpacking all of $(uuid 1002): .*$2" "$1: said"
	now "$1" -
}

run update 1002 1001
is "$err" '' 'a file that is longer, one that is another'
now 'both'
run update 1002 1001 9999
is "$err" '' 'a spare tree that is not there'
now 'no spare'
mkdir -p trees/v900/a trees/v900/d trees/v900/zz
ln -s "$scratch/elsewhere" trees/v900/d/e
ln trees/v1001/large trees/v900/large
ln trees/v1001/a trees/v900/b
chmod 500 trees/v900/zz
run update 1002 1001 900
is "$err" '' 'a spare tree that is quite another'
now 'any spare'
ok "$(test ! -e trees/v900; echo $?)" 'which is used up'
mv trees/v1001 elsewhere
run update 1002 1001
mv elsewhere trees/v1001
unshared 'no base' 'No such file'
mv "$store/slugs/$(uuid 1001)" .
run update 1002 1001
mv "$(uuid 1001)" "$store/slugs/"
unshared "no slug of the base" 'is missing'
old=$store/segments/$(sum <old.zst)
mv "$old" .
run update 1002 1001
unshared 'a segment of the old slug is gone' 'is missing'
head -c 200 "$(sum <old.zst)" >"$old"
run update 1002 1001
unshared 'or damaged' 'is damaged'
mv "$(sum <old.zst)" "$old"
if command -v strace >/dev/null && strace -qo /dev/null true 2>/dev/null; then
	for error in EMLINK EXDEV EPERM; do
		run env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
			strace -f -qo /dev/null -e trace=linkat \
			-e inject=linkat:error=$error:when=2 "$slugunpack" \
			--base=trees/v1001 --base-slug="$(uuid 1001)" "$store" \
			"$(uuid 1002)" trees/v1002 $((start + 1002))
		unshared "$error" '.'
	done
else
	skip 15 'no strace here'
fi
if [ "$(id -u)" -eq 0 ]; then
	chown 12345 trees/v1001
	run update 1002 1001
	unshared "a base of another user" "another user's"
	chown 0 trees/v1001
	# As that user, who can read neither the store nor the way there.
	chmod 700 "$scratch" "$store"
	mkdir -m 700 theirs && chown 12345:12345 theirs
	run "$slugunpack" --uid=12345 "$store" "$(uuid 1001)" theirs/v1 1
	is "$status$err" 0 '--uid: another user unpacks'
	run "$slugunpack" --uid=12345 --base=theirs/v1 \
		--base-slug="$(uuid 1001)" "$store" "$(uuid 1002)" theirs/v2 2
	is "$status$err" 0 'and from a tree of their own'
	is "$(find theirs ! -uid 12345 -o ! -gid 12345)" '' 'all is theirs'
	is "$(stat -c %h theirs/v2/a)" 2 'and shared'
else
	skip 9 'not root'
fi

# refused NAME REGEXP: slug 1003 leaves nothing, and the base as it was.
refused() {
	run update 1003 1001
	is "$status" 1 "$1: refused"
	like "$err" "^slugunpack: .*$2" 'in words'
	is "$(find trees -name '*1003*')" '' 'nothing is left'
	list trees/v1001 | cmp -s - base.list
	ok $? 'and the base as it was'
}

mkdir -p elsewhere evil/link
echo evil >evil/link/file
tar -C evil -b 1 -cf - link/file | zstd -q >evil.zst
put_slug "$store" "$(uuid 1003)" same.zst evil.zst end.zst
refused 'a way through a link of the base' 'link'
is "$(ls elsewhere)" '' 'nothing is written there'
echo evil >evil/a
tar -C evil -b 1 -cf - a | zstd -q >evil.zst
put_slug "$store" "$(uuid 1003)" same.zst evil.zst end.zst
run update 1003 1001
list trees/v1001 | cmp -s - base.list
ok $? 'a file twice in one slug does not change the base'
rm -rf trees/v1003
put_slug "$store" "$(uuid 1003)" same.zst new.zst evil.zst end.zst
evil=$store/segments/$(sum <evil.zst)
truncate -s -1 "$evil"
refused 'a new segment that is cut off' 'as long as'

# --- killed ---

n=0
: >bad
while [ $n -lt 30 ]; do
	n=$((n + 1))
	rm -rf trees/v1003 trees/v1002
	cp -a trees/v1001 trees/v1003
	update 1002 1001 1003 2>>bad &
	pid=$!
	tries=$((n * 7))
	while [ $tries -gt 0 ]; do tries=$((tries - 1)); done
	kill -9 $pid 2>/dev/null
	wait $pid
	[ ! -e trees/v1002 ] || compare trees/v1002 trees/v1001 1002 >>bad
	list trees/v1001 | cmp - base.list >>bad
done 2>/dev/null
is "$(cat bad)" '' 'kill -9 leaves all of a tree or none, and the base'
rm -rf trees/v1002
run update 1002 1001
now 'the next one'

# --- no room ---

mkdir small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=600k none small 2>/dev/null
then
	"$slugunpack" "$store" "$(uuid 1001)" small/v1 1
	list small/v1 >before
	head -c 200000 /dev/zero >small/other
	run "$slugunpack" --base=small/v1 --base-slug="$(uuid 1001)" \
		"$store" "$(uuid 1002)" small/v2 2
	is "$status" 1 'a disk that is full: refused'
	like "$err" 'slugunpack: .* (large|tail) .*No space left' 'in words'
	is "$(ls -A small)" "$(printf 'other\nv1')" 'nothing is left'
	list small/v1 | cmp -s - before
	ok $? 'and the base as it was'
	umount small
else
	skip 4 'cannot mount here'
fi

finish
