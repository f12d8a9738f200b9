#!/bin/sh
# SPDX-License-Identifier: ISC
# What slugrun does beside plain launches: trials, release commands, checks,
# other formations, restarts, one-off processes, and the log.

# shellcheck disable=SC2016,SC2317 # the app's shell expands these; within calls
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/slugrun.sh
. "$t/lib/slugrun.sh"
trap 'stop_slugrun; end_test' EXIT

# order VERSION [KEY VALUE]...: prints it.
order() {
	order_version=$1
	order_processes="[$web]"
	order_config={}
	order_timeout=20
	order_more=
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		processes) order_processes=$2 ;;
		config) order_config=$2 ;;
		timeout) order_timeout=$2 ;;
		*) order_more="$order_more, \"$1\": $2" ;;
		esac
		shift 2
	done
	cat <<-END
	{"app": "myapp", "version": $order_version, "commit": null,
	 "created_at": 1000000000, "store": "$store", "slug": "$slug",
	 "config": $order_config, "processes": $order_processes,
	 "listen": $first_port, "ports": [$first_port, $last_port],
	 "timeout": $order_timeout, "grace": 2 $order_more}
	END
}

# launch VERSION [KEY VALUE]...
launch() {
	order "$@" >order.json
	run ask POST /launch -d @order.json -w '\n%{http_code}'
}

# begin NAME VERSION [KEY VALUE]...: the same, not waited for: into NAME.out
begin() {
	begin_name=$1
	shift
	order "$@" >"$begin_name.json"
	ask POST /launch -d "@$begin_name.json" >"$begin_name.out" 2>&1 &
	begun="$begun $!"
}

# All that was begun is answered.
await() {
	# shellcheck disable=SC2086 # they are several
	wait $begun
	begun=
}
begun=

# change METHOD PATH BODY
change() {
	run ask "$1" "$2" -d "$3" -w '\n%{http_code}'
}

trial_is() {
	ask GET / | grep -q "\"trial\":$1,"
}

# state_has TEXT: does GET / say that?
state_has() {
	ask GET / | grep -q -e "$1"
}

runs() {
	state_has "\"version\":$1}"
}

# said REGEXP: is there such a line in the log?
said() {
	grep -Eqs -e "$1" "$app/log" "$app/log.1"
}

# logged REGEXP: how many lines of the log are so?
logged() {
	cat "$app/log.1" "$app/log" 2>/dev/null | grep -Ec -e "$1"
}

# all_serve N: have N of them answered, with this page?
all_serve() {
	page | grep -o 'DYNO=web.[0-9]' >>dynos
	[ "$(sort -u dynos | wc -l)" -eq "$1" ]
}

# Pages without a pause, until rest_pages; what fails, into page.failed.
load_pages() {
	rm -f page.stop page.failed
	while [ ! -e page.stop ]; do
		page >/dev/null 2>>page.failed || echo failed >>page.failed
	done &
	load_pid=$!
}

rest_pages() {
	touch page.stop page.failed
	wait "$load_pid"
	is "$(cat page.failed)" '' "$1"
}

store=$scratch/store
slug=$(uuid 1)
web=$(process web 1 'exec perl server.pl')
worker=$(process worker 1 'echo works; exec sleep 600')
mkdir -p "$app" src
echo 'a page' >src/index.html
cp "$t/lib/server.pl" src/
cat >src/check.pl <<'END'
# Answers /ready with the statuses of its arguments, one by one.
use strict;
use warnings;
use IO::Socket::INET;

my $listen = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT},
	Listen => 64, ReuseAddr => 1) or die "port $ENV{PORT}: $!\n";
$| = 1;
while (my $c = $listen->accept) {
	my $first = <$c> // '';
	while (my $line = <$c>) { last if $line =~ /^\r?$/ }
	my $status = $first =~ m,^GET /ready , ? shift @ARGV // 200 : 404;
	print "$status for $first";
	if ($status eq 'silence') { sleep 600 }
	print $c "HTTP/1.1 $status X\r\nContent-Length: 0\r\n\r\n";
	close $c;
}
END
cat >src/text.sh <<'END'
printf 'a\000b\377c\033d\nplain \303\244 \033[1m\n'
head -c 20000 /dev/zero | tr '\000' x
printf '\nshort\n'
END
cat >src/loud.sh <<'END'
perl -e '$| = 0; print "a line that is rather long\n" for 1 .. 38000000'
echo all said
exec sleep 600
END
tar --zstd -C src -b 1 -cf slug.tar.zst .
head -c 1024 /dev/zero | zstd -q >end.tar.zst
put_slug "$store" "$slug" slug.tar.zst end.tar.zst
echo 'another page' >src/index.html
tar --zstd -C src -b 1 -cf other.tar.zst .
put_slug "$store" "$(uuid 2)" other.tar.zst end.tar.zst
start_slugrun

# --- a trial ---

launch 1
like "$out" '"up"' 'a release runs'
old=$(pid_of web.1)
launch 2 trial true processes "[$web, $worker]"
is "$out" '{"status":"trial","version":2}

200' 'a trial answers when its web process is up'
ok "$(trial_is 2; echo $?)" 'GET / names it'
ok "$(runs 1; echo $?)" 'and what runs'
run page
like "$out" 'VERSION=v1( |$)' 'which has the traffic'
is "$(logged 'worker')" 0 'no other process of it is started'
launch 2 trial true processes "[$web, $worker]"
like "$out" '"trial"' 'the order may be repeated'
is "$(logged 'web.1.: Starting process')" 2 'and starts nothing'
launch 2 processes "[$web, $worker]" events '["Deploy 1234567 by user ann", "Release v2 created by user ann"]'
like "$out" '"status":"up","version":2' 'without trial it is promoted'
run page
like "$out" 'VERSION=v2' 'and has the traffic'
ok "$(state worker.1 up; echo $?)" 'its other processes are up'
is "$(logged 'web.1.: Starting process')" 2 'the web process is the one tried'
ok "$(trial_is null; echo $?)" 'and it is no trial any more'
ok "$(said 'heroku.api.: Release v2 created by user ann'; echo $?)" \
	'the log is told of it'
ok "$(within 20 gone "$old"; echo $?)" 'the old one ends'
launch 2 processes "[$web, $worker]"
like "$out" '"up"' 'what runs may be ordered again'
is "$(logged 'web.1.: Starting process')" 2 'to no effect'

launch 3 trial true processes "[$(process web 1 'echo no luck; exit 7')]"
like "$out" 'web.1 exited with status 7 before it answered.nno luck' \
	'a trial that fails says why'
ok "$(runs 2 && trial_is null; echo $?)" 'and leaves nothing'
first=$slug
slug=$(uuid 2)
launch 3 trial true
is "$(find "$app/trees" -name v3 | wc -l)" 1 'the next one'
run ask DELETE /trial
is "$out" '{"status":"ended"}' 'is ended'
ok "$(trial_is null; echo $?)" 'when that answers'
run ask DELETE /trial
is "$out" '{"status":"ended"}' 'twice is no harm'
launch 3 trial true trial_timeout 1
like "$out" '"trial"' 'a trial that nobody confirms'
ok "$(within 20 trial_is null; echo $?)" 'ends by itself'
run page
like "$out" 'VERSION=v2' 'what runs, runs on'
launch 3 trial true
slug=$first
launch 3 config '{"MYVAR": "x"}'
like "$out" '"status":"up"' 'another release takes the place of a trial'
run page
like "$out" 'VERSION=v3 .*MYVAR=x' 'whole'
like "$out" '^a page' 'with its own files, not with those that were tried'

# --- orders that are repeated ---

slow=$(process web 1 'sleep 1; exec perl server.pl')
begin one 4 trial true processes "[$slow, $worker]"
begin two 4 trial true processes "[$slow, $worker]"
launch 4 processes "[$slow, $worker]"
await
like "$out" '"up"' 'three orders for one release'
like "$(cat one.out)" '"up"|"trial"' 'the first is answered'
like "$(cat two.out)" '"up"|"trial"' 'the second, too'
is "$(logged 'web.1.: Starting process with command .sleep')" 1 \
	'and it is started once'
gated=$(process web 1 "until [ -e $scratch/gate ]; do sleep 0.05; done; exec perl server.pl")
begin one 5 processes "[$gated]"
within 20 state_has '"launching":5,'
launch 6
like "$out" '^409' 'another release during a launch is refused'
touch gate
await

# --- the release command ---

launch 6 release_command '"echo migrating; echo $DYNO >&2; sleep 0.3; printf done"'
like "$out" '"up"' 'a release command that ends well'
run ask GET /output
is "$out" 'migrating
release.1
done' 'its output, to the end'
run ask GET '/output?version=6'
like "$out" '^done' 'of that version'
run ask GET '/output?version=7'
like "$out" 'not_found' 'and no other'
ok "$(said 'app.release.1.: migrating'; echo $?)" 'is in the log, too'
ok "$(said 'heroku.release.1.: State changed from up to complete'; echo $?)" \
	'with what became of it'
begin one 7 release_command '"echo first; until [ -e '"$scratch"'/go ]; do sleep 0.05; done; echo second"' trial true
within 20 said 'app.release.1.: first'
ask GET /output -N >early.out &
early=$!
within 20 test -s early.out
is "$(cat early.out)" 'first' 'the output comes while it runs'
ask GET /output >stream.out &
stream=$!
touch go
wait $early $stream
is "$(cat stream.out)" 'first
second' 'and ends with it'
await
launch 7 release_command '"echo again; exit 1"'
like "$out" '"up"' 'the trial that ran it is promoted'
is "$(logged 'app.release.1.: (first|again)')" 1 'which does not run it again'
launch 8 release_command '"echo cannot migrate; exit 3"'
is "$out" '{"id":"invalid_params","message":"the release command exited with status 3\ncannot migrate"}

422' 'one that fails fails the launch, in its words'
run page
like "$out" 'VERSION=v7' 'and the old one runs on'
launch 8 release_timeout 3 release_command '"sleep 600 & echo $! >'"$scratch"'/child; echo hangs; sleep 601"'
like "$out" 'the release command did not end within 3 seconds.nhangs' \
	'one that hangs is ended'
ok "$(within 20 gone "$(cat child)"; echo $?)" 'with its children'
launch 8 release_command '"no-such-command"'
like "$out" 'the release command exited with status 127' \
	'one that is not there'

# --- commands that are wrong ---

launch 8 processes "[$(process web 1 'no-such-command --at-all')]"
like "$out" 'web.1 exited with status 127.*no-such-command.*not found' \
	'a command that does not exist'
launch 8 processes "[$(process web 1 '(sleep 600; exec perl server.pl) &')]"
like "$out" 'web.1 exited with status 0 before it answered' \
	'one that forks and exits'
launch 8 timeout 1 processes "[$(process web 1 'PORT=1 exec sleep 600')]"
like "$out" 'web.1 did not answer on port [0-9]+ \(\$PORT\) within 1 second; it listens on no port' \
	'one that listens elsewhere'
launch 8 processes "[$web, $worker, $(process clock 1 'exit 9')]"
like "$out" 'clock.1 exited with status 9 right after its start' \
	'one type that cannot start'
launch 8 processes "[$web, $worker, $(process clock 1 'echo all done')]"
like "$out" 'clock.1 exited with status 0 right after its start; it is to run until .* ps:scale clock=0' \
	'one that has nothing to do'
ok "$(runs 7; echo $?)" 'and nothing of it stays'
migrates='"echo MIGRATED"'
for command in 'bin/none -p $PORT' 'exec ./none.pl' /app/bin/none 'index.html/x'
do
	launch 8 trial true release_command "$migrates" \
		processes "[$web, $(process clock 1 "$command")]"
	like "$out" 'clock.1 cannot be started: .* is not in the app' \
		"$command, which is not there"
done
launch 8 trial true release_command "$migrates" \
	processes "[$(process web 1 'exec ./server.pl')]"
like "$out" 'web.1 cannot be started: ./server.pl is no executable file' \
	'one that is not executable'
is "$(logged MIGRATED)" 0 \
	'neither has the release command run'
launch 8 release_command "$migrates" \
	processes "[$web, $(process clock 1 'bin/none || exec sleep 600')]"
like "$out" '"up"' 'what is not there need not be, for all that a shell does'
launch 7
ok "$(said 'heroku.web.1.: Error R10 .Boot timeout.'; echo $?)" \
	'the log has the code of Heroku'

# --- the check ---

launch 9 check '"/ready"' processes "[$(process web 1 'exec perl check.pl 503 404 302')]"
like "$out" '"up"' 'a check that comes right in the end'
within 20 said 'app.web.1.: 302 for GET /ready HTTP/1.1'
is "$(logged 'app.web.1.: [0-9]* for GET /ready HTTP/1.1')" 3 'asked three times'
launch 10 check '"/ready"' timeout 1 processes "[$(process web 1 'exec perl check.pl $(yes 500 | head -n 1000)')]"
like "$out" 'web.1 did not answer GET /ready on port [0-9]+ \(\$PORT\) within 1 second; it answers with status 500' \
	'one that never does'
launch 10 check '"/ready"' timeout 1 processes "[$(process web 1 'exec perl check.pl silence')]"
like "$out" 'did not answer GET /ready .*; it takes connections, but answers nothing' \
	'nor one that is silent'
launch 10 check '"/a b"'
like "$out" 'check is no path' 'a check that is none'

# --- other formations ---

launch 11 processes "[$web, $worker]"
load_pages
change PATCH /formation "{\"processes\": [$(process web 3 'exec perl server.pl')]}"
like "$out" '"up"' 'three web processes'
ok "$(state web.3 up && state worker.1 up; echo $?)" 'are up, beside the worker'
ok "$(within 20 all_serve 3; echo $?)" 'and serve'
old=$(pid_of web.3)
change PATCH /formation '{"processes": [{"type": "web", "quantity": 1}, {"type": "worker", "quantity": 0}]}'
like "$out" '"up"' 'one, and no worker'
ok "$(within 20 gone "$old"; echo $?)" 'the others end'
run state worker.1 up
is "$status" 1 'and the worker'
rest_pages 'no request failed meanwhile'
launch 11 processes "[$web, $worker]"
ok "$(within 20 state worker.1 up; echo $?)" \
	'an order of what runs, with another formation, changes that'
for body in '{"type": "web", "quantity": -1}' '{"type": "web", "quantity": 1e9}' \
	'{"type": "web", "quantity": "two"}' '{"type": "web", "quantity": 101}' \
	'{"type": "nothing", "quantity": 1}' '{"type": "run", "quantity": 1}' \
	'{"type": "web"}' '{"type": "a b", "quantity": 1}' '1'; do
	change PATCH /formation "{\"processes\": [$body]}"
	like "$out" '^422' "formation $body is refused"
done
change PATCH /formation "{\"processes\": [$(process a 100 'sleep 600'), $(process b 100 'sleep 600')]}"
like "$out" 'more than 200 processes' 'and too many in all'
change PATCH /formation '{}'
like "$out" '^422' 'and none at all'
change PATCH /formation "{\"processes\": [$(process late 1 'echo late; exit 1')]}"
like "$out" 'late.1 exited with status 1.nlate' \
	'a process that cannot start is told'
ok "$(within 20 state late.1 crashed; echo $?)" 'and tried again'
change PATCH /formation '{"processes": [{"type": "late", "quantity": 0}]}'
ok "$(runs 11 && ! state late.1 crashed; echo $?)" 'until it is not wanted'
change PATCH /formation '{"processes": [{"type": "web", "quantity": 0}]}'
like "$out" '"up"' 'no web process'
run page
isnt "$status" 0 'no answer'
change PATCH /formation "{\"processes\": [$web]}"
run page
like "$out" 'VERSION=v11' 'until there is one again'

# --- restart and stop ---

old=$(pid_of web.1)
kept=$(pid_of worker.1)
load_pages
change POST /restart '{"name": "web"}'
like "$out" '"up"' 'a type is restarted'
isnt "$(pid_of web.1)" "$old" 'by another process'
is "$(pid_of worker.1)" "$kept" 'and no other'
change POST /restart '{"name": null}'
like "$out" '"up"' 'all are restarted'
isnt "$(pid_of worker.1)" "$kept" 'the worker, too'
rest_pages 'no request failed meanwhile'
ok "$(within 20 gone "$kept"; echo $?)" 'and the old ones end'
change POST /restart '{"name": "web.7"}'
like "$out" '^404' 'one that is not there'
change POST /dynos/stop '{"name": "worker.1"}'
like "$out" '^200' 'one is stopped'
ok "$(within 20 state worker.1 down; echo $?)" 'and down'
change POST /restart '{"name": "worker.1"}'
ok "$(state worker.1 up; echo $?)" 'until it is restarted'
change POST /dynos/stop '{"name": "worker.1"}'
within 20 state worker.1 down
change PATCH /formation "{\"processes\": [$worker]}"
ok "$(state worker.1 up; echo $?)" 'or scaled'
change POST /dynos/stop '{"name": "nobody"}'
like "$out" '^404' 'one that is not there'
change POST /dynos/stop '{}'
like "$out" '^422' 'nor named'
launch 12 processes "[$(process web 1 'test -e '"$scratch"'/broken || exec perl server.pl')]"
like "$out" '"up"' 'a process that will not start again'
touch broken
old=$(pid_of web.1)
change POST /restart '{"name": "web.1"}'
like "$out" 'web.1 exited with status 0' 'cannot be restarted'
is "$(pid_of web.1)" "$old" 'and stays as it is'
run page
like "$out" 'VERSION=v12' 'serving'

# --- one-off processes ---

launch 13
change POST /dynos '{"command": "echo $DYNO $FOO $COLUMNS $HEROKU_RELEASE_VERSION; exit 4", "env": {"FOO": "bar", "DYNO": "x"}, "columns": 132}'
like "$out" '"name":"run.1"' 'a command is run once'
ok "$(within 20 said 'app.run.1.: run.1 bar 132 v13'; echo $?)" \
	'in the environment of the release, and its own'
ok "$(within 20 said 'heroku.run.1.: Process exited with status 4'; echo $?)" \
	'its status is in the log'
ok "$(within 20 said 'heroku.run.1.: State changed from up to complete'; echo $?)" \
	'and its state'
change POST /dynos '{"command": "exec sleep 600"}'
like "$out" '"name":"run.2"' 'the next one has another name'
once=$(pid_of run.2)
launch 14
run gone "$once"
is "$status" 1 'it outlives its release'
ok "$(state run.2 up; echo $?)" 'and is listed'
change POST /dynos/stop '{"name": "run.2"}'
ok "$(within 20 gone "$once"; echo $?)" 'until it is stopped'
for body in '{}' '{"command": ""}' '{"command": "ls", "env": {"A=B": "1"}}' \
	'{"command": "ls", "env": {"A": 1}}' '{"command": "ls", "columns": -1}'; do
	change POST /dynos "$body"
	like "$out" '^422' "$body is refused"
done

# --- the log ---

change POST /log '{"name": "api", "lines": ["Set FOO config vars by user ann", "two\nlines"]}'
ok "$(within 20 said 'heroku.api.: Set FOO config vars'; echo $?)" 'a line of slugd'
ok "$(within 20 said 'heroku.api.: two lines'; echo $?)" 'stays one line'
change POST /log '{"name": "a]: b", "lines": []}'
like "$out" '^422' 'under a name that is one'
change POST /dynos '{"command": "sh text.sh"}'
ok "$(within 20 said 'app.run.[0-9]*.: a.x00b.xffc.x1bd$'; echo $?)" \
	'bytes that are no text are shown'
ok "$(within 20 said 'app.run.[0-9]*.: plain ä .\[1m$'; echo $?)" 'text is left alone'
within 20 said 'app.run.[0-9]*.: short'
is "$(logged 'app.run.[0-9]*.: x+$')" 3 'a long line becomes several'
launch 15 log_size 1000000 processes "[$web, $(process loud 1 'exec sh loud.sh')]"
like "$out" '"up"' 'a process that prints a gigabyte'
load_pages
ok "$(within 20 test -s "$app/log.1"; echo $?)" 'fills the log'
most=0
for n in 1 2 3 4 5 6 7 8; do
	size=$(cat "$app/log" "$app/log.1" 2>/dev/null | wc -c)
	[ "$size" -le "$most" ] || most=$size
	ask GET / >/dev/null
done
ok "$([ "$most" -le 1000000 ]; echo $?)" 'which stays within its size'
rest_pages 'and nobody else waits for it'
limit=20000
# A sanitizer needs memory of its own.
! grep -q __asan_init "$slugrun" || limit=400000
ok "$([ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$slugrun_pid/status")" -lt "$limit" ]
	echo $?)" 'slugrun stays small'

# --- a trial that slugrun is killed in ---

launch 16 trial true
like "$out" '"trial"' 'a trial'
change POST /dynos '{"command": "true"}'
last=$(printf '%s' "$out" | sed -n 's/.*"name":"run.\([0-9]*\)".*/\1/p')
stop_slugrun KILL
start_slugrun
slug=$(uuid 2)
launch 16
run page
like "$out" '^another page' 'its tree is not taken for a release of its number'
change POST /dynos '{"command": "true"}'
like "$out" "\"name\":\"run.$((last + 1))\"" \
	'nor has a one-off process the name of another'

# --- the end ---

launch 17 trial true
run ask POST /stop
is "$out" '{"status":"stopped"}' 'stop ends all, a trial as well'
wait "$slugrun_pid"
is "$?" 0 'and slugrun'
slugrun_pid=

finish
