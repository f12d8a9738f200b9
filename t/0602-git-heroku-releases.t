#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku releases, releases:info and rollback, as in Heroku's article on
# releases. Nothing is launched; the clock is held.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

# at SECONDS: slugd's time and ours.
at() {
	stop_slugd
	SLUGD_TEST_NOW=$1
	export SLUGD_TEST_NOW
	start_slugd || exit 1
}

# now SECONDS: only the reader's time.
now() {
	SLUGD_TEST_NOW=$1
}

refused() {
	name=$1
	shift
	is "$status" 1 "$name: exit 1"
	is "$out" '' "$name: nothing on standard output"
	is "$err" "$(printf ' !    %s\n' "$@")" "$name: the words"
}

header='Rel   Change                          By                    When
----  ----------------------          ----------            ----------'

# The moment of the article's last line, in its zone.
TZ=PDT7
then=1284330737
export SLUGD_USER=ops@example.com

make_dir "$@"
at $then
make_app myapp >/dev/null || exit 1
cd work || exit 1

run git heroku releases
is "$status" 0 'releases before the first push: exit 0'
is "$out" "$header
v1    Initial release                 ops@example.com       0 seconds ago" \
	'article: the table has these header lines'

at $((then + 86400 * 3))
git push -q heroku master 2>/dev/null
first=$(git rev-parse --short=7 HEAD)
run git heroku config:set AWS_S3_KEY_WITH_A_LONG_NAME=secret
is "$status" 0 'config:set'
now $((then + 86400 * 3 + 59))
run git heroku releases
is "$out" "$header
v3    Config add AWS_S3_KEY_WITH_A..  ops@example.com       59 seconds ago
v2    Deploy $first                  ops@example.com       59 seconds ago
v1    Initial release                 ops@example.com       2010-09-12 15:32:17 -0700" \
	'article: releases, newest first, in columns, with their times'
is "$err" '' 'and nothing on standard error'
for case in '60=1 minute ago' '119=1 minute ago' '300=5 minutes ago' \
	'3599=59 minutes ago' '3600=1 hour ago' '10800=3 hours ago' \
	'86399=23 hours ago' '86400=2010-09-15 15:32:17 -0700'; do
	now $((then + 86400 * 3 + ${case%%=*}))
	run git heroku releases -n 1
	is "$(printf '%s\n' "$out" | sed -n '3s/^.\{60\}//p')" \
		"${case#*=}" "after ${case%%=*} seconds: ${case#*=}"
done

hash=$(git heroku releases | sed -n 's/.*Deploy \([0-9a-f]*\).*/\1/p')
run git log -n 1 --format=%s "$hash"
is "$out" 'A first page' \
	'article: the number next to the deploy message is the commit'

run git heroku releases:info v3
info=$out
is "$out" "=== Release v3
Change:      Config add AWS_S3_KEY_WITH_A_LONG_NAME
By:          ops@example.com
When:        2010-09-15 15:32:17 -0700
Addons:      none
Config:      AWS_S3_KEY_WITH_A_LONG_NAME => secret" \
	'article: releases:info, without add-ons'
for name in V3 3 current; do
	run git heroku releases:info $name
	is "$out" "$info" "releases:info $name is the same"
done
run git heroku releases:info
is "$out" "$info" 'releases:info alone is the current one'
run git heroku releases:info v2
is "$out" "=== Release v2
Change:      Deploy $first
By:          ops@example.com
When:        2010-09-15 15:32:17 -0700
Addons:      none" 'releases:info without config vars has no Config line'
run git heroku releases:info --json v3
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; my $r = decode_json(<STDIN>);
	print join " ", $r->{version}, $r->{description}, $r->{status},
		$r->{config_vars}{AWS_S3_KEY_WITH_A_LONG_NAME}')" \
	'3 Config add AWS_S3_KEY_WITH_A_LONG_NAME succeeded secret' \
	'releases:info --json: the release with its config_vars'
run git heroku releases --json -n 2
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; print join " ", map { $_->{version} } @{decode_json(<STDIN>)}')" \
	'3 2' 'releases --json: an array of releases'

now $((then + 86400 * 3 + 3600 * 6))
git heroku config:set MY_CONFIG_VAR=42 RACK_ENV=production >/dev/null
git heroku config:unset AWS_S3_KEY_WITH_A_LONG_NAME >/dev/null
git heroku addons:create memcachier:100 >/dev/null
run git heroku releases:info
is "$out" "=== Release v6
Change:      Add-on add memcachier:100
By:          ops@example.com
When:        6 hours ago
Addons:      memcachier:100
Config:      MEMCACHIER_SERVERS => 127.0.0.1:11211
             MY_CONFIG_VAR      => 42
             RACK_ENV           => production" \
	'article: releases:info, sorted and aligned'

run git heroku rollback v5
refused 'article: no rollback to a release which would change add-ons' \
	'Cannot roll back to v5: it would change add-ons (memcachier:100 would be removed)'
git heroku config:set MY_CONFIG_VAR=43 >/dev/null
remote=$(git ls-remote --heads heroku)
run git heroku rollback
is "$status:$err" '0: !    To undo: git heroku rollback v7' \
	'rollback: exit 0, and how to undo it'
is "$out" 'Rolled back to v6' 'article: rollback to the last release'
is "$(git heroku config:get MY_CONFIG_VAR)" 42 \
	'article: the config vars are those of the target'
run git heroku releases -n 1
like "$out" '^v8    Rollback to v6   ' 'article: it is a new release'
is "$(git ls-remote --heads heroku)" "$remote" \
	'article: the git remote is not affected'
run git heroku addons
is "$out" 'memcachier:100' 'article: nor are the add-ons'
printf 'second\n' >index.html
git commit -qam 'A second page'
git push -q heroku master 2>/dev/null
run git heroku rollback v7
is "$out" 'Rolled back to v7' 'article: rollback to another release'
is "$err" ' !    To undo: git heroku rollback v9' 'of a named one, too'
like "$(git heroku releases -n 1)" '^v10   Rollback to v7   ' \
	'is a new release, too'
run git heroku rollback 8
is "$out" 'Rolled back to v8' 'rollback 8'
run git heroku rollback V7
is "$out" 'Rolled back to v7' 'rollback V7'

# Wrong input.
for name in v0 v999 foo ../v1 -- 1.5; do
	run git heroku rollback -- "$name"
	is "$status:$out" '1:' "rollback $name: exit 1"
	like "$err" '^ !    ' "rollback $name: words"
	run git heroku releases:info -- "$name"
	is "$status:$out" '1:' "releases:info $name: exit 1"
	like "$err" '^ !    ' "releases:info $name: words"
done
run git heroku rollback v1
is "$status" 1 'rollback to v1, which has no code: exit 1'
like "$err" '^ !    Cannot roll back to v1' 'and why'
run git heroku rollback v12
refused 'rollback to the current release' 'v12 is the current release'
run git heroku releases -a nosuchapp
is "$status:$out" '1:' 'an unknown app: exit 1'
like "$err" '^ !    ' 'and words'
run git heroku releases -a ../myapp
is "$status:$out" '1:' 'an app with a slash: exit 1'

# More than a page.
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	git heroku config:set COUNT=$i >/dev/null || break
done
is $i 20 'twenty more releases'
run git heroku releases
is "$(printf '%s\n' "$out" | wc -l)" 17 'releases shows 15 of them'
like "$out" '^v32 ' 'from the newest'
like "$out" '^v18 ' 'on'
run git heroku releases -n 3
is "$(printf '%s\n' "$out" | sed '1,2d; s/ .*//' | tr '\n' ' ')" \
	'v32 v31 v30 ' 'releases -n 3'
run git heroku releases -n 1000
is "$(printf '%s\n' "$out" | wc -l)" 34 'releases -n 1000 shows all'
run sh -c 'git heroku releases | grep " $"'
is "$out" '' 'no line ends in a blank'
run sh -c 'git heroku releases >/dev/full'
like "$err" '^ !    cannot write to standard output' 'a full disk is an error'

# Without a name, again and again: past what a rollback left behind.
for value in 1 2 3; do
	git heroku config:set STEP=$value >/dev/null
done
last=$(git heroku releases -n 1 | sed -n '3s/^v\([0-9]*\).*/\1/p')
run git heroku rollback
is "$out" "Rolled back to v$((last - 1))" 'rollback without a name'
run git heroku rollback
is "$out" "Rolled back to v$((last - 2))" 'once more goes further back'
run git heroku rollback "v$last"
is "$out" "Rolled back to v$last" 'by its name it is undone'
run git heroku rollback -a myapp
is "$err" " !    To undo: git heroku rollback -a myapp v$((last + 3))" \
	'the command is for the same app'
run git heroku rollback -r heroku "v$last"
is "$err" " !    To undo: git heroku rollback -r heroku v$((last + 4))" \
	'or remote'

stop_slugd
run git heroku releases
refused 'slugd not running' \
	"slugd is not running: nothing answers at $dir/slugd.sock. Start it with: slugd -d $dir"
finish
