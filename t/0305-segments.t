#!/bin/sh
# SPDX-License-Identifier: ISC
# slugpack --store: the same bytes however they are made, what a change
# costs, and what is left after faults and kills.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"

# make-files SEED: a commit of 3,000 files for git fast-import.
cat >make-files <<'EOF'
#!/usr/bin/perl
srand($ARGV[0]);
my @words = map { join '', map { chr(97 + rand 26) } 1 .. 3 + rand 6 } 1 .. 999;
sub text { join ' ', map { $words[rand @words] } 1 .. $_[0] }
sub noise { pack 'N*', map { rand 2**32 } 1 .. $_[0] / 4 }
sub file {
	printf "M %s inline %s\ndata %d\n%s\n", @_[0, 1], length $_[2], $_[2];
}
print "commit refs/heads/master\ncommitter A <a> 1 +0000\ndata 1\nx\n";
for my $i (0 .. 2399) {
	file(100644, sprintf('lib/d%02d/f%d', $i / 100, $i), text(20 + rand 400));
}
file(100644, "flat/f$_", text(20 + rand 200)) for 0 .. 599;
file(100755, 'bin/run', "#!/bin/sh\n");
file(120000, 'bin/link', '../lib/d00/f1');
file(100644, 'large/noise', noise(300000));
my $twin = noise(400000);
file(100644, "large/twin$_", $twin) for 1, 2;
file(100644, 'large/text', text(60000));
file(100644, 'large/pieces', 'x' x 9000000);
file(100644, 'Procfile', "web: run\n");
EOF
git init -q --bare repo
perl make-files 1 | git -C repo fast-import --quiet
rev=$(git -C repo rev-parse master)

# store N ARGS...: pack into the store as slug N, with the report; $status.
store() {
	store_as=$(uuid "$1")
	shift
	slugpack --report=3 --store=store --slug="$store_as" "$@" \
		3>report 2>err
	status=$?
}

# same N WANTED NAME: slug N is the slug in the file, and so is its root.
same() {
	cat_slug store "$(uuid "$1")" | cmp - "$2" &&
		cmp "store/slugs/$(uuid "$1")" root
	ok $? "$3"
}

# --- the same bytes
slugpack --threads=1 repo "$rev" >a.tzst
for n in 2 3 8 0; do
	slugpack --threads=$n repo "$rev" | cmp - a.tzst
	ok $? "--threads=$n writes what --threads=1 does"
done
for n in 1 2 3 8; do
	rm -rf store && mkdir store
	store "$n" --threads="$n" repo "$rev"
	[ "$n" -gt 1 ] || cp "store/slugs/$(uuid 1)" root
	same "$n" a.tzst "so does the store with --threads=$n"
done
mkdir store/cache
store 4 --cache=store/cache/app repo "$rev"
same 4 a.tzst 'a second slug is the same'
is "$(wc -c <"store/slugs/$(uuid 4)")" "$(stored)" 'and costs its root'
cp store/cache/app cache
store 5 --cache=store/cache/app repo "$rev"
same 5 a.tzst 'so is one by the cache'
rm -rf store && mkdir -p store/cache && cp cache store/cache/app
store 1 --cache=store/cache/app repo "$rev"
same 1 a.tzst 'and one by the cache into an empty store'
rm -rf store && mkdir store
git init -q --bare other
perl make-files 2 | git -C other fast-import --quiet
store 1 other master
store 2 --format=gzip repo "$rev"
store 3 --level=9 repo "$rev"
store 4 repo "$rev"
same 4 a.tzst 'whatever was packed before'
is "$(unsound store)" '' 'and every digest is right'
like "$(cat report)" "\"size\": ?$(wc -c <a.tzst)," 'the report has its size'
run slugpack --store=store --slug="$(uuid 9)" repo "$rev"
is "$status $out$err" '0 ' 'a pack into a store writes nothing else'

# --- who reads it
git -C repo ls-tree -r -t --name-only "$rev" >wanted
cat_slug store "$(uuid 4)" | tar --zstd -t | sed 's,/$,,' | cmp - wanted
ok $? 'tar --zstd lists it'
if command -v bsdtar >/dev/null; then
	cat_slug store "$(uuid 4)" | bsdtar -tf - | sed 's,/$,,' | cmp - wanted
	ok $? 'so does bsdtar'
else
	skip 1 'no bsdtar'
fi
cat_slug store "$(uuid 2)" >a.tgz
tar -tzf a.tgz | sed 's,/$,,' | cmp - wanted
ok $? 'tar -z lists that of gzip'
gzip -t a.tgz
ok $? 'which gzip finds whole'
gzip -dc a.tgz | cmp - 2>/dev/null "$(zstd -qdc a.tzst >tar && echo tar)"
ok $? 'with the same tar file in it'
slugpack --format=gzip repo "$rev" | cmp - a.tgz
ok $? 'and standard output has the same'
bad=
for n in 2 4; do
	tool=$([ $n = 2 ] && echo gzip || echo zstd)
	for name in $(segments_of store "$(uuid $n)"); do
		tail -c +129 "store/segments/$name" | $tool -qt || bad=$name
		[ "$(tail -c +129 "store/segments/$name" | $tool -dc |
			wc -c)" -eq "$(awk '{ print $6; exit }' \
			"store/segments/$name")" ] || bad=$name
	done
done
is "$bad" '' 'each segment is whole by itself, and as long as it says'
ok $(($(segments_of store "$(uuid 2)" | wc -l) < 20)) 'and there are many'

# --- two apps
rm -rf store && mkdir store
cp -r repo/objects/. other/objects/
git -C other read-tree "$rev"
printf '100644 %s 0\tflat/zzz\n' "$(git -C repo rev-parse "$rev:bin/run")" |
	git -C other update-index --index-info
shared=$(echo shared | git -C other commit-tree "$(git -C other write-tree)")
store 1 repo "$rev"
first=$(stored)
find store/segments -type f -printf '%i %f\n' | sort >before
store 2 other "$shared"
find store/segments -type f -printf '%i %f\n' | sort >after
is "$status $(comm -23 before after)" '0 ' \
	'what two apps share is not written again'
ok $(($(stored) * 20 > first)) 'and is not paid for'
is "$(unsound store)" '' 'and sound'

# --- a change
# change TEXT: a commit on master of these commands of git fast-import.
change() {
	printf 'commit refs/heads/master\ncommitter A <a> 1 +0000\ndata 1\nx\n%b' \
		"from refs/heads/master^0\n$1" | git -C repo fast-import --quiet
	rev=$(git -C repo rev-parse master)
}
rm -rf store && mkdir -p store/cache
store 1 --cache=store/cache/app repo "$rev"
most=0 most_pages=0 n=1
for path in lib/d00/f0 lib/d11/f1150 lib/d23/f2399 flat/f0 flat/f33 \
	flat/f599 bin/run Procfile large/noise lib/d05/new new; do
	find store/segments -printf '%f\n' | sort >before
	change "M 100644 inline $path\ndata 12\nweb: changed\n"
	n=$((n + 1))
	store $n --cache=store/cache/app repo "$rev"
	find store/segments -printf '%f\n' | sort | comm -13 before - >new
	pages=$(grep -c page new)
	others=$(grep -vc page new)
	[ "$others" -le "$most" ] || most=$others
	[ "$pages" -le "$most_pages" ] || most_pages=$pages
	[ "$others" -gt 0 ] || diag "no new segment for $path"
	[ "$others$pages" = 11 ] ||
		diag "$path: $others segments, $pages pages"
done
ok $((most < 1 || most > 3)) 'a changed file is three segments at most'
ok $((most_pages < 1 || most_pages > 2)) 'and two pages'
slugpack repo "$rev" >b.tzst
cat_slug store "$(uuid $n)" | cmp - b.tzst
ok $? 'and the slug is that of a whole pack'

# moved NAME: the slug by the cache is that without, and what is in it.
moved() {
	n=$((n + 1))
	store $n --cache=store/cache/app repo "$rev"
	slugpack repo "$rev" >b.tzst
	cat_slug store "$(uuid $n)" | cmp - b.tzst &&
		git -C repo ls-tree -r -t --name-only "$rev" >wanted &&
		tar --zstd -tf b.tzst | sed 's,/$,,' | cmp - wanted
	ok $? "$1"
}
change 'R lib/d07 lib/d77\n'
moved 'a renamed folder'
change 'R lib/d08 deep/er/d08\n'
moved 'one that is moved'
change 'R lib flat/lib\n'
moved 'a large one into another'
change 'D flat/lib\nM 100644 inline flat/lib\ndata 1\nx\n'
moved 'a file in place of it'
change 'C flat flat0\n'
moved 'a twin'
change 'D flat0\n'
moved 'which goes'
change 'M 100644 inline .slugignore\ndata 9\nf1*\nbin/\n\n'
n=$((n + 1))
store $n --cache=store/cache/app repo "$rev"
slugpack repo "$rev" >b.tzst
cat_slug store "$(uuid $n)" | cmp - b.tzst
ok $? 'a .slugignore'

# A tree over CUT_LARGE_TREE is cut otherwise, as a whole.
git init -q --bare grown
perl make-files 4 | git -C grown fast-import --quiet
mv repo small && mv grown repo
before=$(git -C repo rev-parse master)
change "M 100644 $(head -c 130000000 /dev/zero |
	git -C repo hash-object -w --stdin) zeros\n"
rm -rf store && mkdir -p store/cache
for commit in "$before" "$rev" "$before"; do
	n=$((n + 1))
	store $n --cache=store/cache/app repo "$commit"
	slugpack repo "$commit" >large.tzst
	cat_slug store "$(uuid $n)" | cmp - large.tzst
	ok $? 'a tree that grows a lot, and shrinks'
done
rm -rf repo && mv small repo
rev=$(git -C repo rev-parse master)

# --- --verify
rm -rf store && mkdir -p store/cache
store 1 --cache=store/cache/app repo "$rev"
cp "store/slugs/$(uuid 1)" root
victim=store/segments/$(segments_of store "$(uuid 1)" | sed -n 5p)
page=store/segments/$(pages_of store "$(uuid 1)" | head -n 1).page
store 1 --verify --cache=store/cache/app repo "$rev"
verified=$(stored)

# flip FILE OFFSET: another byte there.
flip() {
	perl -e 'open(my $f, "+<:raw", $ARGV[0]) or die; seek $f, $ARGV[1], 0;
		read $f, my $c, 1; seek $f, $ARGV[1], 0;
		print $f chr(ord($c) ^ 1)' "$1" "$2"
}

# mends NAME: what was done to a segment is undone by --verify, which stores
# it again; more, where the report did not count the segment before.
mends() {
	store 2 --verify --cache=store/cache/app repo "$rev"
	is "$status $(cat err)" '0 ' "--verify goes over $1"
	same 2 b.tzst 'and the slug is whole again'
	is "$(unsound store)" '' 'with all of the store'
	ok $(($(stored) <= verified)) 'which the report counts'
}
flip "$victim" 200
mends 'a flipped byte'
flip "$victim" 20
mends 'one in its header'
truncate -s 150 "$victim"
mends 'a segment that was cut off'
truncate -s 0 "$victim"
mends 'an empty one'
rm "$victim"
mends 'a missing one'
rm "$victim" && ln -s /etc/passwd "$victim"
mends 'a link in its place'
is "$(find store -type l)" '' 'which is gone'
flip "$page" 10
store 2 --verify repo "$rev"
same 2 b.tzst 'a page that was damaged is mended'
is "$(unsound store)" '' 'too'
rm "$victim"
store 2 --cache=store/cache/app repo "$rev"
same 2 b.tzst 'a missing segment is made without --verify'
truncate -s 150 "$victim"
store 2 repo "$rev"
same 2 b.tzst 'and one that was cut off, where the cache is not asked'
rm "$victim" && mkdir "$victim"
store 3 --verify repo "$rev"
like "$status $(cat err)" "^1  !    $victim: Is a directory" \
	'a folder in its place is an error'
[ ! -e "store/slugs/$(uuid 3)" ]
ok $? 'without a slug'
is "$(find store -name '*.tmp')" '' 'and without a trace'

# --- faults and kills
# A search for leaks does not work under strace.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
if ! strace -o /dev/null true 2>/dev/null; then
	skip 14 'strace cannot trace here'
	finish
fi

# Many segments are flushed otherwise than a few.
git init -q --bare many
perl make-files 3 | git -C many fast-import --quiet
git init -q --bare few
perl -e 'srand 1; print "commit refs/heads/master\n",
	"committer A <a> 1 +0000\ndata 1\nx\n";
	for (1 .. 8) { my $d = pack "N*", map { rand 2**32 } 1 .. 40000;
		printf "M 100644 inline f%d\ndata %d\n%s\n", $_, length $d, $d }
	' | git -C few fast-import --quiet

# under INJECTION REPO ARGS...: pack it under strace with that injection.
under() {
	injection=$1
	repo=$2
	shift 2
	strace -f -qq -o /dev/null -e inject="$injection" \
		slugpack --store=store --slug="$(uuid 2)" \
		--cache=store/cache/app "$@" "$repo" master 2>err
}

fresh_store() {
	rm -rf store && mkdir -p store/cache
}

# killed REPO CALL...: at the first of these calls, the second and so on, in
# growing steps, until there are no more; sets $kills and $bad.
killed() {
	slugpack "$1" master >wanted.tzst
	repo=$1
	shift
	kills=0
	bad=
	for call; do
		n=1
		while fresh_store
			under "$call:signal=KILL:when=$n" "$repo" --threads=2
			st=$?
			[ $st -ne 0 ]
		do
			kills=$((kills + 1))
			after_kill "$repo" || bad="$bad $call:$n"
			n=$((n + 1 + n / 12))
		done
	done
}

# A root only if all is there; nothing by its own name that is not whole;
# and the next pack goes through. It may have been git that was killed.
after_kill() {
	[ $st -eq 137 ] || grep -q '^ !    git cat-file: it' err || return 1
	[ -z "$(unsound store)" ] || return 1
	if [ -e "store/slugs/$(uuid 2)" ]; then
		cat_slug store "$(uuid 2)" | cmp -s - wanted.tzst || return 1
	fi
	slugpack --store=store --slug="$(uuid 3)" --cache=store/cache/app \
		"$1" master || return 1
	cat_slug store "$(uuid 3)" | cmp -s - wanted.tzst &&
		[ -z "$(unsound store)" ]
}
killed few openat write pwrite64 fsync rename
is "$bad" '' 'a pack that is killed leaves nothing half made'
ok $((kills < 30)) "at any of $kills points"
killed many pwrite64 syncfs fsync rename
is "$bad" '' 'nor does a large one'
ok $((kills < 20)) "at any of $kills points"

# faulty REPO CALL ERROR WORDS: each of these calls fails: an error in
# words, no slug, no trace. Sets $faults and $bad. One thread, or a second
# one's fault could be that of the words.
faulty() {
	faults=0
	bad=
	n=1
	while fresh_store
		under "$2:error=$3:when=$n" "$1" --threads=1
		st=$?
		[ $st -ne 0 ]
	do
		faults=$((faults + 1))
		[ $st -eq 1 ] && grep -q "^ !    .*$4\$" err &&
			[ ! -e "store/slugs/$(uuid 2)" ] &&
			[ -z "$(find store -name '*.tmp')" ] &&
			[ -z "$(unsound store)" ] ||
			bad="$bad $n:$st:$(cat err)"
		n=$((n + 1))
	done
}
faulty few write ENOSPC 'No space left on device'
is "$bad" '' 'a full disk is an error in words, and leaves nothing'
ok $((faults < 5)) "at any of $faults writes"
faulty few pwrite64 ENOSPC 'No space left on device'
is "$bad $((faults > 0))" ' 1' 'at a header, too'
faulty few fsync EIO 'Input/output error'
is "$bad" '' 'so is a flush that fails'
ok $((faults < 5)) "any of $faults"
faulty many syncfs EIO 'Input/output error'
is "$bad $((faults > 0))" ' 1' 'or that of a file system'
faulty few rename ENOSPC 'No space left on device'
is "$bad" '' 'or a name'
ok $((faults < 5)) "any of $faults"

# --- what one name stands for
# commit_files: a commit of all in the folder work; prints it.
commit_files() {
	git --git-dir=odd --work-tree=work add -A
	git --git-dir=odd --work-tree=work commit -q -m 'As it is'
	git --git-dir=odd rev-parse HEAD
}
# packed_alike REV NAME: with what the store and the cache have, and anew.
packed_alike() {
	slugpack --store=store --slug="$(uuid 1)" --cache=kept/odd odd "$1"
	rm -rf fresh
	mkdir fresh
	slugpack --store=fresh --slug="$(uuid 1)" odd "$1"
	cmp "store/slugs/$(uuid 1)" "fresh/slugs/$(uuid 1)"
	ok $? "$2"
}
fresh_store
mkdir -p work kept
git init -q --bare odd
head -c 200000 large.tzst >work/x1
cp work/x1 work/x2
head -c 1000000 large.tzst >work/y
packed_alike "$(commit_files)" 'twins are packed'
head -c 140000000 /dev/zero >work/zeros
packed_alike "$(commit_files)" 'in a large tree they are strangers'
rm work/zeros

# Their FNV-1a is the same.
mkdir -p work/8yn0iYCKYHlIj4-BwPqk
mv work/y work/8yn0iYCKYHlIj4-BwPqk
packed_alike "$(commit_files)" 'a folder'
mv work/8yn0iYCKYHlIj4-BwPqk work/GReLUrM4wMqfg9yzV3KQ
packed_alike "$(commit_files)" 'is not taken for one of the same hash'

# Of many that went, the rest is found in the cache all the same.
for i in $(seq 100 299); do
	echo "$i" >"work/a$i"
done
packed_alike "$(commit_files)" 'many files'
rm work/a1*
packed_alike "$(commit_files)" 'and half of them'

finish
