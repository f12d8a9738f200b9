#!/bin/sh
# SPDX-License-Identifier: ISC
# slugpack: what is in a slug, the same bytes again and again, the report,
# and what is refused.
. "$(dirname "$0")/lib/test.sh"

# pack FILE ARGS...: a slug into FILE, its report into $report.
pack() {
	file=$1
	shift
	slugpack --report=3 "$@" >"$file" 2>"$scratch/.err" 3>"$scratch/.report"
	status=$?
	err=$(cat "$scratch/.err")
	report=$(cat "$scratch/.report")
}

# field NAME: of the last report, strings without their quotes.
field() {
	printf '%s' "$report" | perl -MJSON::PP -e '
		local $/; my $v = decode_json(<STDIN>);
		$v = $v->{$_} for split /\./, $ARGV[0];
		binmode STDOUT, ":utf8";
		print ref $v ? JSON::PP->new->canonical->encode($v)
			: $v // "null"' "$1"
}

sum() {
	sha256sum <"$1" | cut -d' ' -f1
}

# listing ARCHIVE: "MODE TIME PATH" of each entry.
listing() {
	tar --zstd -tvf "$1" | sed -E 's/ +root\/root +[0-9]+ / /'
}

# --- an app with all that a tree may have
git init -q -b master work
cd work || exit 1
printf 'web: exec perl server.pl\nworker: ruby work.rb  -v\n' >Procfile
printf 'hello\n' >index.html
printf '#!/bin/sh\n' >run.sh && chmod +x run.sh
mkdir -p lib/deep/er
printf 'x\n' >lib/deep/er/x
head -c 3000000 /dev/urandom >lib/noise
: >empty
ln -s lib/deep/er/x link
ln -s /etc/passwd outside
ln -s 'target with
newline' oddlink
long=$(printf '%0120d' 7)
mkdir -p "$long"
printf 'long\n' >"$long/$long"
ln -s "$long/$long" "$long/link-to-long"
printf 'umlaut\n' >"$(printf 'gr\303\274n')"
printf 'latin\n' >"$(printf 'latin\344')"
printf 'newline\n' >'new
line'
printf 'star\n' >'st*r \ "q"'
printf '%s\n' '*.html export-ignore' '*.sh eol=crlf' \
	'subst ident export-subst filter=lfs' \
	>.gitattributes
printf '\044Id\044 \044Format:%%H\044\n' >subst
git add -A 2>/dev/null && git commit -q -m 'A first page'
cd .. || exit 1
commit=$(git -C work rev-parse HEAD)

pack a.tzst work HEAD
is "$status" 0 'an app is packed'
is "$err" '' 'with nothing to say'
git clone -q --bare work plain
mkdir out wanted
tar --zstd -xpf a.tzst -C out
git -C work archive HEAD | tar -xf - -C wanted
# git archive heeds attributes, a slug does not.
git -C work cat-file blob HEAD:index.html >wanted/index.html
git -C work cat-file blob HEAD:run.sh >wanted/run.sh
git -C work cat-file blob HEAD:subst >wanted/subst
diff -r --no-dereference out wanted
ok $? 'unpacked it is what git archive gives, and without attributes'
like "$(listing a.tzst)" '^-rwxr-xr-x 1980-01-01 00:00 run\.sh$' \
	'an executable file is one, with the fixed time'
like "$(listing a.tzst)" '^-rw-r--r-- .* index\.html$' 'a plain file is not'
like "$(listing a.tzst)" '^drwxr-xr-x .* lib/deep/$' 'folders are entries'
like "$(listing a.tzst)" '^lrwxrwxrwx .* link -> lib/deep/er/x$' \
	'a symlink is one'
is "$(tar --zstd --numeric-owner -tvf a.tzst | awk '{ print $2 }' | sort -u)" \
	0/0 'all belongs to 0:0'
is "$(tar --zstd -tf a.tzst --quoting-style=literal | sed 's,/$,,')" \
	"$(git -C work ls-tree -r -t -z --name-only HEAD | tr '\0' '\n')" \
	'entries are in the order of git'
is "$(tar --zstd -xf a.tzst -O 2>&1 >/dev/null)" '' 'tar has no complaint'

# --- the report
is "$(field commit)" "$commit" 'the report has the commit'
is "$(field commit_description)" 'A first page' 'its subject'
is "$(field process_types)" \
	'{"web":"exec perl server.pl","worker":"ruby work.rb  -v"}' \
	'the process types'
is "$(field size)" "$(wc -c <a.tzst)" 'the packed size'
is "$(field tree_size)" "$(git -C work ls-tree -r -l HEAD |
	awk '{ n += $4 } END { print n }')" 'the unpacked size'
is "$(field entries)" "$(git -C work ls-tree -r -t -z --name-only HEAD |
	tr -cd '\0' | wc -c)" 'and the number of entries'
is "$(field stored) $(field notices)" '0 []' 'nothing stored, no notices'
is "$(wc -l <.report)" 1 'on one line'

# --- the same bytes
wanted=$(sum a.tzst)
pack b.tzst work HEAD
is "$(sum b.tzst)" "$wanted" 'a second run gives the same bytes'
locales='POSIX C.UTF-8'
mkdir locales
localedef -i de_DE -f ISO-8859-1 "$scratch/locales/de_DE.ISO-8859-1" \
	>/dev/null 2>&1 && locales="$locales de_DE.ISO-8859-1"
for locale in $locales; do
	LOCPATH=$scratch/locales LC_ALL=$locale slugpack work HEAD >b.tzst
	is "$(sum b.tzst)" "$wanted" "so does locale $locale"
done
(umask 077 && TZ=Asia/Tokyo slugpack plain "$commit" >b.tzst)
is "$(sum b.tzst)" "$wanted" 'and another repository, zone and umask'
git -C plain repack -q -a -d
slugpack plain HEAD >b.tzst
is "$(sum b.tzst)" "$wanted" 'and objects in a pack'
taskset 1 slugpack plain HEAD >b.tzst 2>/dev/null ||
	slugpack plain HEAD >b.tzst
is "$(sum b.tzst)" "$wanted" 'and one processor'
slugpack --level=9 work HEAD >b.tzst
isnt "$(sum b.tzst)" "$wanted" 'another level gives others'
zstd -q -t a.tzst
ok $? 'zstd finds it whole'
like "$(zstd -lv a.tzst 2>&1)" '^Check: XXH64' 'by a checksum'

# --- gzip
slugpack --format=gzip work HEAD >a.tgz
sleep 1.1
slugpack --format=gzip work HEAD >b.tgz
is "$(sum b.tgz)" "$(sum a.tgz)" 'gzip gives the same bytes a second later'
zstd -q -d -c a.tzst >from-zstd.tar
gzip -d -c a.tgz | cmp -s - from-zstd.tar
ok $? 'which have the same tar file in them'
run slugpack --format=gzip --level=10 work HEAD
is "$status $out" '1 ' 'gzip has no level 10'

# --- revisions
git -C work tag -a -m one one
git -C work -c advice.nestedTag=false tag -a -m two two one
git -C work tag -a -m tree tree 'HEAD^{tree}'
for rev in master one two "$commit" HEAD^0; do
	slugpack work "$rev" >b.tzst
	is "$(sum b.tzst)" "$wanted" "$rev is that commit"
done
(cd work && slugpack . HEAD) >b.tzst
is "$(sum b.tzst)" "$wanted" 'in the folder itself, too'
run slugpack work tree
is "$status" 1 'a tag of a tree is refused'
like "$err" "^ !    'tree' is a tag, and leads to no commit" 'in words'
run slugpack work nothing
is "$status" 1 'so is an unknown revision'
like "$err" "^ !    no commit 'nothing' in work" 'in words'
run slugpack nowhere HEAD
is "$status" 1 'and a folder that is not there'
like "$err" '^ !    nowhere is not a git repository' 'in words'
run slugpack work/lib HEAD
like "$status $err" '^1  !    work/lib is not a git repository' \
	'and one within a work tree: nothing is searched for'
pack b.tzst work nothing
is "$status $(field error.id)" '1 not_found' 'the report has the id'
is "$(field error.message)" "no commit 'nothing' in work" 'and the message'
is "$(wc -c <b.tzst)" 0 'and nothing is written'

# --- the command line
run slugpack work
is "$status $out" '1 ' 'a missing argument is refused'
like "$err" '^ !    usage: slugpack' 'with the usage'
run slugpack --nonsense work HEAD
like "$status $err" '^1  !    no option --nonsense' 'an unknown option, too'
run slugpack --max-size=10Q work HEAD
like "$status $err" "^1  !    --max-size: '10Q' is not a size" 'a bad size'
run slugpack --format=rar work HEAD
like "$status $err" "^1  !    --format: 'rar'" 'a bad format'
run slugpack --level=20 work HEAD
like "$status $err" "^1  !    --level: '20'" 'a bad level'
run slugpack --report=77 work HEAD
like "$status $err" '^1  !    --report: descriptor 77 is not open' \
	'a report to a closed descriptor'
run slugpack --report=1 work HEAD
is "$status" 1 'a report into the slug'
uuid=01234567-89ab-4cde-8f01-23456789abcd
run slugpack --threads=257 work HEAD
like "$status $err" "^1  !    --threads: '257'" 'too many threads'
run slugpack --store=store work HEAD
is "$status $err" '1  !    --store and --slug need each other' \
	'a store without a name for the slug'
run slugpack --slug=$uuid work HEAD
is "$status $err" '1  !    --store and --slug need each other' \
	'and a name without a store'
for option in --cache=file --verify; do
	run slugpack $option work HEAD
	is "$status $err" '1  !    --cache and --verify are for a --store' \
		"$option without a store"
done
run slugpack --store=store --slug=../../x work HEAD
like "$status $err" '^1  !    --slug: ' 'a name that is no uuid'
run slugpack --store= --slug=$uuid work HEAD
like "$status $err" '^1  !    --store: nothing there' 'an empty name'
run slugpack --store=nowhere --slug=$uuid work HEAD
like "$status $err" '^1  !    .*nowhere.*: No such file or directory' \
	'a store whose folder is not there'
run slugpack --level
like "$status $err" '^1  !    --level needs a value' 'a value that is missing'
pack b.tzst --nonsense work HEAD
is "$(field error.id)" invalid_params 'of a bad option there is a report, too'
run slugpack --help
is "$status" 0 '--help answers'
is "$(printf '%s\n' "$out" | grep -o -e '--[a-z-]*' | sort -u)" \
	"$(sed -n 's/^\.It.*Fl Fl \([a-z-]*\).*/--\1/p' \
		"$t/../slugpack/slugpack.1" | sort -u)" \
	'with the options that the man page has'
run slugpack --version
like "$out" '^slugpack [0-9.]+$' '--version answers'

# --- where the slug goes
script -q -e -c 'slugpack work HEAD' /dev/null >tty.out 2>&1 </dev/null
is $? 1 'no slug is written to a terminal'
like "$(cat tty.out)" 'a slug is not for a terminal' 'in words'
if [ -w /dev/full ]; then
	slugpack work HEAD 2>err >/dev/full
	is $? 1 'a full disk is an error'
	is "$(cat err)" ' !    cannot write the slug: No space left on device' \
		'in words'
else
	skip 2 'no /dev/full'
fi
{
	slugpack work HEAD 2>err
	echo $? >st
} | head -c 1 >/dev/null
is "$(cat st) $(cat err)" '1  !    cannot write the slug: Broken pipe' \
	'a reader that goes away, too'
slugpack work HEAD >&- 2>err
is "$? $(cat err)" '1  !    standard output is not open' \
	'and no standard output at all'
run slugpack --report=3 work HEAD 3>/dev/full
is "$status" 1 'a report that cannot be written is an error'

# --- small trees
tree() {
	git -C plain mktree --missing -z
}
# commit_tree NAME TREE: branch NAME of one commit.
commit_tree() {
	git -C plain update-ref "refs/heads/$1" \
		"$(echo "${3:-$1}" | git -C plain commit-tree "$2")"
}
# entry MODE NAME HEX: as it stands in a tree object, whatever it says.
entry() {
	printf '%s %b\0' "$1" "$2"
	printf '%s' "$3" | perl -ne 'print pack "H*", $_'
}
# commit_raw NAME: branch NAME with the tree object in the file raw.
commit_raw() {
	commit_tree "$1" \
		"$(git -C plain hash-object -t tree -w --literally --stdin <raw)"
}
hello=$(printf 'hello\n' | git -C plain hash-object -w --stdin)
commit_tree void "$(tree </dev/null)"
pack b.tzst plain void
is "$status $(field entries) $(field tree_size) $(field process_types)" \
	'0 0 0 {}' 'an empty tree is a slug, with no process types'
run tar --zstd -tf b.tzst
is "$status $out$err" '0 ' 'that tar lists'

# --- submodules
commit_tree modules "$({
	printf '100644 blob %s\ta\0' "$hello"
	printf '160000 commit %s\tvendor\033lib\0' "$commit"
	printf '100644 blob %s\tz\0' "$hello"
} | tree)"
pack b.tzst plain modules
is "$status $(tar --zstd -tf b.tzst | tr '\n' ' ')" '0 a z ' \
	'a submodule is left out'
like "$(field notices)" \
	'vendor\\\\x1blib is a submodule: left out of the slug' \
	'and named, escaped'
is "$err" '' 'not on standard error, where there is a report'
slugpack plain modules 2>err >/dev/null
like "$(cat err)" 'lib is a submodule: left out' 'but there without one'
commit_tree many "$(for i in $(seq 10 40); do
	printf '160000 commit %s\tm%s\0' "$commit" "$i"
done | tree)"
pack b.tzst plain many
like "$(field notices)" ',"and 11 more of these"\]$' 'of many the first ones'

# --- modes
entry 100664 g "$hello" >raw
commit_raw group
pack b.tzst plain group
like "$status $(listing b.tzst)" '^0 -rw-r--r-- .* g$' '100664 is a plain file'

# --- hostile trees
# refused NAME MESSAGE: of the tree object in the file raw.
refused() {
	commit_raw hostile
	pack b.tzst plain hostile
	is "$status $(field error.id)" '1 invalid_params' "refused: $1"
	is "$(field error.message)" "$2" 'in words'
	is "$(wc -c <b.tzst)" 0 'before anything is written'
}
folder=$(printf '100644 blob %s\tx\0' "$hello" | tree)
for name in . .. .git .GiT; do
	entry 100644 "$name" "$hello" >raw
	refused "$name" "$name: no entry may have this name"
	entry 40000 "$name" "$folder" >raw
	refused "folder $name" "$name: no entry may have this name"
done
entry 40000 .. "$folder" >raw
evil=$(git -C plain hash-object -t tree -w --literally --stdin <raw)
entry 40000 lib "$evil" >raw
refused '.. below' 'lib/..: no entry may have this name'
entry 100644 '' "$hello" >raw
refused 'no name' 'the tree: an entry has no name'
entry 100644 /etc/x "$hello" >raw
refused 'an absolute path' '/etc/x: a name must not have a slash'
entry 100644 ../../x "$hello" >raw
refused 'a path' '../../x: a name must not have a slash'
{ entry 100644 a "$hello" && entry 100644 a "$hello"; } >raw
refused 'a name twice' 'a: stands twice in its folder'
{ entry 100644 a "$hello" && entry 40000 a "$folder"; } >raw
refused 'file and folder' 'a: stands twice in its folder'
{
	entry 100644 a "$hello" && entry 100644 a.b "$hello" &&
		entry 100644 a.b.c "$hello" && entry 40000 a "$folder"
} >raw
refused 'file and folder apart' 'a: stands twice in its folder'
{ entry 100644 b "$hello" && entry 100644 a "$hello"; } >raw
refused 'disorder' 'a: is out of order in its folder'
entry 104755 su "$hello" >raw
refused 'setuid' 'su: mode 104755 is none that git has'
entry 20666 null "$hello" >raw
refused 'a device' 'null: mode 20666 is none that git has'
entry 100600 x "$hello" >raw
refused '0600' 'x: mode 100600 is none that git has'
long=$(printf '%0256d' 1)
entry 100644 "$long" "$hello" >raw
refused 'a long name' "$long: a name of more than 255 bytes"
entry 100600 'e\0033[2J\0344' "$hello" >raw
refused 'and the name is escaped' \
	'e\x1b[2J\xe4: mode 100600 is none that git has'
printf 'garbage' >raw
refused 'garbage' 'the tree: a malformed tree object'
printf '100644 a\0short' >raw
refused 'a cut id' 'the tree: a malformed tree object'
entry 120000 link "$(printf '' | git -C plain hash-object -w --stdin)" >raw
refused 'a link to nothing' 'symlink link has a target of 0 bytes'
entry 100644 wrong "$folder" >raw
commit_raw hostile
pack b.tzst plain hostile
is "$status $(field error.message)" \
	'1 wrong: its object is of another type' 'a folder as a file'
entry 100644 gone "$(printf '%040d' 1)" >raw
commit_raw hostile
pack b.tzst plain hostile
is "$status $(field error.message)" \
	'1 gone: its object is not in the repository' 'a missing object is named'
entry 120000 link "$(printf 'a\0b' | git -C plain hash-object -w --stdin)" >raw
commit_raw hostile
pack b.tzst plain hostile
is "$status $(field error.message)" \
	'1 symlink link has a target with a NUL in it' 'NUL in a target'
# Names that are near to those.
{
	entry 100755 .gitx "$hello" && entry 100644 a "$hello" &&
		entry 100644 a- "$hello" && entry 40000 a-b "$folder" &&
		entry 100644 a.x "$hello" && entry 040000 ab "$folder" &&
		entry 100644 ab0 "$hello"
} >raw
commit_raw fine
pack b.tzst plain fine
is "$status $(tar --zstd -tf b.tzst | tr '\n' ' ')" \
	'0 .gitx a a- a-b/ a-b/x a.x ab/ ab/x ab0 ' \
	'names that are near to those are fine'

# --- depth and length of paths
deep=$folder
for i in $(seq 9); do
	deep=$(printf '40000 tree %s\td\0' "$deep" | tree)
done
commit_tree deep "$deep"
pack b.tzst --max-depth=10 plain deep
is "$status" 0 'ten names are not over ten'
pack b.tzst --max-depth=9 plain deep
is "$status $(field error.message)" \
	'1 d/d/d/d/d/d/d/d/d/x: is in more folders than max_depth allows' \
	'but over nine'
deep=$folder
for i in $(seq 20); do
	deep=$(printf '40000 tree %s\t%0230d\0' "$deep" 7 | tree)
done
commit_tree long "$deep"
pack b.tzst plain long
like "$status $(field error.message)" \
	'^1 0+.*: the path goes on for more than 4095 bytes$' \
	'a path over 4095 bytes is refused'

# --- limits
pack b.tzst --max-size=0 work HEAD
is "$status" 0 'a limit of 0 is none'
pack b.tzst --max-size="$(wc -c <a.tzst)" work HEAD
is "$status" 0 'what is just at the limit is not over it'
pack b.tzst --max-size="$(($(wc -c <a.tzst) - 1))" work HEAD
is "$status" 1 'one byte more is'
pack b.tzst --max-size=2M work HEAD
is "$status $(field error.id)" '1 too_large' 'a slug over the limit'
like "$(field error.message)" \
	'^Compiled slug size: 2\.9M is too large \(max is 2M\)\.$' \
	'in the words of Heroku'
ok $(($(wc -c <b.tzst) > 2097152)) 'no more than the limit was written'
pack b.tzst --max-size=1536K work HEAD
like "$(field error.message)" '\(max is 1\.5M\)\.$' 'a limit between'
pack b.tzst --max-size=1K work HEAD
like "$(field error.message)" 'K is too large \(max is 1K\)\.$' 'a small one'
pack b.tzst --max-blob=1M work HEAD
is "$status $(field error.message)" \
	'1 blob lib/noise has 2.9MB, over max_blob (1.0MB)' 'a file over its limit'
is "$(wc -c <b.tzst)" 0 'before anything is written'
pack b.tzst --max-tree=2M work HEAD
is "$status $(field error.message)" \
	'1 the files have more than max_tree (2.0MB), as of lib/noise' \
	'a tree over its limit'
pack b.tzst --max-entries=3 work HEAD
is "$status $(field error.message)" \
	'1 the tree has more than max_entries (3) files and folders' \
	'too many entries'
# 10^12 files in 12 objects.
bomb=$hello
kind='100644 blob'
for i in $(seq 12); do
	bomb=$(for j in 0 1 2 3 4 5 6 7 8 9; do
		printf '%s %s\tf%s\0' "$kind" "$bomb" "$j"
	done | tree)
	kind='040000 tree'
done
commit_tree bomb "$bomb"
pack b.tzst --max-entries=100000 plain bomb
is "$status $(field error.id)" '1 too_large' 'a bomb of folders is refused'
zeros=$(head -c 300000000 /dev/zero | git -C plain hash-object -w --stdin)
commit_tree zeros "$(for j in 0 1 2 3 4 5 6 7; do
	printf '100644 blob %s\tz%s\0' "$zeros" "$j"
done | tree)"
# shellcheck disable=SC3045
few() {
	(ulimit -v 400000 && "$@")
}
if (few slugpack --version) >/dev/null 2>&1; then
	few slugpack --report=3 plain zeros 3>bomb.out >b.tzst 2>err
	is "$? $(grep -o 'more than max_tree (2.0GB), as of z6' bomb.out)" \
		'1 more than max_tree (2.0GB), as of z6' \
		'and one of zeros, without reading it'
else
	skip 1 'memory cannot be limited'
fi

# --- the Procfile
# procfile TEXT: a tree with that Procfile, packed.
procfile() {
	id=$(printf '%b' "$1" | git -C plain hash-object -w --stdin)
	commit_tree proc "$(printf '100644 blob %s\tProcfile\0' "$id" | tree)"
	pack b.tzst plain proc
}
procfile 'web: run\n\n# comment\nthis is wrong\n'
is "$status $(field error.id)" '1 invalid_params' 'a Procfile that is wrong'
like "$(field error.message)" '^Procfile line 4: ' 'names the line'
is "$err" " !    $(field error.message)" 'on standard error as well'
is "$(wc -c <b.tzst)" 0 'before anything is written'
procfile ''
is "$status $(field process_types)" '0 {}' 'an empty one has no types'
procfile "$(printf '%070000d' 1)"
like "$status $(field error.message)" '^1 Procfile has more than 65536' \
	'a huge one is refused'
commit_tree proc "$(printf '120000 blob %s\tProcfile\0' "$hello" | tree)"
pack b.tzst plain proc
is "$status $(field error.message)" '1 Procfile is no plain file' \
	'so is a symlink'
commit_tree proc "$(printf '40000 tree %s\tProcfile\0' "$folder" | tree)"
pack b.tzst plain proc
is "$status $(field error.message)" '1 Procfile is no plain file' \
	'and a folder'
commit_tree proc "$(printf '40000 tree %s\tsub\0' \
	"$(printf '100644 blob %s\tProcfile\0' "$hello" | tree)" | tree)"
pack b.tzst plain proc
is "$status $(field process_types)" '0 {}' 'one further down is just a file'

# --- subjects
# subject TEXT WANTED NAME
subject() {
	id=$(printf 'tree %s\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\n%b' \
		"$folder" "$1" |
		git -C plain hash-object -t commit -w --stdin --literally)
	pack b.tzst plain "$id"
	is "$(field commit_description)" "$2" "$3"
}
subject 'gr\0303\0274n\n\nbody\n' "$(printf 'gr\303\274n')" 'a subject in UTF-8'
subject 'gr\0374n\n' 'gr\xfcn' 'one that is not'
subject 'red\0033[31m\n' 'red\x1b[31m' 'one with control characters'
subject '' '' 'none'

# --- objects alone, as in a push that is not accepted yet
git clone -q --bare plain server
cp -r work/. client && cd client || exit 1
printf 'changed\n' >index.html
git commit -q -a -m 'A second page' 2>/dev/null
new=$(git rev-parse HEAD)
cd .. || exit 1
mkdir quarantine
git -C client rev-list --objects "$commit..$new" | cut -c1-40 |
	git -C client pack-objects -q "$scratch/quarantine/pack" >/dev/null
mkdir quarantine/pack && mv quarantine/pack-* quarantine/pack/
slugpack client HEAD >wanted.tzst
git -C server config extensions.unheardOf true
git -C server config core.repositoryformatversion 1
run slugpack server HEAD
like "$status $err" '^1 .*unsupported extension.*unheardof' \
	'a repository with an unknown extension is refused by name'
pack b.tzst -O quarantine --objects=server/objects server "$new"
is "$status $(sum b.tzst)" "0 $(sum wanted.tzst)" \
	'objects are read from a quarantine and the repository, no config'
pack b.tzst -O server/objects server "$new"
is "$status $(field error.id)" '1 not_found' 'without it they are not there'
pack b.tzst -O quarantine -O server/objects server HEAD
like "$status $(field error.message)" "^1 .*HEAD" 'only a full id will do'
pack b.tzst -O quarantine -O server/gone server "$new"
is "$status $(field error.message)" \
	'1 cannot read objects in server/gone: No such file or directory' \
	'a folder that is not there is named'
git init -q --object-format=sha256 sha256
run slugpack sha256 HEAD
like "$status $err" '^1 .*objectformat' 'a repository of sha256 is refused by name'

if [ "$(id -u)" -eq 0 ]; then
	cp -r plain theirs && chown -R 65534 theirs
	run slugpack theirs void
	like "$status $err" '^1  !    theirs belongs to another user' \
		'a repository of somebody else is refused'
else
	skip 1 'takes root'
fi

# A replaced object is not what was pushed.
git -C plain replace "$commit" "$(git -C plain rev-parse void)"
slugpack plain "$commit" >b.tzst
is "$(sum b.tzst)" "$wanted" 'refs/replace does not count'

# A reader that takes nothing holds slugpack up, but not for ever.
mkfifo slow
git init -q big && head -c 1000000 /dev/urandom >big/file
git -C big add file && git -C big commit -q -m big
exec 9<>slow
run sh -c 'exec slugpack --max-time=1 --report=3 big HEAD >slow 3>report'
is "$status" 1 'max_time: slugpack ends'
is "$err" ' !    slugpack took longer than max_time allows' 'and says why'
is "$(cat report)" '{"error": {"id": "too_large", "message": "slugpack took longer than max_time allows"}}' \
	'in its report, too'
exec 9<&-

finish
