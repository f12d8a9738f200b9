#!/bin/sh
# SPDX-License-Identifier: ISC
# A HAProxy that takes the place of another.
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
within 10 gone "$old"
is "$(noted)" "$(pid_of web.1)" \
	'the end of the old way leaves what the new one has noted'
old=$(pid_of web.1)
launch 3 '{"driver": "direct"}' >out
within 10 gone "$old"
is "$(page | head -n 1) $(noted)" 'page ' 'and then none of HAProxy'
launch 4 "$(haproxy one.sock app-myapp)" >out
within 5 notes "$(pid_of web.1)"
ok $? 'and one again'
ask POST /stop >out
stop_slugrun
ok "$([ ! -e route/myapp ]; echo $?)" 'which goes with slugrun'

[ "$failures" -eq 0 ] || diag "$(cat "$scratch/slugrun.log")"
finish
