#!/bin/sh
# SPDX-License-Identifier: ISC
# slugpack: blobs that are not in memory as a whole.
. "$(dirname "$0")/lib/test.sh"

# Just at the size from which a blob comes in pieces, over it, and far over.
git init -q -b master work
at=8388608
head -c $at /dev/urandom >work/at
head -c $((at + 1)) /dev/urandom >work/over
chmod +x work/over
head -c 30000000 /dev/urandom >work/far
for i in 1 2 3; do
	echo small >"work/small$i"
done
git -C work add -A && git -C work commit -q -m large
git clone -q --bare --no-hardlinks work plain

# sound FILE NAME: the slug in FILE is the tree, as git archive has it.
rm -rf wanted && mkdir wanted && git -C work archive HEAD | tar -xf - -C wanted
sound() {
	rm -rf out && mkdir out && tar --zstd -xpf "$1" -C out &&
		diff -r out wanted && [ -x out/over ] && [ ! -x out/far ]
	ok $? "$2"
}

slugpack work HEAD >a.tzst
is $? 0 'large blobs are packed'
sound a.tzst 'and are what they were'
slugpack plain HEAD >b.tzst
cmp a.tzst b.tzst
ok $? 'a second time, from a pack, too'
(cd work && slugpack . HEAD) >b.tzst
cmp a.tzst b.tzst
ok $? 'in the folder itself, too'
git -C work worktree add -q ../tree 2>/dev/null
slugpack tree HEAD >b.tzst
cmp a.tzst b.tzst
ok $? 'and in a further work tree'
GIT_DIR=/nowhere GIT_OBJECT_DIRECTORY=/nowhere GIT_CONFIG_COUNT=1 \
	GIT_CONFIG_KEY_0=core.bare GIT_CONFIG_VALUE_0=maybe GIT_TRACE=1 \
	slugpack plain HEAD >b.tzst 2>err
is "$? $(cat err)" '0 ' 'the environment of the caller does not matter'
cmp a.tzst b.tzst
ok $? 'at all'
slugpack --format=gzip work HEAD | gzip -d >from-gzip.tar
zstd -q -d -c a.tzst | cmp - from-gzip.tar
ok $? 'gzip has the same tar file'

# --- objects alone, in folders with odd names
odd='q:1 "\x'
mkdir -p "$odd" empty
commit=$(git -C work rev-parse HEAD)
cp -r plain/objects/. "$odd"
slugpack -O empty -O "$odd" plain "$commit" >b.tzst
cmp a.tzst b.tzst
ok $? 'from object folders of odd names'
slugpack -O "$odd" -O empty plain "$commit" >b.tzst
cmp a.tzst b.tzst
ok $? 'in any order'

# --- a replaced blob is not what was pushed
git -C plain replace "$(git -C plain rev-parse HEAD:far)" \
	"$(git -C plain rev-parse HEAD:over)"
slugpack plain HEAD >b.tzst
cmp a.tzst b.tzst
ok $? 'refs/replace does not count'

# --- memory
zeros=$(head -c 400000000 /dev/zero | git -C plain hash-object -w --stdin)
huge=$(printf '100644 blob %s\tzeros\n' "$zeros" | git -C plain mktree)
huge=$(echo huge | git -C plain commit-tree "$huge")
# shellcheck disable=SC3045
few() {
	(ulimit -v 300000 && "$@")
}
if (few slugpack --version) >/dev/null 2>&1; then
	few slugpack --report=3 plain "$huge" 3>report >b.tzst
	is $? 0 '400 MB within 300 MB of address space'
	like "$(cat report)" '"tree_size": ?400000000' 'and all of them'
	is "$(tar --zstd -xOf b.tzst | wc -c)" 400000000 'are in the slug'
else
	skip 3 'memory cannot be limited'
fi

# peak COMMAND...: the most memory that it had, in KB; by looking often at
# what the kernel keeps of it.
cat >peak <<'EOF'
#!/usr/bin/perl
use POSIX ':sys_wait_h';
my $pid = fork // die;
if (!$pid) { open(STDOUT, '>', '/dev/null'); exec @ARGV or die }
my $peak = 0;
until (waitpid($pid, WNOHANG)) {
	open(my $f, '<', "/proc/$pid/status") or next;
	while (<$f>) { $peak = $1 if /^VmHWM:\s*(\d+)/ && $1 > $peak }
	select(undef, undef, undef, 0.002);
}
print $? ? "failed\n" : "$peak\n";
EOF
chmod +x peak

# Blobs of 7 MB, which are deltas: each takes twice its size to be read.
git init -q --bare sevens
perl -e 'sub noise { pack "N*", map { rand 2**32 } 1 .. $_[0] / 4 }
	print "commit refs/heads/master\ncommitter A <a> 1 +0000\ndata 0\n";
	my $all = noise(7e6);
	for my $i (1 .. 12) {
		my $data = $all;
		substr($data, 4000 * $i, 4000) = noise(4000);
		print "M 100644 inline f$i\ndata 7000000\n$data\n";
	}' | git -C sevens fast-import --quiet
git -C sevens -c pack.threads=1 repack -q -a -d -f --window=1
bytes=$(find sevens/objects/pack -name '*.pack' -printf '%s')
ok $((bytes > 20000000)) 'a pack of deltas'
if grep -q __asan_init "$(command -v slugpack)"; then
	skip 5 'a sanitizer needs memory of its own'
else
	for n in 1 2; do
		kb=$(./peak slugpack --threads=$n sevens master)
		ok $((kb > 65536)) "blobs of 7 MB within 64 MiB: $kb KB, $n threads"
	done
	for n in 1 2 8; do
		rm -rf store && mkdir store
		kb=$(./peak slugpack --threads=$n --store=store \
			--slug=01234567-89ab-4cde-8f01-23456789abcd sevens master)
		ok $((kb > 65536)) "into a store, too: $kb KB, $n threads"
	done
fi

# --- what goes wrong on the way
run slugpack --max-size=20M work HEAD
like "$status $err" '^1  !    Compiled slug size: [34][0-9.]*M is too large' \
	'a slug over its limit is refused with its size'
file=$(git -C work rev-parse HEAD:far | sed 's,^..,&/,')
chmod u+w "work/.git/objects/$file"
# The header stays whole, the end is not there.
truncate -s 20000000 "work/.git/objects/$file"
run slugpack work HEAD
is "$status" 1 'a damaged blob is an error'
like "$err" '^ !    git cat-file: it ended too early$' 'in words'
# libgit2 would read on and on; this takes ten seconds of the processor.
git init -q -b master cut
head -c 10000 /dev/urandom >cut/small
git -C cut add -A && git -C cut commit -q -m small
file=cut/.git/objects/$(git -C cut rev-parse HEAD:small | sed 's,^..,&/,')
chmod u+w "$file" && truncate -s 5000 "$file"
run slugpack --report=3 cut HEAD 3>report
is "$status" 1 'a small one that is cut off ends, too'
like "$err" '^ !    an object of the repository is cut off; git fsck' 'in words'
like "$(cat report)" '^\{"error": \{"id": "internal_server_error", .*cut off' \
	'and in the report'
mkdir path && ln -s "$(command -v slugpack)" path/
run env PATH="$scratch/path" slugpack plain HEAD
is "$status" 1 'without git there are no large blobs'
like "$err" '^ !    cannot run git: No such file' 'in words'
{
	slugpack plain HEAD 2>err
	echo $? >st
} | head -c 1 >/dev/null
is "$(cat st) $(cat err)" '1  !    cannot write the slug: Broken pipe' \
	'a reader that goes away'
mkfifo pipe
slugpack plain "$huge" >pipe 2>err &
pid=$!
exec 9<pipe
within 20 pgrep -P $pid -x git
child=$(pgrep -P $pid -x git)
kill -0 "$child"
ok $? 'git cat-file runs beside slugpack'
kill -9 $pid
wait $pid 2>/dev/null
exec 9<&-
within 10 test ! -d "/proc/$child"
ok $? 'and ends with it, however it ends'

finish
