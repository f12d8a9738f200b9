#!/bin/sh
# SPDX-License-Identifier: ISC
# slugrun: releases of one app, with real slugs and real processes.

# shellcheck disable=SC2317 # within calls some of the functions
# shellcheck source=t/lib/test.sh
# shellcheck disable=SC2016 # text
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/slugrun.sh
. "$t/lib/slugrun.sh"
trap 'stop_slugrun; end_test' EXIT

commit=de63889c20a96347679af2c5160c390727fa6749

# launch VERSION [PROCESSES]: $slug, $config, $timeout, $grace, $ports count.
launch() {
	cat >"$scratch/launch.json" <<-END
	{"app": "myapp", "version": $1, "commit": "$commit",
	 "created_at": 1000000000, "store": "$store", "slug": "$slug",
	 "config": $config,
	 "processes": [${2:-$web}],
	 "listen": $first_port, "ports": [$first_port, $last_port],
	 "timeout": $timeout, "grace": $grace, "log_size": 2097152}
	END
	run ask POST /launch -d "@$scratch/launch.json" -w '\n%{http_code}'
}

store=$scratch/store
slug=00000000-0000-4000-8000-000000000001
config='{"MYVAR": "one"}'
web=$(process web 1 'exec perl server.pl')
timeout=20
grace=5
mkdir -p "$app" src
echo 'a page' >src/index.html
cp "$t/lib/server.pl" src/
cat >src/fail.sh <<'END'
echo one
printf 'two\033[1m' >&2
exit 3
END
cat >src/env.sh <<'END'
tr '\000' '\n' </proc/$$/environ >../environ
mv ../environ "../../../env.$DYNO"
exec sleep 600
END
cat >src/daemon.sh <<'END'
sleep 600 &
echo $! >../../../child.pid
setsid sleep 600 &
echo $! >../../../daemon.pid
exec sleep 600
END
tar --zstd -C src -b 1 -cf slug.tar.zst .
put_slug "$store" $slug slug.tar.zst
head -c 1024 /dev/zero | zstd -q >end.tar.zst

# The supervisor itself.
run "$slugrun"
is "$status" 2 'no folder: usage'
run "$slugrun" "$scratch/nowhere"
is "$status" 1 'a folder that is not there: refused'
like "$err" 'nowhere: No such file' 'in words'
start_slugrun
ok $? 'slugrun answers'
run ask GET /
is "$out" '{"app":"myapp","launching":null,"listen":null,"ports":"watched","processes":[],"trial":null,"until":null,"version":null}' \
	'before the first launch: nothing'
is "$(stat -c %a "$app/slugrun.sock")" 600 'its socket is private'
run "$slugrun" "$app"
is "$status" 1 'a second one for the same folder is refused'
like "$err" 'another slugrun has' 'in words'

# A launch.
launch 10
is "$out" '{"status":"up","version":10}

200' 'a launch answers when the release is up'
run page
like "$out" 'a page' 'the page answers at the stable address'
like "$out" 'DYNO=web.1 .*HEROKU_RELEASE_VERSION=v10 .*MYVAR=one' \
	'with its release and config'
run ask GET /
like "$out" "\"listen\":$first_port,.*\"version\":10" 'GET / names both'
like "$out" "\"name\":\"web.1\",\"pid\":[0-9]+,\"port\":$last_port,\"since\":\"[0-9TZ:-]+\",\"state\":\"up\",\"type\":\"web\"" \
	'and the process, on the highest port'
old=$(pid_of web.1)

# The next one takes over, while the address keeps answering.
while :; do
	page >page.out 2>>page.err || echo failed >>page.failed
	[ -e page.stop ] && break
done &
pages=$!
config='{"MYVAR": "two"}'
for v in 11 12 13; do
	slug=$(uuid $v)
	put_slug "$store" "$slug" slug.tar.zst
	launch $v
	like "$out" '"up"' "v$v takes over"
done
run page
like "$out" 'RELEASE_VERSION=v13 .*MYVAR=two' 'and answers'
ok "$(within 20 gone "$old"; echo $?)" 'the old process is gone'
touch page.stop
wait "$pages"
run cat page.failed page.err
is "$out" '' 'no request failed meanwhile'
ok "$(within 10 test ! -e "$app/trees/$(id -u)/v10"; echo $?)" 'v10 is removed'
is "$(cd "$app/trees/$(id -u)" && echo v*)" 'v11 v12 v13' \
	'this release and the one before stay, and a spare one'

# Launches that fail.
launch 14 "$(process web 1 'sh fail.sh')"
is "$out" '{"id":"invalid_params","message":"web.1 exited with status 3 before it answered\none\ntwo\\x1b[1m"}

422' 'a process that exits: its status and last lines'
launch 14 "$(process web 1 'kill -9 $$')"
like "$out" 'web.1 was ended by signal 9 \(Killed\) before' 'or its signal'
launch 14 "$(process web 1 'seq 100; exit 1')"
like "$out" 'answered\\n1\\n.*\\n5\\n\(75 lines left out\)\\n81\\n.*\\n100"' \
	'the first five lines and the last twenty'
timeout=3
launch 14 "$(process web 1 'echo waiting; echo $$ >../../../silent.pid; exec sleep 600')"
like "$out" '"web.1 did not answer on port [0-9]+ \(\$PORT\) within 3 seconds; it listens on no port\\nwaiting"' \
	'a process that never answers'
ok "$(gone "$(cat "$app/silent.pid")"; echo $?)" 'is killed'
timeout=20
launch 14 "$web, $(process worker 1 'exit 4')"
like "$out" 'worker.1 exited with status 4 right after its start' \
	'a worker that exits fails the launch, too'
slug=00000000-0000-4000-8000-000000000002
launch 14
like "$out" '/slugs/00000000-.*-000000000002 is missing' \
	'a slug that is not there'
put_slug "$store" $slug slug.tar.zst end.tar.zst
truncate -s -1 "$store/segments/$(sum <end.tar.zst)"
launch 14
like "$out" 'segments/[0-9a-f]* is damaged' 'a slug that is cut off'
like "$out" '^422' 'is 422, too'
slug=$(uuid 13)
is "$(cd "$app/trees/$(id -u)" && echo v*)" 'v12 v13' 'no failed release leaves a folder'
run page
like "$out" 'RELEASE_VERSION=v13 .*MYVAR=two' 'v13 has served all along'
run ask GET /
like "$out" '"version":13' 'and is the one that runs'

# Requests that are wrong.
run ask POST /launch -d '{}' -w '\n%{http_code}'
like "$out" '^422' 'a launch without a version is 422'
run ask POST /launch -d '{' -w '\n%{http_code}'
like "$out" '^400' 'one that is no JSON is 400'
launch 14 "$(process 'we b' 1 true)"
like "$out" '^422' 'a bad process type is 422'
launch 14 "$(process web 101 true)"
like "$out" 'the quantity of web is not 0 to 100' \
	'too many processes are refused'
slug=$scratch/slug.tar.zst launch 14
like "$out" 'uuid' 'a slug that is a path is refused'
store=store launch 14
like "$out" 'store is no absolute path' 'and a store that is none'
config='{"A": 1}' launch 14
like "$out" 'config A is no string' 'config that is no string'
ask POST /launch -d "$(sed 's/"version": 14/"version": 15/' launch.json |
	sed 's/"A": 1/"A": "1"/; s/exec perl server.pl/exec sleep 600/
	s/"timeout": 20/"timeout": 5/')" >slow.out 2>&1 &
slow=$!
launching() {
	ask GET / | grep -q "\"launching\":$1,"
}
ok "$(within 10 launching 15; echo $?)" 'while a launch is going on'
launch 16
like "$out" '"conflict"' 'a second one is a conflict'
like "$out" '^409' 'with 409'
wait "$slow"
like "$(cat slow.out)" 'web.1 did not answer' 'the first one ends by itself'

# Types, quantities and the environment.
config='{"MYVAR": "it'"'"'s \"two\"\nlines", "LANG": "C", "PORT": "1", "DYNO": "x", "HEROKU_APP_NAME": "y", "HEROKU_SLUG_COMMIT": "z", "LD_PRELOAD": "/nowhere.so"}'
launch 20 "$(process web 2 "while [ -e $scratch/hold ]; do sleep 0.05; done; exec perl server.pl"), $(process worker 2 'exec sh env.sh'), $(process clock 0 'exit 1')"
like "$out" '"up"' 'several types and quantities'
for p in web.1 web.2 worker.1 worker.2; do
	ok "$(state $p up; echo $?)" "$p is up"
done
run state clock.1 up
is "$status" 1 'a quantity of 0 is none'
within 20 test -e "$app/env.worker.1"
# But PWD, which the shell sets for what it runs.
is "$(grep -v '^PWD=' "$app/env.worker.1" | sort)" "DYNO=worker.1
HEROKU_APP_NAME=myapp
HEROKU_RELEASE_VERSION=v20
HEROKU_SLUG_COMMIT=$commit
HOME=$app/run/worker.1-1/app
LANG=C
LD_PRELOAD=/nowhere.so
MYVAR=it's \"two\"
PATH=/usr/local/bin:/usr/bin:/bin
TMPDIR=$app/run/worker.1-1/tmp
lines" 'the environment, exactly'
for n in 1 2 3 4; do page; done | grep -o 'DYNO=web.[0-9]' | sort -u >dynos
is "$(tr '\n' ' ' <dynos)" 'DYNO=web.1 DYNO=web.2 ' 'both web processes serve'
run grep -l 'nowhere.so' "/proc/$slugrun_pid/environ" "/proc/$slugrun_pid/maps"
is "$out" '' "the app's environment never is slugrun's"
pid=$(pid_of worker.1)
like "$(cat "/proc/$pid/status")" 'NoNewPrivs:.1' 'no new privileges'
like "$(cat "/proc/$pid/limits")" 'core file size +0 +0' 'no core files'
is "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" 'a session of its own'
run grep -c 'lines' "$app/log" "$scratch/slugrun.log"
like "$out" 'slugrun.log:0' 'no config value is in a log'

# A crash.
crashes() {
	grep 'heroku\[web.1\]: State changed from up to crashed' "$app/log"
}
old=$(pid_of web.1)
touch hold
kill -9 "$old"
ok "$(within 10 crashes; echo $?)" \
	'a process that dies is crashed: the log says so'
run page
like "$out" 'DYNO=web.2' 'the other one serves'
rm hold
ok "$(within 20 restarted web.1 "$old"; echo $?)" \
	'and it is started again, as another process'

# The log.
config='{}'
launch 21 "$web, $(process loud 1 'yes a line that is rather long | head -n 60000; printf unfinished; exec sleep 600')"
like "$out" '"up"' 'a process that prints much does not hold up the launch'
ok "$(within 20 test -s "$app/log.1"; echo $?)" 'the log is rotated'
like "$(head -n 1 "$app/log.1")" \
	'^[0-9-]{10}T[0-9:]{8}\.[0-9]{6}\+00:00 (app|heroku)\[[a-z]+\.1\]: ' \
	"in Logplex's form"
launch 22 "$web, $(process loud 1 'yes')"
like "$out" '"up"' 'one that never stops printing is no hindrance, either'
run page
like "$out" 'v22' 'the page answers beside it'
ok "$([ "$(cat "$app/log" "$app/log.1" | wc -c)" -le 2097152 ]; echo $?)" \
	'the log stays bounded'

# Without a web process.
launch 23 "$(process worker 1 'exec sleep 600')"
like "$out" '"up"' 'a release without a web process'
run page
is "$status" 7 'nobody listens at the address'
run ask GET /
like "$out" '"listen":null' 'as GET / says'
launch 24 ' '
like "$out" '"up"' 'a release without any process'
launch 25
run page
like "$out" 'v25' 'and one with a web process again'

# The address is taken by another program.
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1,
	LocalAddr => "127.0.0.1", LocalPort => shift) or die;
	open my $f, ">", "listens"; close $f; sleep 600' $((first_port + 1)) &
other=$!
within 20 test -e listens
sed "s/\"listen\": $first_port/\"listen\": $((first_port + 1))/
	s/\"version\": 25/\"version\": 26/" launch.json >taken.json
run ask POST /launch -d @taken.json
like "$out" "cannot listen on port $((first_port + 1))" \
	'an address that is taken: named'
kill "$other"
run page
like "$out" 'v25' 'and the old one serves on'

# Many at a time.
i=0
while [ $i -lt 200 ]; do
	echo "http://127.0.0.1:$first_port/"
	i=$((i + 1))
done | xargs -P 200 -n 1 curl -sS --retry 0 -o /dev/null \
	-w '%{http_code}\n' >codes 2>&1
is "$(sort codes | uniq -c | tr -s ' ')" ' 200 200' \
	'200 requests at a time: no failure'

# A process that does not want to end, and its children.
grace=1
launch 26 "$web, $(process stubborn 1 "trap '' TERM; sleep 600 & echo \$! >../../../child.pid; while :; do sleep 1; done")"
within 20 test -s "$app/child.pid"
old=$(pid_of stubborn.1)
launch 27
ok "$(within 20 gone "$old"; echo $?)" 'SIGKILL after the grace'
ok "$(within 20 gone "$(cat "$app/child.pid")"; echo $?)" \
	'for its children, too'

# launch_daemon VERSION: beside a worker with a child and a daemon.
launch_daemon() {
	rm -f "$app/child.pid" "$app/daemon.pid"
	launch "$1" "$web, $(process worker 1 'sh daemon.sh')"
	within 20 test -s "$app/daemon.pid"
}

# The end.
old=$(pid_of web.1)
run ask POST /stop
is "$out" '{"status":"stopped"}' 'stop answers'
ok "$(gone "$old"; echo $?)" 'when the processes are gone'
wait "$slugrun_pid"
is "$?" 0 'slugrun exits with 0'
slugrun_pid=

start_slugrun
launch 28
old=$(pid_of web.1)
stop_slugrun TERM
ok "$(gone "$old"; echo $?)" 'SIGTERM ends the processes, too'

start_slugrun
launch_daemon 28
old=$(pid_of web.1)
stop_slugrun KILL
ok "$(within 20 gone "$old"; echo $?)" 'SIGKILL of slugrun leaves no process'
ok "$(within 20 gone "$(cat "$app/child.pid")"; echo $?)" 'nor a child of one'
ok "$(within 20 gone "$(cat "$app/daemon.pid")"; echo $?)" 'nor a daemon'

start_slugrun
ok $? 'and another one starts after it'
launch_daemon 29
like "$out" '"up"' 'and launches'
launch 30
ok "$(within 10 gone "$(cat "$app/daemon.pid")"; echo $?)" \
	'a daemon of an old release is ended'
launch_daemon 31
old=$(pid_of web.1)
mv "$app" "$scratch/elsewhere"
wait "$slugrun_pid"
is "$?" 0 'slugrun ends when its folder is gone'
slugrun_pid=
ok "$(gone "$old"; echo $?)" 'with its processes'
ok "$(within 20 gone "$(cat "$scratch/elsewhere/daemon.pid")"; echo $?)" \
	'and their daemons'

finish
