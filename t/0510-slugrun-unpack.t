#!/bin/sh
# SPDX-License-Identifier: ISC
# slugrun unpack: what it takes, and what it must not.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

slugrun=$SLUGD_EXEC_PATH/slugrun

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

# refused NAME REGEXP: slug NAME.tar.zst leaves nothing and says why.
refused() {
	run "$slugrun" unpack "$1.tar.zst" "got-$1"
	is "$status" 1 "$1: refused"
	like "$err" "^slugrun: .*$2" 'in words'
	is "$(echo got-"$1"*)" "got-$1*" 'nothing is left'
}

# hostile NAME REGEXP: the same for a slug of what is in the file entries.
hostile() {
	{
		entry ok 0 644 '' fine
		cat entries
		end_mark
	} | zstd -q >"$1.tar.zst"
	refused "$1" "$2"
}

# What is as it should be.
mkdir -p src/bin src/empty
echo page >src/index.html
echo run >src/bin/run
chmod 755 src/bin/run
ln -s ../index.html src/bin/link
ln -s /nowhere src/dangling
touch -d 2001-01-01 src/index.html
long=$(printf '%0250d' 0)
echo long >"src/$long"
printf 'latin' >"src/$(printf 'caf\351')"
tar --zstd -C src -cf good.tar.zst .
tar -z -C src -cf good.tar.gz --format=pax .
touch before
for kind in zst gz; do
	run "$slugrun" unpack "good.tar.$kind" "good-$kind"
	is "$status" 0 "a .tar.$kind is unpacked"
	run diff -r --no-dereference src "good-$kind"
	is "$out$err" '' 'as it was packed'
	is "$(stat -c %a "good-$kind/bin/run" "good-$kind/index.html" |
		xargs)" '755 644' "with git's modes"
	is "$(find good-$kind -type f ! -newer before)" '' \
		'files have the time of unpacking'
done
{
	entry a 0 644 '' first | zstd -q
	entry b 0 600 '' second | zstd -q
	end_mark | zstd -q
} >segments.tar.zst
run "$slugrun" unpack segments.tar.zst segments
is "$(cat segments/a segments/b)" firstsecond 'a slug of several frames'
is "$(stat -c %a segments/b)" 644 'a mode that git has not becomes one'
end_mark | zstd -q >empty.tar.zst
run "$slugrun" unpack empty.tar.zst empty
is "$status $(ls empty)" '0 ' 'a slug with nothing in it'
mkdir -p half.tmp/old there
echo kept >there/file
run "$slugrun" unpack segments.tar.zst half
is "$(echo half/*)" 'half/a half/b' 'what a killed one left is no hindrance'
run "$slugrun" unpack segments.tar.zst there
is "$status $(cat there/file)" '1 kept' 'a target that is there stays'
is "$(echo there*)" there 'with nothing beside it'

# What is not.
mkdir -p outside
echo secret >outside/secret
inode=$(stat -c %i outside/secret)
entry "$scratch/outside/evil" 0 644 '' x >entries
hostile absolute 'absolute'
entry ../outside/evil 0 644 '' x >entries
hostile dotdot "contains '\\.\\.'"
entry a/../../outside/evil 0 644 '' x >entries
hostile inner "contains '\\.\\.'"
{
	entry away 2 777 "$scratch/outside"
	entry away/evil 0 644 '' x
} >entries
hostile through 'symlink'
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

# What is broken.
dd if=/dev/urandom bs=1k count=300 of=src/noise 2>/dev/null
tar --zstd -C src -cf whole.tar.zst .
head -c 100000 whole.tar.zst >cut.tar.zst
refused cut 'cannot (read|unpack) the slug'
entry a 0 644 '' first | zstd -q >noend.tar.zst
refused noend 'no end mark'
: >zero.tar.zst
refused zero 'cannot read the slug|no end mark'
echo 'not a slug' | zstd -q >text.tar.zst
refused text 'cannot read the slug'
refused missing 'missing.tar.zst: No such file'
printf 'Rar!\032\007\001\000' >rar.tar.zst
refused rar 'cannot read the slug'
{
	echo '!<arch>'
	printf 'a/              0           0     0     644     1         `\nx\n'
} >ar.tar.zst
refused ar 'cannot read the slug'

finish
