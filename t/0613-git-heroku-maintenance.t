#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku maintenance and open, and the maintenance of the API's app.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

command -v haproxy >/dev/null || skip_all 'no haproxy'
driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
slugctl -d "$dir" init other >/dev/null || exit 1
cd work || exit 1
git push -q heroku master 2>/dev/null || exit 1

refused() {
	is "$status:$out" '1:' "$1: exit 1, nothing on standard output"
	is "$err" " !    $2" "$1: the words"
}

# field NAME: of the object on standard input.
field() {
	perl -MJSON::PP -e 'local $/;
		my $v = decode_json(<STDIN>)->{$ARGV[0]};
		print ref $v eq "JSON::PP::Boolean" ? $v ? "true" : "false"
			: $v // "none"' "$1"
}

# What the app answers a visitor; the page into the file page.
code() {
	curl -sS --max-time 5 -o page -w '%{http_code}' "$url"
}

# answers CODE: does it come to that?
# shellcheck disable=SC2317 # called by within
is_code() {
	[ "$(code)" = "$1" ]
}
answers() {
	within 20 is_code "$1"
	ok $? "$2"
}

# --- open ---

url=$(git heroku open)
like "$url" '^http://127\.0\.0\.1:[0-9]+/$' 'open prints the address'
is "$(code)" 200 'where the app answers'
for path in a/b /a/b; do
	run git heroku open "$path"
	is "$status:$out:$err" "0:${url}a/b:" "open $path: with the path"
done
mkdir bin
cat >bin/xdg-open <<'EOF'
#!/bin/sh
echo "$@" >>"$OPENED"
EOF
chmod +x bin/xdg-open
export OPENED="$scratch/opened"
PATH=$PWD/bin:$PATH DISPLAY=:0 run git heroku open
is "$(cat "$OPENED" 2>/dev/null)" '' 'in a pipe nothing is opened'
if command -v script >/dev/null; then
	PATH=$PWD/bin:$PATH DISPLAY=:0 script -qefc 'git heroku open x' \
		/dev/null >seen </dev/null
	is "$(cat "$OPENED")" "${url}x" 'at a terminal with a display it is'
	PATH=$PWD/bin:$PATH DISPLAY='' WAYLAND_DISPLAY='' \
		script -qefc 'git heroku open y' /dev/null >seen </dev/null
	is "$(cat "$OPENED")" "${url}x" 'not without one'
else
	skip 2 'no script(1)'
fi
run git heroku open a b
like "$err" 'Invalid argument: "b"' 'open takes one path'

# --- on and off ---

run git heroku maintenance
is "$status:$out:$err" '0:off:' 'maintenance is off'
is "$(api GET /apps/myapp | field maintenance)" false 'as the API says'
like "$(git heroku info)" '^Maintenance: off$' 'and info'
run git heroku maintenance on
is "$status:$out:$err" '0:Enabling maintenance mode for myapp... done:' \
	'maintenance on: the words'
run git heroku maintenance
is "$out" on 'it is on'
is "$(api GET /apps/myapp | field maintenance)" true 'as the API says'
like "$(git heroku info)" '^Maintenance: on$' 'and info'
answers 503 'visitors get status 503'
like "$(cat page)" '[Mm]aintenance' 'and a page that says why'
like "$(git heroku ps)" '^web\.1: up ' 'what runs goes on'
git heroku config:set MYVAR=1 >/dev/null
is "$(code)" 503 'also over a release'
is "$(api GET /apps/other | field maintenance)" false 'of that app alone'
is "$(git heroku releases -n 1 | sed -n '3s/ .*//p')" v3 'that is no release'
run git heroku maintenance:on
is "$status" 0 'once more is no error'
stop_slugd
start_slugd
is "$(git heroku maintenance)" on 'it outlives slugd'
answers 503 'for visitors, too'
like "$(git heroku logs -s heroku)" \
	' heroku\[api\]: Maintenance mode enabled by user ' \
	'the log has who did it'
run git heroku maintenance:off
is "$status:$out:$err" '0:Disabling maintenance mode for myapp... done:' \
	'maintenance:off: the words'
is "$(git heroku maintenance)" off 'it is off'
answers 200 'the app answers'

# --- refusals ---

run git heroku maintenance maybe
refused 'maintenance maybe' 'Maintenance is on or off.'
run git heroku maintenance on now
like "$err" 'Invalid argument: "now"' 'maintenance on now'
run git heroku maintenance:on please
like "$err" 'Invalid argument: "please"' 'maintenance:on please'
run git heroku maintenance on -a nope
is "$status" 1 'of an app that there is not'
like "$err" "^ !    Couldn't find that app: nope" 'words'
for body in '{}' '{"maintenance":"on"}' '{"maintenance":1}' \
	'{"maintenance":null}' '[]'; do
	is "$(api PATCH /apps/myapp -d "$body" -o answer -w '%{http_code}' \
		-H 'Content-Type: application/json' | grep -c '^4')" 1 \
		"the API refuses $body"
done
is "$(git heroku maintenance)" off 'nothing has changed'
is "$(api PATCH /apps/myapp -d '{"maintenance":true}' \
	-H 'Content-Type: application/json' | field maintenance)" true \
	'the API answers with the app'

# --- without HAProxy ---

stop_slugd
printf '[route]\ndriver = direct\n' >>"$dir/slugd.ini"
start_slugd
run git heroku maintenance off
is "$status:$(git heroku maintenance)" '0:off' 'what was on can be switched off'
run git heroku maintenance on
is "$status:$out" '1:Enabling maintenance mode for myapp... failed' \
	'but not on'
like "$err" '^ !    the page of maintenance needs HAProxy' 'the words'
is "$(git heroku maintenance)" off 'and nothing has changed'
is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' 'the ledger is sound'
finish
