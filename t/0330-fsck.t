#!/bin/sh
# SPDX-License-Identifier: ISC
# Slugs from outside: slugctl cat-slug, and what slugctl fsck finds and mends.

# shellcheck disable=SC2317 # damaged calls some of the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

own_exec_path
make_dir && start_slugd && make_app myapp
n=0
while [ $n -lt 40 ]; do
	n=$((n + 1))
	mkdir -p work/part$n
	head -c 20000 /dev/urandom | base64 >work/part$n/file
done
git -C work add . && git -C work commit -q -m 'Some files'
git -C work push -q heroku master 2>/dev/null
for n in 1 2; do
	echo "$n" >>work/index.html
	git -C work commit -q -a -m "Change $n"
	git -C work push -q heroku master 2>/dev/null
done
repo=$dir/repos/myapp.git

# slug VERSION: its uuid.
slug() {
	api GET "/apps/myapp/releases/$1" |
		sed 's/.*"slug":{"id":"\([^"]*\)".*/\1/'
}
slug2=$(slug 2)
slug3=$(slug 3)
slug4=$(slug 4)

# --- slugctl cat-slug ---

for id in "$slug2" myapp:v2 myapp:2; do
	slugctl -d "$dir" cat-slug "$id" >got.tar.zst
	is $? 0 "cat-slug $id"
	slugpack "$repo" HEAD~2 | cmp - got.tar.zst
	is $? 0 'gives the bytes that slugpack gives'
done
is "$(slugctl -d "$dir" cat-slug "$slug2" | tar --zstd -t | grep -v '/$' |
	sort)" "$(git -C work ls-tree -r --name-only HEAD~2 | sort)" \
	'tar lists its files'
slugctl -d "$dir" cat-slug myapp | tar --zstd -xO index.html >got
is "$(cat got)" "$(cat work/index.html)" 'an app stands for what it runs'
sed 's/^\[launch\]/[slug]\ncompression = gzip\n&/' "$dir/slugd.ini" >ini &&
	cat ini >"$dir/slugd.ini"
stop_slugd
start_slugd
echo gzip >>work/index.html
git -C work commit -q -a -m 'By gzip'
git -C work push -q heroku master 2>/dev/null
slug5=$(slug 5)
is "$(slugctl -d "$dir" cat-slug myapp | tar -z -xO index.html)" \
	"$(cat work/index.html)" 'tar reads one of gzip, too'
isnt "$slug4" "$slug5" 'which is another slug'
sed '/^compression/d' "$dir/slugd.ini" >ini && cat ini >"$dir/slugd.ini"
for wrong in nobody myapp:v9 myapp:v1 myapp: \
	00000000-0000-4000-8000-000000000000; do
	run slugctl -d "$dir" cat-slug $wrong
	is "$status $out" '1 ' "cat-slug $wrong: refused"
	isnt "$err" '' "in words: $err"
done
run slugctl -d "$dir" cat-slug
is "$status" 1 'one is to be named'
run script -qec "slugctl -d $dir cat-slug myapp" /dev/null
is "$status" 1 'not to a terminal'
like "$out" 'a slug is not for a terminal' 'in words'

# --- the API's checksum ---

# checksum UUID: as the API says it.
checksum() {
	api GET "/apps/myapp/slugs/$1" |
		sed 's/.*"checksum":\([^,]*\),.*/\1/; s/"//g'
}
kept() {
	sqlite3 "$dir/ledger.db" \
		"SELECT checksum FROM slug WHERE uuid = '$1'"
}
for id in "$slug2" "$slug5"; do
	is "$(kept "$id")" '' 'a checksum that nobody asked for is not computed'
	is "$(checksum "$id")" \
		"SHA256:$(slugctl -d "$dir" cat-slug "$id" | sum)" \
		'the checksum is that of all bytes of a slug'
	is "$(kept "$id")" "$(checksum "$id")" 'and it is kept'
done
moved=$(lines_of "$dir" "$slug3" | sed -n '1s/ .*//p')
mv "$dir/segments/$moved" moved
is "$(checksum "$slug3")" null 'a damaged slug has none'
like "$(cat slugd.log)" "checksum of slug $slug3: .*$moved is missing" \
	'and the log says why'
mv moved "$dir/segments/$moved"
like "$(checksum "$slug3")" '^SHA256:[0-9a-f]{64}$' 'once it is whole it has'

# --- slugctl fsck ---

fsck() {
	run slugctl -d "$dir" fsck "$@"
}

# sound MENDED: what fsck says in the end.
sound() {
	printf '%s\n' "$out" | grep -v -e '^/' -e '^slug' >last
	is "$status $err$(cat last)" "0 ${1:+$1
}ledger ok: 1 app, 5 releases, 4 slugs" "${2:-all is well}"
}

# mended N: those words.
mended() {
	case $1 in
	1) echo '1 slug mended: all of them are whole now' ;;
	*) echo "$1 slugs mended: all of them are whole now" ;;
	esac
}

fsck
sound ''
is "$(printf '%s\n' "$out" | wc -l)" 1 'in one line'
cp -a "$dir/segments" "$dir/slugs" "$scratch/"
for id in "$slug2" "$slug3" "$slug4" "$slug5"; do
	slugctl -d "$dir" cat-slug "$id" >"$scratch/$id"
done

# own FILE of a slug that no other one has; shared by several.
segments() {
	lines_of "$dir" "$1" | cut -d ' ' -f 1 | sort
}
segments "$slug2" >of2
segments "$slug3" >of3
own=$dir/segments/$(comm -23 of2 of3 | head -n 1)
shared=$dir/segments/$(comm -12 of2 of3 | head -n 1)
page=$dir/segments/$(sed -n 's/^page //p' "$dir/slugs/$slug2" |
	head -n 1).page
root=$dir/slugs/$slug2

# damaged NAME LINE MENDED COMMAND...: fsck says LINE, and MENDED are mended.
damaged() {
	name=$1
	line=$2
	mended=$3
	shift 3
	"$@"
	find "$dir/segments" "$dir/slugs" -type f -exec sha256sum {} + |
		sort >before
	fsck --dry-run
	is "$status" 1 "$name: found"
	like "$out" "$line" 'by name'
	like "$err" "^ !    $mended of 4 slugs (is|are) damaged" 'and counted'
	find "$dir/segments" "$dir/slugs" -type f -exec sha256sum {} + |
		sort | cmp -s - before
	is $? 0 'a dry run changes nothing'
	fsck
	sound "$(mended "$mended")" 'fsck mends it'
	like "$out" '^slug .* of myapp v[0-9]: repacked$' 'and says so'
	fsck
	sound '' 'and then it is'
	for id in "$slug2" "$slug3" "$slug4" "$slug5"; do
		slugctl -d "$dir" cat-slug "$id" | cmp - "$id"
	done >bad 2>&1
	is "$(cat bad)" '' 'byte for byte'
}

damaged 'a flipped byte' "^$own is damaged: its digest" 1 flip "$own" 200
damaged 'a flipped byte of a header' "^$own is damaged" 1 flip "$own" 20
damaged 'a cut segment' "^$own is damaged" 1 truncate -s -5 "$own"
damaged 'an empty segment' "^$own is damaged" 1 truncate -s 0 "$own"
damaged 'a missing segment' "^$own is missing" 1 rm "$own"
damaged 'a shared segment' "^$shared is damaged" 3 flip "$shared" 300
fsck
rm "$shared"
run slugctl -d "$dir" fsck --dry-run
is "$(printf '%s\n' "$out" | grep -c "^$shared is missing")" 1 \
	'a shared segment is named once'
is "$(printf '%s\n' "$out" | grep -c '^slug .* of myapp v[234]: 1 of its')" \
	3 'and so is each slug that has it'
fsck
sound "$(mended 3)"
damaged 'a flipped byte of a page' "of myapp v2: $page is damaged" \
	"$(grep -lF "$(basename "$page" .page)" "$dir"/slugs/* | wc -l)" \
	flip "$page" 30
damaged 'a missing page' "of myapp v2: $page is missing" \
	"$(grep -lF "$(basename "$page" .page)" "$dir"/slugs/* | wc -l)" \
	rm "$page"
damaged 'a damaged root' "of myapp v2: $root is damaged" 1 flip "$root" 40
damaged 'a missing root' "of myapp v2: $root is missing" 1 rm "$root"
damaged 'one of gzip' "of myapp v5: 1 of its .* is damaged" 1 \
	flip "$dir/segments/$(segments "$slug5" | head -n 1)" 400

# Slugs of an earlier slugd.
earlier() {
	mv "$root" "$root.tar.zst"
}
damaged 'a slug of an earlier slugd' "of myapp v2: $root is missing" 1 earlier
is "$(echo "$dir"/slugs/*.tar.*)" "$dir/slugs/*.tar.*" 'its file goes'
rm "$dir/slugs/$slug5"
: >"$dir/slugs/$slug5.tar.gz"
fsck
sound "$(mended 1)"
slugctl -d "$dir" cat-slug "$slug5" | cmp - "$slug5"
is $? 0 'its format is kept'

# All of it.
rm -r "$dir/segments" "$dir/slugs"
mkdir "$dir/segments" "$dir/slugs"
fsck
is "$status" 0 'a store of which nothing is left is packed anew'
like "$out" '^4 slugs mended' 'all of it'
for id in "$slug2" "$slug3" "$slug4"; do
	slugctl -d "$dir" cat-slug "$id" | cmp - "$id"
done >bad 2>&1
is "$(cat bad)" '' 'byte for byte'
is "$(slugctl -d "$dir" cat-slug "$slug5" | tar --zstd -xO index.html)" \
	"$(cat work/index.html)" \
	'in the format of slugd.ini, where nothing tells another one'
slugctl -d "$dir" cat-slug "$slug5" >"$scratch/$slug5"
is "$(checksum "$slug5")" "SHA256:$(sum <"$slug5")" 'and it has that checksum'

# What nothing can be packed from.
rm "$own" "$root"
mv "$repo" away.git
fsck
is "$status" 1 'a repository that is gone'
like "$out" "^slug $slug2 of myapp v2: could not be repacked: .*" 'is a reason'
like "$err" '^ !    1 of 4 slugs is damaged$' 'in words'
mv away.git "$repo"
commit=$(git -C "$repo" rev-parse HEAD~3)
object=$repo/objects/$(expr "$commit" : '\(..\)')/$(expr "$commit" : '..\(.*\)')
mv "$object" object
fsck
is "$status" 1 'a commit that is gone'
like "$out" "^slug $slug2 of myapp v2: could not be repacked: .*$commit" \
	'is named'
for id in "$slug3" "$slug4" "$slug5"; do
	slugctl -d "$dir" cat-slug "$id" | cmp - "$id"
done >bad 2>&1
is "$(cat bad)" '' 'the others are not worse off'
run slugctl -d "$dir" cat-slug "$slug2"
is "$status" 1 'cat-slug of a damaged one fails'
like "$err" "$root is missing" 'in words'
mv object "$object"
fsck
sound "$(mended 1)" 'once the commit is there it is mended'
flip "$own" 250
slugctl -d "$dir" cat-slug "$slug2" >begun 2>err
is $? 1 'cat-slug ends at a damaged segment'
like "$(cat err)" "^ !    $own is damaged" 'with its name'
is "$(head -c "$(wc -c <begun)" "$slug2" | cmp - begun 2>&1)" '' \
	'and wrote none of its bytes'
fsck

# A root that no release has.
other=$dir/slugs/00000000-0000-4000-8000-000000000000
cp "$root" "$other"
flip "$other" 50
fsck
is "$status" 0 'what no release needs need not be whole'
like "$out" "^slug 00000000-.*, which no release has: $other is damaged" \
	'but is named'
rm "$other"

# Nothing is removed meanwhile.
rm "$own"
hold slugpack
slugctl -d "$dir" fsck >fsck.out 2>&1 &
fsck_pid=$!
held slugpack
flock -n "$dir/segments/lock" true
is $? 1 'fsck has the lock of the store'
kill -9 $fsck_pid
wait $fsck_pid 2>/dev/null
let_go slugpack
within 20 test -e "$own"
ok $? 'killed in the middle, its slugpack goes on'
fsck
sound ''

# The ledger first.
rm "$root"
sqlite3 "$dir/ledger.db" 'DROP TRIGGER release_is_a_fact;
	UPDATE release SET status = 9 WHERE version = 3'
fsck
is "$status $(test -e "$root" && echo there)" '1 ' \
	'nothing is mended by a broken ledger'
sqlite3 "$dir/ledger.db" 'UPDATE release SET status = 1 WHERE version = 3'
fsck
echo after >>work/index.html
git -C work commit -q -a -m 'After that'
run git -C work push heroku master
is "$status" 0 'slugd, which ran all the time, goes on'
run slugctl -d "$dir" fsck --dry
is "$status" 1 'an option that is none is refused'

# A gzip slug, where [slug] says zstd and a level that gzip has not.
sed 's/^\[slug\]/&\ncompression = gzip/' "$dir/slugd.ini" >ini &&
	cat ini >"$dir/slugd.ini"
stop_slugd
start_slugd
echo gzip again >>work/index.html
git -C work commit -q -a -m 'By gzip again'
git -C work push -q heroku master 2>/dev/null
sed 's/^compression.*/level = 12/' "$dir/slugd.ini" >ini &&
	cat ini >"$dir/slugd.ini"
stop_slugd
start_slugd
slug7=$(slug 7)
flip "$dir/segments/$(segments "$slug7" | head -n 1)" 400
fsck
is "$status" 0 'gzip slugs are mended where the level is above that of gzip'
like "$out" "^slug $slug7 of myapp v7: repacked$" 'and named'
is "$(slugctl -d "$dir" cat-slug "$slug7" | tar -z -xO index.html)" \
	"$(cat work/index.html)" 'and stay gzip'

# A push that is dropped meanwhile.
gone=ffffffff-ffff-4fff-bfff-ffffffffffff
sqlite3 "$dir/ledger.db" "CREATE TEMP TABLE s AS
	SELECT * FROM slug WHERE uuid = '$slug2';
	UPDATE s SET id = NULL, uuid = '$gone';
	INSERT INTO slug SELECT * FROM s"
checksum "$slug2" >/dev/null
isnt "$(kept "$slug2")" '' 'a checksum is kept'
rm "$root"
hold slugpack
slugctl -d "$dir" fsck >fsck.out 2>&1 &
fsck_pid=$!
held slugpack
is "$(kept "$slug2")" '' 'and forgotten before slugpack runs'
sqlite3 "$dir/ledger.db" "DELETE FROM slug WHERE uuid = '$gone'"
let_go slugpack
wait $fsck_pid
is "$?" 0 'a slug that goes meanwhile is none that is damaged'
like "$(cat fsck.out)" "^slug $gone of myapp: .* is missing" 'which it was'

# A ledger put back from a backup, where slugd has not started yet.
mkdir back
cp "$dir/slugd.ini" back/
cp -a "$dir/repos" back/
sqlite3 "$dir/ledger.db" '.backup back/ledger.db'
run slugctl -d "$scratch/back" fsck --dry-run
is "$status" 1 'without a store, every slug is damaged'
like "$err" '^ !    6 of 6 slugs are damaged$' 'in words'
is "$(ls back)" "$(printf 'ledger.db\nrepos\nslugd.ini')" 'a dry run makes none'
mkdir back/segments
run slugctl -d "$scratch/back" fsck --dry-run
is "$status $(ls back/segments)" '1 ' 'nor a lock, which would be of root'
rmdir back/segments
run slugctl -d "$scratch/back" fsck
is "$status $err" '0 ' 'fsck makes one'
like "$out" '^6 slugs mended' 'with every slug'

# What was not kept.
sed 's/^\[slug\]/&\nkeep = 2/' "$dir/slugd.ini" >ini &&
	cat ini >"$dir/slugd.ini"
stop_slugd
start_slugd
slugctl -d "$dir" gc >/dev/null
run slugctl -d "$dir" cat-slug myapp:v2
is "$status $out$err" '1  !    v2 of myapp is expired, its slug is gone' \
	'cat-slug says what is expired'

finish
