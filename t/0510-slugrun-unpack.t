#!/bin/sh
# SPDX-License-Identifier: ISC
# slugunpack: what it takes, and what it must not.

# shellcheck disable=SC2317 # spoil calls some of the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"

slugunpack=$SLUGD_EXEC_PATH/slugunpack
store=$scratch/store
time=1000000000
number=0

# A uuid that no slug of this test has.
next_uuid() {
	number=$((number + 1))
	uuid=$(printf '00000000-0000-4000-8000-%012d' $number)
}

# unpack UUID TARGET [THREADS]
unpack() {
	run "$slugunpack" ${3+"--threads=$3"} "$store" "$1" "$2" $time
}

# entry NAME TYPE MODE LINK [TEXT]: one entry of a tar file, as its header
# says it; tar(1) would not write most of what is tried here.
entry() {
	perl -e '
		my ($name, $type, $mode, $link, $text) = @ARGV;
		$text //= "";
		my $h = pack "a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 x247",
			$name, sprintf("%07o", oct $mode), "0000000",
			"0000000", sprintf("%011o", length $text),
			"00000000001", "", $type, $link, "ustar", "00";
		substr($h, 148, 8) = sprintf "%06o\0 ", unpack "%32C*", $h;
		print $h, $text, "\0" x (-length($text) % 512);
	' -- "$@"
}

end_mark() {
	head -c 1024 /dev/zero
}
end_mark | zstd -q >end.zst

# refused NAME REGEXP: slug $uuid leaves nothing and says why.
refused() {
	unpack "$uuid" "got-$1"
	is "$status" 1 "$1: refused"
	like "$err" "^slugunpack: .*$2" 'in words'
	is "$(echo got-"$1"*)" "got-$1*" 'nothing is left'
}

# hostile NAME REGEXP: the same for a slug of what is in the file entries.
# With the file more, that is a segment of its own.
hostile() {
	next_uuid
	{
		entry ok 0 644 '' fine
		cat entries
	} | zstd -q >first.zst
	rm -f entries
	set -- "$1" "$2" first.zst
	if [ -f more ]; then
		zstd -q --rm more -o more.zst -f
		set -- "$@" more.zst
	fi
	name=$1
	why=$2
	shift 2
	put_slug "$store" "$uuid" "$@" end.zst
	refused "$name" "$why"
}

# --- what is as it should be ---

mkdir -p src/bin src/a/b/c store
echo page >src/index.html
echo run >src/bin/run
chmod 755 src/bin/run
ln -s ../index.html src/bin/link
ln -s /nowhere src/dangling
: >src/empty
touch -d 2001-01-01 src/index.html
long=$(printf '%0250d' 0)
echo long >"src/$long"
printf 'latin' >"src/$(printf 'caf\351')"
n=0
while [ $n -lt 300 ]; do
	n=$((n + 1))
	head -c 20000 /dev/urandom >"src/a/b/c/noise-$n"
	echo "$n" >"src/a/$n"
done
git init -q src
git -C src config core.quotePath false
git -C src add . && git -C src commit -q -m 'A tree'
mv src/.git repo
git -C repo config core.bare true
rm -rf src/a/empty
for kind in zstd gzip; do
	next_uuid
	run slugpack --store "$store" --slug "$uuid" --format $kind repo HEAD
	is "$status" 0 "slugpack makes a slug of $kind"
	unpack "$uuid" "good-$kind"
	is "$status$err" 0 'it is unpacked'
	run diff -r --no-dereference src good-$kind
	is "$out$err" '' 'as it was packed'
	is "$(stat -c %a "good-$kind/bin/run" "good-$kind/index.html" |
		xargs)" '755 644' "with git's modes"
	is "$(find good-$kind ! -type d ! -newermt "@$((time + 1))" \
		-newermt "@$((time - 1))" | wc -l)" "$(find src ! -type d |
		wc -l)" 'files and links have the time that was said'
	is "$(find good-$kind -type d ! -perm 755)" '' 'folders are 755'
done
isnt "$(lines_of "$store" "$uuid" | wc -l)" 2 'it has many segments'
uuid=00000000-0000-4000-8000-000000000001
(
	umask 077
	"$slugunpack" --threads=8 "$store" $uuid masked $time
)
unpack $uuid one 1
unpack $uuid eight 8
mkdir tar
cat_slug "$store" $uuid | tar --zstd -xmf - -C tar
# list FOLDER: all that there is to see.
list() {
	(
		cd "$1" || exit 1
		find . -type f -exec sha256sum {} + | sort -k 2
		find . -printf '%p %y %m %l\n' | sort
	)
}
list tar >wanted
for got in one eight masked; do
	chmod 755 $got
	list $got >is
	is "$(diff is wanted)" '' "$got: as tar unpacks it"
done
run "$slugunpack" store $uuid ./relative $time
is "$status $(echo relative/bin/*)" '0 relative/bin/link relative/bin/run' \
	 'paths may be relative'

# By hand: modes and names that slugpack never writes.
next_uuid
{
	entry ./a 0 644 '' first
	entry d/e/ 5 700 ''
} | zstd -q >first.zst
entry b 0 600 '' second | zstd -q >second.zst
put_slug "$store" "$uuid" first.zst second.zst end.zst
unpack "$uuid" segments
is "$(cat segments/a segments/b)" firstsecond 'a slug made by hand'
is "$(stat -c %a segments/b segments/d/e | xargs)" '644 755' \
	'a mode that git has not becomes one'
segments=$uuid
next_uuid
put_slug "$store" "$uuid" end.zst
unpack "$uuid" empty
is "$status $(ls empty)" '0 ' 'a slug with nothing in it'
mkdir -p half.tmp/old there
echo kept >there/file
unpack "$segments" half
is "$(echo half/*)" 'half/a half/b half/d' \
	'what a killed one left is no hindrance'
unpack "$segments" there
is "$status $(cat there/file)" '1 kept' 'a target that is there stays'
is "$(echo there*)" there 'with nothing beside it'
run "$slugunpack" "$store" "$segments" x yesterday
is "$status $(echo x*)" '1 x*' 'a time is a number'
run "$slugunpack" --threads=0 "$store" "$segments" x $time
is "$status $(echo x*)" '1 x*' 'and no thread is too few'

# --- what is not ---

mkdir -p outside
echo secret >outside/secret
inode=$(stat -c %i outside/secret)
entry "$scratch/outside/evil" 0 644 '' x >entries
hostile absolute 'absolute'
entry ../outside/evil 0 644 '' x >entries
hostile dotdot "evil contains '\\.\\.'"
entry a/../../outside/evil 0 644 '' x >entries
hostile inner "contains '\\.\\.'"
entry ../outside/folder 5 755 '' >entries
hostile up "contains '\\.\\.'"
entry a/.. 0 644 '' x >entries
hostile last 'has no usable name'
entry a/.. 5 755 '' >entries
hostile lastdir "contains '\\.\\.'"
{
	entry away 2 777 "$scratch/outside"
	entry away/evil 0 644 '' x
} >entries
hostile through 'away/evil lies in a symlink'
{
	entry up 2 777 ..
	entry up/outside/evil 0 644 '' x
} >entries
hostile upward 'symlink'
{
	entry d 5 755 ''
	entry d/l 2 777 ../../outside
	entry d/l/evil 5 755 ''
} >entries
hostile folder 'symlink'
n=0
while [ $n -lt 20 ]; do
	n=$((n + 1))
	entry away 2 777 "$scratch/outside" >entries
	entry away/evil 0 644 '' x >./more
	hostile threads-$n '(symlink|away)'
done | grep -v '^ok' >bad
is "$(cat bad)" '' 'a link of one thread is no way for another one'
entry hard 1 644 "$scratch/outside/secret" >entries
hostile hard 'is a hard link'
entry hard 1 644 ../outside/secret >entries
hostile hardup 'is a hard link'
entry hard 1 644 ok >entries
hostile hardin 'is a hard link'
entry pipe 6 644 '' >entries
hostile fifo 'is no file, folder or symbolic link'
entry null 3 666 '' >entries
hostile chardev 'is no file'
entry disk 4 666 '' >entries
hostile blockdev 'is no file'
entry run 0 4755 '' x >entries
hostile setuid 'has a setuid'
entry run 0 2755 '' x >entries
hostile setgid 'has a setuid'
entry dir 5 2777 '' >entries
hostile setgiddir 'has a setuid'
entry "$(printf 'a\033[1mb')" 6 644 '' >entries
hostile escape 'entry a\\x1b\[1mb is'
is "$(ls outside)" secret 'nothing outside was written'
is "$(cat outside/secret) $(stat -c '%i %h' outside/secret)" \
	"secret $inode 1" 'or linked to'

# --- segments that their digests fit, and that are wrong all the same ---

{
	entry a 0 644 '' first
	end_mark
	entry hidden 0 644 '' x
} >entries
hostile hidden 'unpacked it is not as long'
echo 'not a tar file' >entries
hostile text 'cannot read the slug'
next_uuid
{
	printf 'Rar!\032\007\001\000'
	head -c 2000 /dev/zero
} >rar.zst
raw=2008 put_slug "$store" "$uuid" rar.zst end.zst
refused rar 'cannot read the slug'
next_uuid
{
	echo '!<arch>'
	printf 'a/              0           0     0     644     1         `\nx\n'
} | zstd -q >ar.zst
put_slug "$store" "$uuid" ar.zst end.zst
refused ar 'cannot read the slug'

# --- what is missing or damaged ---

# spoil WHAT REGEXP COMMAND...: slug 1 in a store that COMMAND spoils, given
# the path of one of its segments, the page and the root.
whole=$store
spoil() {
	name=$1
	why=$2
	shift 2
	store=$scratch/spoilt
	uuid=00000000-0000-4000-8000-000000000001
	rm -rf "$store"
	cp -a "$whole" "$store"
	root=$store/slugs/$uuid
	page=$store/segments/$(sed -n 's/^page //p' "$root" | head -n 1).page
	lines_of "$store" "$uuid" >lines
	segment=$store/segments/$(sed -n '2s/ .*//p' lines)
	"$@"
	refused "$name" "$why"
	store=$whole
}

flip_in_segment() {
	flip "$segment" $(($(stat -c %s "$segment") - 10))
}
flip_header() {
	flip "$segment" 20
}
flip_in_page() {
	flip "$page" 100
}
flip_in_root() {
	flip "$root" 30
}
cut_segment() {
	truncate -s -1 "$segment"
}
add_to_segment() {
	echo x >>"$segment"
}
cut_page() {
	sed -i '$d' "$page"
}
cut_root() {
	sed -i '$d' "$root"
}
empty_segment() {
	: >"$segment"
}
link_segment() {
	mv "$segment" moved
	ln -s "$PWD/moved" "$segment"
}
remove_segment() {
	rm "$segment"
}
remove_page() {
	rm "$page"
}
remove_root() {
	rm "$root"
}
# Pages that name another segment, or another digest of one, and a root that
# fits.
wrong_name() {
	awk 'NR == 2 { $1 = substr($1, 2) "0" } { print }' lines |
		put_manifest "$store" "$uuid" zstd
}
wrong_digest() {
	awk 'NR == 2 { $2 = substr($2, 2) "0" } { print }' lines |
		put_manifest "$store" "$uuid" zstd
}
# The root names more than the pages have.
shorter_page() {
	sed '$d' lines >short
	mv "$root" old
	put_manifest "$store" "$uuid" zstd <short
	sed -i "/^segments/s/.*/$(grep ^segments old)/; /^digest/d" "$root"
	digest=$(sum <"$root")
	echo "digest $digest" >>"$root"
}
hex='[0-9a-f]{64}'
spoil flipped "segments/$hex is damaged: its digest" flip_in_segment
spoil header "segments/$hex is damaged" flip_header
spoil cut "segments/$hex is damaged: .* as long" cut_segment
spoil longer "segments/$hex is damaged: .* as long" add_to_segment
spoil emptied "segments/$hex is damaged: no header" empty_segment
spoil linked "segments/$hex: Too many" link_segment
spoil lost "segments/$hex is missing" remove_segment
spoil page "segments/$hex.page is damaged" flip_in_page
spoil cutpage "segments/$hex.page is damaged" cut_page
spoil lostpage "segments/$hex.page is missing" remove_page
spoil root "slugs/$uuid is damaged" flip_in_root
spoil cutroot "slugs/$uuid is damaged" cut_root
spoil lostroot "slugs/$uuid is missing" remove_root
spoil wrongname "segments/$hex is missing" wrong_name
spoil wrongdigest "segments/$hex is damaged: its manifest has another" wrong_digest
spoil shortpage 'manifest of slug .* is damaged' shorter_page
uuid=../slugs/x
refused notuuid 'uuid'

# --- killed ---

uuid=00000000-0000-4000-8000-000000000001
n=0
: >bad
while [ $n -lt 30 ]; do
	n=$((n + 1))
	"$slugunpack" "$store" $uuid killed $time &
	pid=$!
	while [ ! -e killed.tmp/a ] && [ ! -e killed ]; do
		[ $((n % 3)) -ne 0 ] || break
	done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	if [ -e killed ]; then
		list killed | cmp -s - wanted || echo "$n" >>bad
		rm -rf killed
	fi
done 2>/dev/null
is "$(cat bad)" '' 'kill -9 leaves all of a target or none'
unpack $uuid killed
list killed >is
is "$(cmp is wanted)" '' 'and the next one is whole'

finish
