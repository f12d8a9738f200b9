#!/bin/sh
# SPDX-License-Identifier: ISC
# A push that is refused says why, moves nothing and leaves nothing behind.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
git push -q heroku master 2>/dev/null
git push -q heroku master:feature 2>/dev/null

# Every ref, every release, every file of the store and every object.
state() {
	git --git-dir="$repo" for-each-ref
	versions
	ls "$dir/slugs"
	find "$repo" ! -path "$repo/objects/[0-9a-f][0-9a-f]"
}

# refused WORDS NAME PUSH-ARGUMENT...: a push of that is, with those words.
refused() {
	words=$1
	name=$2
	shift 2
	before=$(state)
	run git push heroku "$@"
	is "$status" 1 "$name: refused"
	like "$err" "$words" 'in words'
	like "$err" '\[(remote )?rejected\]' 'and in those of git'
	within 10 same_state
	ok $? 'nothing moved, nothing is left behind'
	same_state || diag "$(state)"
}

same_state() {
	[ "$(state)" = "$before" ]
}

within 10 all_kept

# --- refs
refused '^remote:  !     master cannot be deleted: it is the branch that' \
	'deleting the deploy branch' :master
refused '^remote:  !     master cannot be deleted' \
	'deleting it with another' :feature :master
refused 'is neither a branch nor a tag; only those can be pushed' \
	'a replace ref' "HEAD:refs/replace/$(git rev-parse HEAD)"
refused 'is neither a branch nor a tag' 'a note' HEAD:refs/notes/commits
refused 'is neither a branch nor a tag' 'a pull request' HEAD:refs/pull/1/head
refused 'rejected' 'a release made by hand' HEAD:refs/releases/v77
refused 'rejected' 'a release deleted by hand' :refs/releases/v2

# git push itself does not take all of these.
# raw_push REF: the same push to a ref that the client does not look at.
raw_push() {
	old=0000000000000000000000000000000000000000
	new=$(git rev-parse HEAD)
	line="$old $new $1"
	{
		printf '%04x%s\0report-status' $((4 + ${#line} + 14)) "$line"
		printf 0000
		git rev-parse HEAD | git pack-objects --stdout --revs -q
	} | git receive-pack "$repo" 2>"$scratch/raw.err" | tr '\0' '\n'
	cat "$scratch/raw.err"
}

# shellcheck disable=SC2016 # nothing is to be expanded
for ref in -x --upload-pack=touch '$(touch oops)' '$(id)' 'a;id' 'a|id' \
	'a`id`' "a'b" 'a"b' 'a&b' 'a<b' 'a>b' 'a!b' 'a(b' "$(printf 'a\233b')" \
	"$(printf 'a\302\233b')" "$(printf 'a\342\200\256b')" \
	"$(printf '%0250d' 1)"; do
	before=$(state)
	got=$(raw_push "refs/heads/$ref" 2>&1)
	shown=$(printf '%.20s' "$ref" | LC_ALL=C tr -d '\200-\377')
	like "$(cat "$scratch/raw.err")" \
		'^ !     .*(is not a plain name|is not UTF-8)$' \
		"a branch called $shown: refused in words"
	like "$got" 'ng refs/heads/.* pre-receive hook declined' \
		'and in those of git'
	is "$(state)" "$before" 'nothing moved'
	is "$(LC_ALL=C tr -d '\n -~' <"$scratch/raw.err")" '' \
		'the words are plain'
done
for ref in "$(printf 'a\033b')" .hidden a.lock 'a b' 'a^' a..b 'a*'; do
	before=$(state)
	like "$(raw_push "refs/heads/$ref" 2>&1)" 'ng refs/heads/|protocol error' \
		"a branch with a name that git refuses: $(printf '%s' "$ref" |
			tr '\033' '?')"
	is "$(state)" "$before" 'nothing moved'
done
is "$(find "$scratch" -name oops -o -name touch)" '' 'no shell saw them'
got=$(raw_push refs/heads/plain)
like "$got" 'ok refs/heads/plain' 'the same with a plain name is accepted'

# --- trees that are no slug
printf 'web: true\nthis is no Procfile\n' >Procfile
git commit -qam 'A bad Procfile'
refused "^remote:  !     Procfile line 2: expected 'TYPE: COMMAND'" \
	'a Procfile that does not parse' master
like "$err" '^remote: -----> Compressing\.\.\. failed' 'the build failed'
like "$err" '^remote:  !     Push rejected to myapp\.' 'article: push rejected'
refused '^remote:  !     Procfile line 2' 'the same again' master
refused '^remote:  !     Procfile line 2' 'with a good branch' \
	master HEAD~1:refs/heads/good
is "$(api GET /apps/myapp/builds | grep -o '"status":"failed"' | wc -l)" 3 \
	'each is a failed build'
git reset -q --hard HEAD~1

git update-index --add \
	--cacheinfo "160000,$(git rev-parse HEAD),vendor/library"
git commit -q -m 'A submodule'
run git push heroku master
is "$status:$(newest version)" 0:3 'a tree with a submodule is accepted'
like "$err" '^remote:        .*vendor/library' 'which is named'
git rm -q --cached vendor/library && git commit -q -m 'Without it'

git rm -q Procfile && git commit -q -m 'No Procfile'
run git push heroku master
is "$status:$(newest version)" 0:4 'a tree without a Procfile is accepted'
like "$err" '^remote:        Procfile declares types -> \(none\)' \
	'article: Procfile declares types'
within 10 all_kept

# --- limits
stop_slugd
printf '[slug]\nmax_size = 100K\nmax_blob = 300K\n' >>"$dir/slugd.ini"
start_slugd || exit 1
head -c 150000 /dev/urandom >noise
git add noise && git commit -q -m 'Too large'
refused '^remote:  !     Compiled slug size: [0-9.]+K is too large \(max is 100K\)\.' \
	'article: a slug over the limit' master
git reset -q --hard HEAD~1
head -c 400000 /dev/zero >zero
git add zero && git commit -q -m 'A large blob'
refused '^remote:  !     blob zero has .*, over max_blob' \
	'a blob over its limit' master
git reset -q --hard HEAD~1

# --- a disk that is full
if [ "$(id -u)" -eq 0 ] && unshare -m mount -t tmpfs none "$dir/segments" \
	2>/dev/null; then
	stop_slugd
	# As start_slugd does, with segments/ on a small disk of its own.
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o size=40k none "$1/segments" &&
		exec slugd -d "$1"' sh "$dir" 2>>"$scratch/slugd.log" &
	slugd_pid=$!
	within 20 api GET / || exit 1
	head -c 90000 /dev/urandom >noise
	git add noise && git commit -q -m 'More than the disk has'
	refused '^remote:  !     .*No space left on device' \
		'a disk without room' master
	is "$(find "/proc/$slugd_pid/root$dir/segments" -name '*.tmp')" '' \
		'which is left without half a segment'
	git reset -q --hard HEAD~1
	stop_slugd
	start_slugd || exit 1
else
	skip 5 'cannot mount a small disk here'
fi

# --- slugd is not there
commit 'while slugd is down'
before_down=$(git --git-dir="$repo" for-each-ref)
stop_slugd
run git push heroku master
is "$status" 1 'a push while slugd is not running is refused'
like "$err" "^remote:  !     slugd is not running: nothing answers at $dir/slugd\.sock" \
	'the socket is named'
like "$err" '\[remote rejected\] master -> master \(pre-receive hook declined\)' \
	'by git'
is "$(git --git-dir="$repo" for-each-ref)" "$before_down" 'nothing moved'
is "$(leftovers)" '' 'nothing is left behind'
run git push heroku master:side
is "$status" 1 'a push of another branch, too'
start_slugd || exit 1
run git push heroku master
is "$status:$(newest version)" 0:5 'with slugd it is deployed'
is_sound 'after all this'
finish
