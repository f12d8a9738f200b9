#!/bin/sh
# SPDX-License-Identifier: ISC
# Who ends a release command, or what waits for one, before its time: a push
# that is broken off, and a slugd that ends or is killed.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
# shellcheck source=t/lib/launch.sh
. "$t/lib/launch.sh"

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
# is_idle [APP]
is_idle() {
	slugrun "$@" | grep '"trial":null' | grep -q '"launching":null'
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
within 20 is_free
ok $? 'the app waits for it no more'
within 20 is_idle
ok $? 'nor does its slugrun'
is "$(begun)" 1 'the release command was begun once'

# --- slugd ends

gate=$scratch/gate
ends_soon() {
	kill -TERM "$slugd_pid"
	within 20 is_gone "$slugd_pid"
	ok $? "$1: slugd ends soon"
	wait "$slugd_pid"
	slugd_pid=
}
is_gone() {
	! kill -0 "$1" || grep -q '^State:.Z' "/proc/$1/status"
}
no_slugrun() {
	! pgrep -f "slugrun $dir/apps/myapp\$"
}
runs() {
	slugrun | grep -q "\"version\":$1[,}]"
}

push 2
ends_soon 'SIGTERM in a trial'
wait "$pusher"
isnt $? 0 'the push is refused'
like "$(cat "$scratch/push.out")" 'slugd is stopping' 'and why'
start_slugd || exit 1
within 20 is_free
touch "$gate"
git heroku config:set GATE="$gate" >/dev/null
push 3
wait "$pusher"
is $? 0 'the next slugd takes the same push'
rm "$gate"
api PATCH /apps/myapp/config-vars -d '{"A":"1"}' >/dev/null
within 20 has_begun 4
ends_soon 'SIGTERM in a launch'
unlike "$(cat "$scratch/slugd.log")" 'was not launched' 'which has not failed'
ok "$(within 20 no_slugrun; echo $?)" 'the slugrun ends with it'
start_slugd || exit 1
ok "$(has_status 4 pending; echo $?)" 'the release is pending at the next start'
within 20 has_begun 5
ok $? 'which launches it again'
touch "$gate"
within 20 has_status 4 succeeded
ok $? 'so it succeeds'
ok "$(runs 4; echo $?)" 'and runs'

# --- where systemd runs slugd, apps go on

stop_slugd
export NOTIFY_SOCKET="$scratch/nobody"
start_slugd || exit 1
within 20 runs 4
rm "$gate"
api PATCH /apps/myapp/config-vars -d '{"A":"2"}' >/dev/null
within 20 has_begun 6
slugrun_pid=$(pgrep -o -f "slugrun $dir/apps/myapp\$")
ends_soon 'SIGTERM where systemd runs slugd'
ok "$(runs 4; echo $?)" 'the app goes on'
start_slugd || exit 1
ok "$(has_status 5 pending; echo $?)" 'the release is pending at the next start'
touch "$gate"
within 20 has_status 5 succeeded
ok $? 'which joins its launch'
is "$(begun)" 6 'without another release command'
is "$(pgrep -o -f "slugrun $dir/apps/myapp\$")" "$slugrun_pid" 'in one slugrun'
unset NOTIFY_SOCKET
curl -sS --unix-socket "$dir/apps/myapp/slugrun.sock" -X POST \
	http://slugrun/stop >/dev/null

# --- slugd is killed in an app's first push

cd .. && mv work first
make_app another >/dev/null
cd work || exit 1
log=$dir/apps/another/log
rm -f "$gate"
cp ../first/Procfile .
git add Procfile
commit 'a release command'
push 1
stop_slugd KILL
wait "$pusher"
isnt $? 0 'slugd is killed in an app'"'"'s first trial: the push is refused'
start_slugd || exit 1
within 20 is_idle another
ok $? 'the next slugd ends the trial'

finish
