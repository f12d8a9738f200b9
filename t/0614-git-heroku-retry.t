#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku releases:retry: a release that failed is made once more, when what
# it failed for is mended.
# shellcheck disable=SC2016 # words for another shell
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
cat >Procfile <<'EOF'
web: test -z "$NEED" -o "$DATABASE" || { echo 'no database'; exit 1; }; exec perl server.pl
EOF
git commit -qam 'A web process that may want something'
git push -q heroku master 2>/dev/null || exit 1

refused() {
	is "$status" 1 "$1: exit 1"
	is "$err" " !    $2" "$1: the words"
}
run git heroku releases:retry
refused 'a release that did not fail' 'v2 did not fail'
run git heroku releases:retry v1
refused 'the initial release' 'v1 did not fail'
run git heroku releases:retry v9
is "$status" 1 'one that there is not: exit 1'
like "$err" '^ !    .*v?9' 'words'
run git heroku releases:retry ''
like "$err" '^ !    Invalid argument: ""$' 'no name'

git heroku config:set NEED=1 MYVAR=42 >/dev/null 2>&1
like "$(git heroku releases -n 1)" '^v3 .*\(failed\)' 'a release that fails'
run git heroku releases:retry
is "$status:$out" '1:Retrying the newest release of myapp... failed, v4' \
	'retried, it fails again'
like "$err" 'no database' 'and says for what'
git heroku config:set DATABASE=here >/dev/null
run git heroku releases:retry v3
is "$status:$out:$err" '0:Retrying v3 of myapp... done, v6:' \
	'when that is mended, it goes well'
is "$(git heroku config -s | tr '\n' ' ')" 'DATABASE=here MYVAR=42 NEED=1 ' \
	'with what it changed, and what came after it'
like "$(git heroku releases:info)" '^Change:      Retry of v3: Config add ' \
	'and says what it is'
like "$(curl -sS --max-time 5 "$(git heroku open)")" MYVAR=42 'and runs'
run git heroku releases:retry
refused 'once more' 'v6 did not fail'

# Heroku's own client asks for the slug again, and reads the output where it
# is told to.
api GET /apps/myapp/releases/4 -H 'Host: 127.0.0.1:5055' >release
slug=$(sed 's/.*"slug":{"id":"\([^"]*\)".*/\1/' release)
like "$(cat release)" \
	'"output_stream_url":"http://127\.0\.0\.1:5055/streams/[^"]*"' \
	'the output is where the client found the API'
is "$(api POST /apps/myapp/releases -o answer -w '%{http_code}' \
	-H 'Content-Type: application/json' \
	-d '{"slug":"'"$slug"'","description":"Retry of v4: as Heroku has it"}')" \
	201 'the way of the official client'
like "$(git heroku releases -n 1)" '^v7    Retry of v4: as' 'is a retry'
finish
