#!/bin/sh
# SPDX-License-Identifier: ISC
# What a push says of its slug, and slugs of gzip from the push to the
# running app.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

driver=slugrun
make_dir '[slug]' 'compression = gzip' 'level = 9'
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

# --- gzip
run git push heroku master
is "$status" 0 'a push with compression = gzip'
like "$err" '^remote: -----> Compressing\.\.\. done, [0-9.]+K?B?' 'is compressed'
url=$(git heroku info --json | sed -n 's/.*"web_url": "\(.*\)".*/\1/p')
like "$(curl -sS --max-time 5 "$url")" . 'the app runs'
slug=$scratch/slug.tar.gz
slug_cat "$(newest slug.id)" >"$slug"
gzip -t <"$slug"
ok $? 'the slug is whole to gzip'
mkdir ../out && tar -xzf "$slug" -C ../out
ok $? 'and to tar -xzf'
git ls-files | while read -r f; do
	cmp "$f" "../out/$f" || exit 1
done
ok $? 'with the files of the tree'
commit again
run git push heroku master
like "$status $err" 'v3 deployed to Heroku' 'a second push'
run git heroku rollback
is "$status" 0 'and a rollback'
like "$(curl -sS --max-time 5 "$url")" . 'run, too'

# The store has both kinds when the key is changed.
stop_slugd
sed 's/^compression = gzip/compression = zstd/' "$dir/slugd.ini" >ini &&
	mv ini "$dir/slugd.ini"
start_slugd
commit zstd
run git push heroku master
like "$status $err" 'v5 deployed to Heroku' 'a push with zstd after those'
run git heroku rollback v2
is "$status" 0 'and a rollback to a slug of gzip'
within 10 curl -sSf --max-time 5 "$url"
ok $? 'which runs'

# --- what a push says
mkdir doc assets
head -c 2000000 /dev/zero >art.psd
echo words >doc/index
printf '# what the app does not need\n*.psd\n/doc/\n' >.slugignore
git add . && git commit -q -m 'With .slugignore'
run git push heroku master
is "$status" 0 'a push with .slugignore'
like "$err" '^remote:        \.slugignore leaves out 1 file \(1\.9MB\) and 1 folder' \
	'says what is left out'
before="$(at) $(versions) $(slugs)"
printf '!art.psd\n' >>.slugignore
git commit -q -a -m 'With a !'
run git push heroku master
is "$status" 1 'one with a ! is refused'
like "$err" "^remote:  !     \.slugignore line 4: '!art\.psd': ! is not supp" \
	'with its line'
sed '$d' .slugignore >new && mv new .slugignore
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' \
	1 >assets/big.bin
git add . && git commit -q -m 'With a pointer'
run git push heroku master
is "$status" 1 'one with an LFS pointer is refused'
like "$err" '^remote:  !     assets/big\.bin is a Git LFS pointer, not the' \
	'with its path'
like "$err" '\[remote rejected\] master -> master' 'and in the words of git'
is "$(at) $(versions) $(slugs)" "$before" 'nothing moved'
echo /assets/ >>.slugignore
git commit -q -a -m 'Without it'
run git push heroku master
is "$status" 0 'left out by .slugignore it goes through'

is_sound 'after all of this'
finish
