#!/bin/sh
# SPDX-License-Identifier: ISC
# The whole way, by the letter: what Heroku's article on releases describes,
# typed by hand on a new slugd, with the app asked after each step. Each test
# bears the article's sentence that it holds.

. "$(dirname "$0")/lib/test.sh"

export driver=slugrun
make_dir
now=1789200000
export SLUGD_TEST_NOW=$now
start_slugd || finish
run slugctl -d "$dir" init myapp
is "$out" "$dir/repos/myapp.git" 'slugctl init prints the repository'
git init -q -b master work
cd work || exit 1
printf 'hello\n' >index.html
printf 'web: exec perl server.pl\n' >Procfile
cp "$t/lib/server.pl" .
git add . && git commit -q -m 'Fixed listing CSS'
git remote add heroku "$dir/repos/myapp.git"
who=$(id -un)
url=http://127.0.0.1:$first_port/

# What the app answers now, on one line.
page() {
	curl -sS "$url" | tr '\n' ' '
}

# The command's output is what follows, to the letter.
says() {
	name=$1
	shift
	cat >"$scratch/wanted"
	run "$@"
	is "$out" "$(cat "$scratch/wanted")" "$name"
}

# The lines of a push that slugd said; git pads them, and names the size.
git push heroku master >"$scratch/push" 2>&1
is "$(sed -n 's/ *$//; s/done, [0-9.]*[BKMG]*$/done, <size>/; /^remote:/p' \
	"$scratch/push")" "remote: -----> Compressing... done, <size>
remote: -----> Launching... done, v2 deployed to Heroku
remote:        $url" \
	'Releases are created whenever you deploy code.'
like "$(page)" '^hello .*HEROKU_RELEASE_VERSION=v2 ' \
	'The app runs what was pushed.'

says 'Releases are created whenever you change config vars.' \
	git heroku config:set MYVAR=42 <<'EOF'
Adding config vars:
  MYVAR => 42
Updating vars and restarting app... done, v3
EOF
like "$(page)" 'HEROKU_RELEASE_VERSION=v3 .*MYVAR=42' \
	'Heroku creates a new release and restarts your app (config var).'

says 'Releases are created whenever you add add-on resources.' \
	git heroku addons:create memcachier <<'EOF'
Adding memcachier to myapp... done, v4 (free)
EOF
like "$(page)" 'VERSION=v4 .*MEMCACHIER_SERVERS=127.0.0.1:11211 MYVAR=42' \
	'Heroku creates a new release and restarts your app (add-on).'

hash=$(git rev-parse HEAD | cut -c1-7)
whoever=$(printf '%-20s' "$who")
SLUGD_TEST_NOW=$((now + 5))
says 'To see the history of releases for an app.' \
	git heroku releases <<EOF
Rel   Change                          By                    When
----  ----------------------          ----------            ----------
v4    Add-on add memcachier:free      $whoever  5 seconds ago
v3    Config add MYVAR                $whoever  5 seconds ago
v2    Deploy $hash                  $whoever  5 seconds ago
v1    Initial release                 $whoever  5 seconds ago
EOF
for age in '1 second ago:1' '59 seconds ago:59' '1 minute ago:60' \
	'59 minutes ago:3599' '3 hours ago:10800' '23 hours ago:86399'; do
	SLUGD_TEST_NOW=$((now + ${age##*:}))
	run git heroku releases -n 1
	like "$out" "  ${age%:*}\$" "When, ${age%:*}"
done
SLUGD_TEST_NOW=$((now + 86400))
TZ=XXX7
run git heroku releases -n 1
like "$out" "  2026-09-12 01:00:00 -0700\$" 'When, of a day ago and more'
TZ=UTC

run git log -n 1 --format=%h --abbrev=7 "$hash"
is "$out" "$hash" \
	'The number next to the deploy message corresponds to the commit hash.'
SLUGD_TEST_NOW=$((now + 7))
says 'To get detailed info on a release.' git heroku releases:info v3 <<EOF
=== Release v3
Change:      Config add MYVAR
By:          $who
When:        7 seconds ago
Addons:      none
Config:      MYVAR => 42
EOF
says 'Addons and Config of a release, in columns.' \
	git heroku releases:info v4 <<EOF
=== Release v4
Change:      Add-on add memcachier:free
By:          $who
When:        7 seconds ago
Addons:      memcachier:free
Config:      MEMCACHIER_SERVERS => 127.0.0.1:11211
             MYVAR              => 42
EOF

run git heroku rollback v2
is "$err" " !    Cannot roll back to v2: it would change add-ons \
(memcachier:free would be removed)" \
	'You cannot roll back to a release which would change add-ons.'
is "$status" 1 'and that is an error'

git heroku config:set MYVAR=43 >/dev/null
like "$(page)" 'VERSION=v5 .*MYVAR=43' 'The app runs with the new value.'
says 'Use the rollback command to roll back to the last release.' \
	git heroku rollback <<'EOF'
Rolled back to v4
EOF
run git heroku releases -n 1
like "$out" '^v6    Rollback to v4 ' \
	'Rolling back will create a new release.'
like "$(page)" 'VERSION=v6 .*MYVAR=42' \
	'which is a copy of the slug and config vars of the release specified.'

printf 'broken\n' >index.html
git commit -q -a -m 'A bad deploy'
git push -q heroku master 2>/dev/null
like "$(page)" '^broken .*VERSION=v7 ' 'A bad deploy is live.'
says 'You may choose to specify another release to target.' \
	git heroku rollback v4 <<'EOF'
Rolled back to v4
EOF
like "$(page)" '^hello .*VERSION=v8 ' 'Back out of bad deploys.'
is "$(git ls-remote heroku refs/heads/master | cut -f1)" \
	"$(git rev-parse HEAD)" \
	'The state of your heroku Git remote will not be affected.'
run git heroku addons
is "$out" 'memcachier:free' 'nor the add-ons'
printf 'mended\n' >index.html
git commit -q -a -m 'The fix'
git push -q heroku master 2>/dev/null
like "$(page)" '^mended .*VERSION=v9 ' \
	'Fix locally, and re-push to create a new release.'
says 'Removing an add-on makes a release.' \
	git heroku addons:destroy memcachier --confirm myapp <<'EOF'
Removing memcachier from myapp... done, v10 (free)
EOF
unlike "$(page)" 'MEMCACHIER' 'whose app does not see it any more'
run slugctl -d "$dir" fsck
like "$out" '^ledger ok: 1 app, 10 releases, [0-9] slugs$' \
	'The ledger is sound.'

finish
