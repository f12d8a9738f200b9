#!/bin/sh
# SPDX-License-Identifier: ISC
# Who ends a release command, or what waits for one, before its time: a push
# that is broken off, and a slugd that ends or is killed.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

own_exec_path
driver=slugrun
launch='timeout = 30\nrelease_timeout = 60\ngrace = 1\nnamespaces = off\n'
# The app sees a file in it.
chmod 711 "$scratch"
make_dir '[route]' 'driver = direct'
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
log=$dir/apps/myapp/log
begun() {
	grep -c ': COMMAND BEGINS' "$log"
}
has_begun() {
	[ "$(begun)" -eq "$1" ]
}
logged() {
	grep -q -e "$1" "$scratch/slugd.log"
}
slugrun() {
	curl -sS --unix-socket "$dir/apps/myapp/slugrun.sock" http://slugrun/
}
is_idle() {
	slugrun | grep '"trial":null' | grep -q '"launching":null'
}
is_free() {
	! api GET /apps/myapp | grep -q '"busy":"'
}
# push in the background, until its release command has begun N times.
push() {
	hold pre-receive
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	held pre-receive
	receive=$parent
	let_go pre-receive
	within 20 has_begun "$1"
}

# --- a push that is broken off

cat >Procfile <<'END'
web: exec perl server.pl
release: echo COMMAND BEGINS; until [ -e "$GATE" ]; do sleep 0.05; done
END
git add Procfile
commit 'a release command'
push 1
ok $? 'a release command'
kill -KILL "$receive"
wait "$pusher"
isnt $? 0 'the push is broken off'
within 10 is_free
ok $? 'the app waits for it no more'
within 10 is_idle
ok $? 'nor does its slugrun'
is "$(begun)" 1 'the release command was begun once'

finish
