#!/bin/sh
# SPDX-License-Identifier: ISC
# A HAProxy that hangs, and one that takes the place of another.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/slugrun.sh
. "$t/lib/slugrun.sh"
PATH=$PATH:/usr/sbin
export PATH
trap 'stop_slugrun; end_test' EXIT

# --- who leads requests is another one; nobody answers as HAProxy here

# haproxy SOCKET BACKEND: as an order has it.
haproxy() {
	printf '{"driver":"haproxy","socket":"%s","backend":"%s","state":"%s"}' \
		"$scratch/$1" "$2" "$scratch/route/myapp"
}
# launch VERSION ROUTE
launch() {
	ask POST /launch -d @- <<END
{"app": "myapp", "version": $1, "commit": null, "created_at": 1000000000,
 "store": "$scratch/store", "slug": "$(uuid 1)", "config": {},
 "processes": [$(process web 1 'exec perl server.pl')],
 "listen": $first_port, "ports": [$((first_port + 1)), $last_port],
 "timeout": 20, "grace": 1, "route": $2}
END
}
# The web process that the state file names, by its number of a process.
noted() {
	sed -n 's/^web\.1-\([0-9]*\) [0-9]*$/\1/p' "$scratch/route/myapp"
}
notes() {
	[ "$(noted)" = "$1" ]
}

mkdir -p "$app" route src
echo page >src/index.html
cp "$t/lib/server.pl" src/
tar --zstd -C src -b 1 -cf slug.tar.zst .
head -c 1024 /dev/zero | zstd -q >end.tar.zst
put_slug "$scratch/store" "$(uuid 1)" slug.tar.zst end.tar.zst
start_slugrun
launch 1 "$(haproxy one.sock app-myapp)" >out
is "$(noted)" "$(pid_of web.1)" 'the state file names the web process'
for way in 'two.sock app-myapp' 'two.sock app-other'; do
	# shellcheck disable=SC2086 # two words
	ask POST /route -d "{\"route\": $(haproxy $way)}" >out
	is "$(noted)" "$(pid_of web.1)" "another HAProxy, $way: as before"
done
old=$(pid_of web.1)
launch 2 "$(haproxy two.sock app-third)" >out
isnt "$(pid_of web.1)" "$old" 'a release with another way of its own'
within 20 gone "$old"
is "$(noted)" "$(pid_of web.1)" \
	'the end of the old way leaves what the new one has noted'
old=$(pid_of web.1)
launch 3 '{"driver": "direct"}' >out
within 20 gone "$old"
is "$(page | head -n 1) $(noted)" 'page ' 'and then none of HAProxy'
launch 4 "$(haproxy one.sock app-myapp)" >out
within 20 notes "$(pid_of web.1)"
ok $? 'and one again'
ask POST /stop >out
stop_slugrun
ok "$([ ! -e route/myapp ]; echo $?)" 'which goes with slugrun'

# --- HAProxy is stopped by a signal

if ! command -v haproxy >/dev/null; then
	skip 8 'no haproxy'
	finish
fi
driver=slugrun
make_dir
start_slugd && make_app myapp >/dev/null || exit 1
cd work || exit 1
url=$(api GET /apps/myapp | grep -o 'http://127.0.0.1:[0-9]*')
cat >>Procfile <<'END'
clock: while :; do echo tick; sleep 0.02; done
END
git commit -qam 'A clock'
git push -q heroku master 2>/dev/null
api PATCH /apps/myapp/formation/clock -d '{"quantity": 1}' >../out
answers() {
	curl -sS -m 5 "$url/" | grep -q "RELEASE_VERSION=$1"
}
ok "$(within 20 answers v2; echo $?)" 'an app'
ticks() {
	cat "$dir/apps/myapp/log" "$dir/apps/myapp/log.1" 2>/dev/null |
		grep -c 'app.clock.1.: tick'
}
more_ticks() {
	[ "$(ticks)" -gt "$1" ]
}
route_is_behind() {
	grep -q 'the route: HAProxy does not answer' "$scratch/slugd.log"
}

is_well() {
	api GET /apps/myapp/releases/current | grep '"status":"succeeded"'
}

haproxy=$(cat "$dir/haproxy.pid")
kill -STOP "$haproxy"
like "$(api PATCH /apps/myapp/formation/web -d '{"quantity": 2}')" \
	'"quantity":2' 'HAProxy is stuck: processes are started'
ok "$(within 20 route_is_behind; echo $?)" 'and not known to it'
late=0
for _ in $(seq 150); do
	api GET /apps/myapp/dynos -m 1.5 >../out 2>&1 || late=$((late + 1))
done
ok "$([ "$late" -le 1 ]; echo $?)" 'meanwhile slugrun answers'
[ "$late" -le 1 ] || diag "late: $late of 150"
like "$(git heroku ps)" '^web.2: up' 'git heroku ps shows them'
ok "$(within 20 more_ticks "$(ticks)"; echo $?)" 'the log goes on'
api PATCH /apps/myapp/config-vars -d '{"A": "1"}' >../out
kill -CONT "$haproxy"
ok "$(within 20 answers v3; echo $?)" 'it goes on: so does a release'
ok "$(within 20 is_well; echo $?)" 'which is well'

[ "$failures" -eq 0 ] || diag "$(tail -n 40 "$scratch/slugd.log")"
finish
