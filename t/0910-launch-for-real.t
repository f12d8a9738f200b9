#!/bin/sh
# SPDX-License-Identifier: ISC
# A day with an app, typed by hand: pushes that are good and bad, scaling,
# logs, one-off commands, maintenance, and a machine that went down.
# shellcheck disable=SC2317 # some are called by within
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

[ -x /usr/bin/python3 ] || skip_all 'python3 is not installed'
export driver=slugrun
make_dir "$@"
start_slugd || exit 1
run slugctl -d "$dir" init myapp
git init -q -b master work
cd work || exit 1
git remote add heroku "$dir/repos/myapp.git"
url=http://127.0.0.1:$first_port

# shellcheck disable=SC2016 # the app's shell expands it
serve='exec python3 -m http.server --bind 127.0.0.1 $PORT'

# push MESSAGE: commit all that is there, and push it.
push() {
	git add -A
	git commit -q -m "$1"
	run git push heroku master
	out=$(printf '%s\n' "$err" | sed -n 's/^remote: //; s/ *$//p')
}

version() {
	git heroku releases --json | python3 -c \
		'import json, sys; print(json.load(sys.stdin)[0]["version"])'
}

dyno_is() {
	git heroku ps | grep -q "^$1: $2 "
}

printf 'web: %s\nworker: sleep 1000\n' "$serve" >Procfile
echo one >index.html
push 'first'
is "$status" 0 'a push'
like "$out" '^-----> Launching\.\.\. done, v2 deployed to Heroku$' \
	'what two hooks say is one line'
is "$(curl -sS "$url")" one 'and the app answers when it is over'

# --- what changed has a new time, though it has the same size
modified=$(curl -sS -I "$url/index.html" | tr -d '\r' |
	sed -n 's/^Last-Modified: //ip')
run curl -sS -o /dev/null -w '%{http_code}' -H "If-Modified-Since: $modified" \
	"$url/index.html"
is "$out" 304 'a conditional GET of what is known'
within 3 sh -c "[ \"\$(date +%s)\" -gt $(date +%s) ]"
echo two >index.html
push 'the same size'
run curl -sS -H "If-Modified-Since: $modified" "$url/index.html"
is "$out" two 'sees new content of the same size'

# --- pushes that do not come up
before=$(git rev-parse HEAD)
echo 'web: nonesuch --port 1' >Procfile
push 'a command that does not exist'
is "$status" 1 'a command that does not exist: git push fails'
like "$out" 'nonesuch' 'its last words are shown'
like "$out" 'Push rejected to myapp' 'it is said'
is "$(git --git-dir="$dir/repos/myapp.git" rev-parse master)" "$before" \
	'nothing moved'
is "$(version)" 3 'no number was used'
is "$(curl -sS "$url")" two 'the old one serves'
printf 'web: %s\nrelease: echo to the new schema; exit 3\n' "$serve" >Procfile
push 'a release command that fails'
is "$status" 1 'a release command that fails: git push fails'
like "$out" 'to the new schema' 'its output is shown'
is "$(version) $(curl -sS "$url")" '3 two' 'and nothing moved'
printf 'web: %s\nworker: sleep 1000\nrelease: echo migrated $%s\n' "$serve" \
	HEROKU_RELEASE_VERSION >Procfile
push 'one that works'
is "$status" 0 'a release command that works'
like "$out" 'migrated v4' 'runs as the release that is to be'
run git heroku releases:output
is "$(printf '%s\n' "$out" | grep -c 'migrated v4')" 1 \
	'its output is kept, once'

# --- what runs
run git heroku ps:scale web=2 worker=1
is "$status" 0 'ps:scale'
within 20 dyno_is web.2 up && within 20 dyno_is worker.1 up
ok $? 'two web processes and a worker are up'
for wrong in web=-1 web=1000000000 web=two nosuch=1; do
	run git heroku ps:scale "$wrong"
	is "$status $(git heroku ps | grep -c '^web\.')" '1 2' \
		"ps:scale $wrong changes nothing"
done
run git heroku ps:restart web.1
is "$status $(curl -sS "$url")" '0 two' 'ps:restart'
run git heroku run 'cat index.html; echo mine >index.html; exit 7'
is "$status $out" '7 two' 'run: its output and its status'
is "$(curl -sS "$url")" two 'what it wrote is its own'
run git heroku run:detached 'echo from afar'
is "$status" 0 'run:detached'
from_afar() {
	git heroku logs -p run | grep -q 'app\[run\.[0-9]*\]: from afar$'
}
within 20 from_afar
ok $? 'logs has what it said'
run git heroku logs -n 200
like "$out" '^[-0-9]*T[:0-9.]*\+00:00 heroku\[api\]: Release v4 created by ' \
	'logs has releases'
like "$out" 'heroku\[web\.1\]: State changed from starting to up$' \
	'and states'

# --- config changes, many in a row
i=0
while [ "$i" -lt 10 ]; do
	i=$((i + 1))
	git heroku config:set "N=$i" >/dev/null || break
done
is "$i $(version)" '10 14' 'ten config:set make ten releases'
# shellcheck disable=SC2016 # the process expands it
run git heroku run 'echo $N'
is "$out" 10 'and the last state runs'
run git heroku rollback v3
is "$status" 0 'rollback'
unlike "$(git heroku config)" '^N ' 'goes back to the config, too'

# --- maintenance
run git heroku maintenance on
if slugctl -d "$dir" status | grep -q '^route: haproxy'; then
	run curl -sS -o "$scratch/page" -w '%{http_code}' "$url"
	is "$out" 503 'maintenance answers 503'
	like "$(cat "$scratch/page")" '<html' 'with a page'
else
	skip 2 'HAProxy is not installed'
fi
git heroku maintenance off >/dev/null
is "$(curl -sS "$url")" two 'and goes on'

# --- the machine goes down
last=$(version)
stop_slugd KILL
for p in $(pgrep -f "$dir"); do
	kill -KILL "$p" 2>/dev/null
done
if [ -s "$dir/haproxy.pid" ]; then
	kill -KILL "$(cat "$dir/haproxy.pid")" 2>/dev/null
fi
gone() {
	! curl -sS "$url" >/dev/null 2>&1
}
within 20 gone
ok $? 'after kill -9 of everything nothing answers'
start_slugd || exit 1
back() {
	[ "$(curl -sS "$url" 2>/dev/null)" = two ]
}
within 20 back
ok $? 'the start of slugd brings the app back'
within 20 dyno_is web.2 up
ok $? 'with all its processes'
is "$(version)" "$last" 'without a new release'
cd "$scratch" || exit 1
finish
