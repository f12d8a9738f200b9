#!/bin/sh
# SPDX-License-Identifier: ISC
# One-off processes: git heroku run and run:detached.
# shellcheck disable=SC2016 # variables of another shell
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp || exit 1
slugctl -d "$dir" init empty >/dev/null || exit 1
cd work || exit 1

run git heroku run true
is "$status" 1 'before the first push nothing is run'
like "$err" '^ !    myapp has no code yet: push to it first$' 'which is said'
run git heroku run:detached -a empty true
is "$status:$out" '1:Running `true` detached... failed' \
	'detached neither, nor of another app'
git push -q heroku master 2>push.err || diag "$(cat push.err)"

# --- a command, its streams and its status ---

run git heroku run 'echo out; echo err >&2; pwd; cat index.html'
is "$status" 0 'a command is run'
is "$err" "Running \`echo out; echo err >&2; pwd; cat index.html\` attached... up, run.1
err" 'its errors come to standard error, behind the announcement'
like "$out" '^out$' 'its output to standard output'
like "$out" '^hello$' "among the app's files"
run git heroku run 'exit 3'
is "$status" 3 'the exit status is its own'
run git heroku run -x 'kill -9 $$'
is "$status" 137 'or says by which signal it ended'
run git heroku run no-such-command
is "$status" 127 'one that does not exist is 127'
like "$err" 'no-such-command: not found' 'and the shell says so'
is "$(echo 'select 1' | git heroku run cat 2>/dev/null)" 'select 1' \
	'input comes through a pipe, to its end'
is "$(git heroku run tty 2>/dev/null)" 'not a tty' \
	'without a terminal there is none'
run git heroku logs
like "$out" 'heroku\[run\.1\]: Starting process with command `echo out;' \
	'the log has that it began'
like "$out" 'heroku\[run\.1\]: State changed from starting to up' \
	'that it was up'
like "$out" 'heroku\[run\.2\]: Process exited with status 3' 'how it ended'
unlike "$out" 'app\[run\.' 'and nothing that it said'

# --- what it is given ---

git heroku config:set COLOUR=blue >/dev/null
run git heroku run 'echo "$COLOUR $DYNO $HEROKU_RELEASE_VERSION [$PORT]"'
like "$out" '^blue run\.[0-9]+ v3 \[\]$' "it has the release's environment"
run git heroku run -e 'COLOUR=red;SHAPE=round one' 'echo "$COLOUR, $SHAPE"'
is "$out" 'red, round one' 'and further variables, or others'
run git heroku run --env COLOUR true
is "$status:$err" "1: !    COLOUR is invalid. Must be in the format \
KEY=VALUE;KEY=VALUE." 'which must be some'
run git heroku run --env HEROKU_X=1 true
is "$status" 1 'and may not be reserved'
run git heroku run echo -n 'a  b' -a --tail
is "$out" 'a  b -a --tail' \
	'several arguments are joined as by Heroku, options among them'
run git heroku run printf '%s.' 'say "x  y"' z
is "$out" 'say "x  y".z.' 'blanks and double quotes stay'
run git heroku run -- echo --tail
is "$out" '--tail' 'a -- is not its first word'
run git heroku run
is "$status" 1 'there must be a command'
like "$err" 'Must specify a COMMAND to run' 'it says so'
run git heroku run ' '
is "$status" 1 'one of blanks is none'
run git heroku run --type 'a b' true
is "$status" 1 'a type must be one'
is "$(git heroku run --size 1X echo one 2>&1 | tail -n 1)$(
	)$(git heroku run -s 1x echo two 2>&1 | tail -n 1)" onetwo \
	'the one size of dynos may be named'
for by in run run:detached; do
	run git heroku $by -s Performance-L true
	is "$status" 1 "$by: another size is refused"
	like "$err" 'There is one size of dynos here: 1X$' 'in the words of ps:scale'
done

git heroku run 'echo mine >index.html; echo mine >new; cat index.html new' \
	>copy 2>/dev/null
is "$(cat copy)" 'mine
mine' 'it may write to its files'
is "$(git heroku run 'cat index.html; ls' 2>/dev/null | tr '\n' ' ')" \
	'hello Procfile index.html server.pl ' 'which nobody else sees'

# --- a terminal ---

# at STEP... -- COMMAND...: at a terminal; as run does, $out alone.
at() {
	"$t/lib/terminal.py" "$@" >"$scratch/.out" 2>&1
	status=$?
	out=$(cat "$scratch/.out")
}

at -- git heroku run 'test -t 0 && test -t 1 && test -t 2 && stty size; exit 5'
is "$status" 5 'at a terminal, too, the status is its own'
like "$out" '^40 100$' 'it has a terminal, of the same size'
like "$out" 'attached to terminal\.\.\. up, run\.' 'the announcement says so'
at -- git heroku run 'tty; echo x >"$(tty)"; ls /dev/pts'
case $(slugctl -d "$dir" status) in
*' namespaces, '*) tty=/dev/console ;;
*) tty='/dev/pts/[0-9]+' ;;
esac
like "$out" "^$tty\$" 'which has a name'
like "$out" '^x' 'by which it can be opened'
at 'expect $ ' 'type stty size\r' 'expect 40 100' 'size 90x30' \
	'type stty size\r' 'expect 30 90' 'type exit 6\r' -- \
	git heroku run 'PS1="$ " exec sh -i'
is "$status" 6 'a shell is used, and its size changes with ours'
at 'expect up, run' raw 'expect ready' 'type \x03' -- \
	git heroku run 'trap "echo caught; exit 8" INT; echo ready
		while :; do sleep 0.1; done'
is "$status" 8 'Ctrl-C is a signal there'
like "$out" 'caught$' 'which it may catch'
at 'expect up, run' raw 'expect ready' 'type line\r\x04' -- \
	git heroku run 'echo ready; wc -l'
is "$status" 0 'Ctrl-D ends the input'
like "$out" '^1$' 'it had a line'
at raw 'expect ready' 'kill TERM' -- git-heroku run 'echo ready; sleep 50'
is "$status" 143 'a signal ends us, and the terminal is what it was'
at raw 'expect ready' 'kill TSTP' cooked 'kill CONT' raw 'type x\r' \
	'expect x' 'type \x04' -- git-heroku run 'echo ready; cat'
is "$status" 0 'as it is while we are stopped'
at -- git heroku run --no-tty 'test -t 0 || echo none'
like "$out" '^none$' 'with --no-tty it has none'
at -- sh -c 'git heroku run "test -t 0 || echo none" | cat'
like "$out" '^none$' 'nor where the output goes elsewhere'

# --- ends that nobody wants ---

# shellcheck disable=SC2317 # called by within
log_has() {
	git heroku logs -n 1000 >log.out 2>&1
	grep -Eq -e "$1" log.out
}

# begin COMMAND: attached, in the background; $client is its pid, and in the
# file "input" can be typed.
begin() {
	rm -f input output words
	mkfifo input
	git-heroku run "$@" <input >output 2>words &
	client=$!
	exec 3>input
	within 20 grep -q ready output
}

name() {
	sed -n 's/.* up, \(run\.[0-9]*\).*/\1/p' words
}

begin 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$client"
wait "$client"
is $? 9 'without a terminal it gets the signals that we get'
begin 'trap "sleep 0.1; exit 7" HUP; echo ready; while :; do sleep 0.1; done'
kill -KILL "$client"
within 20 log_has "$(name).: Process exited with status 7"
ok $? 'where we are gone it gets SIGHUP'
begin 'trap "" HUP TERM; echo ready; while :; do sleep 0.1; done'
kill -KILL "$client"
within 20 log_has "$(name).: Process exited with status 137"
ok $? 'and SIGKILL, where it does not mind'

begin 'echo ready; while read -r l; do echo "$l"; cat index.html; done'
run git heroku ps
like "$out" "^$(name) ?(\\([0-9A-Z]*\\))?: up|^$(name): up" 'ps lists it'
kill -KILL "$slugd_pid"
wait "$slugd_pid" 2>/dev/null
echo 'still there' >&3
within 20 grep -q 'still there' output
ok $? 'it goes on without slugd'
start_slugd 3>&-
echo again >&3
within 20 grep -q again output
ok $? 'and with another one'
: >output
for colour in red green blue; do
	git heroku config:set "COLOUR=$colour" >/dev/null
done
echo 'and again' >&3
within 20 grep -q hello output
ok $? 'and when releases are launched, with its files'
exec 3>&-
wait "$client"
is $? 0 'to its end'

begin 'echo ready; exec sleep 50'
run git heroku ps:stop "$(name)"
wait "$client"
is $? 143 'ps:stop ends it'
like "$(cat words)" '^ !    The process was told to end' 'and says so'

is "$(git-heroku run yes 2>words | head -n 1)" y 'a reader may have enough'
within 20 log_has "$(name).: Process exited"
ok $? 'which ends it'

# --- two, and much ---

begin 'echo ready; exec cat'
run git heroku run 'echo me, too'
is "$status:$out" '0:me, too' 'another one may run meanwhile'
exec 3>&-
wait "$client"

# The pids of the processes that join the attached ones.
joints() {
	for cmdline in /proc/[0-9]*/cmdline; do
		{ tr '\0' ' ' <"$cmdline"; } 2>/dev/null |
			grep -q "^$SLUGD_EXEC_PATH/slugrun-box attach " || continue
		pid=${cmdline%/cmdline}
		echo "${pid#/proc/}"
	done
}

# peak PID: the most memory that it had, in KiB.
peak() {
	sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

mkfifo gate
{
	git-heroku run 'head -c 100000000 /dev/zero' 2>words
	echo $? >status
} | {
	cat gate
	wc -c >count
} &
much=$!
within 20 grep -q 'up, run' words
pid=$(joints)
run git heroku run 'echo not held up'
is "$status:$out" '0:not held up' 'a reader that stands still holds up nobody'
if [ "$(printf '%s' "$pid" | wc -w)" -eq 1 ]; then
	size=$(peak "$pid")
	[ "$size" -lt 40000 ]
	ok $? "nor is what it does not read kept in memory: $size KiB"
else
	skip 1 'other attached processes run here'
fi
: >gate
wait "$much"
is "$(cat status):$(tr -d ' ' <count)" '0:100000000' '100 MB arrive'
is "$(head -c 30000000 /dev/zero | git heroku run 'wc -c' 2>/dev/null)" \
	30000000 '30 MB go the other way'
is "$(head -c 30000000 /dev/zero |
	git heroku run 'sleep 0.2; echo done' 2>/dev/null)" 'done' \
	'input that is not read is no harm'

# --- detached ---

run git heroku run:detached echo 'a  line' two
is "$status:$err" '0:' 'a command is run detached'
like "$out" '^Running `echo "a  line" two` detached\.\.\. up, run\.[0-9]+$' \
	'which is announced'
like "$out" '^Use `git heroku logs -p run\.[0-9]+` to view the output\.$' \
	'with what to see it by'
within 20 log_has 'app\[run\.[0-9]+\]: a  line two'
ok $? 'and it is in the log'

# --- over the API ---

run api POST /apps/myapp/dynos -d '{"command": "sleep 50", "attach": true}'
like "$out" '"bad_request"' 'to be attached is to upgrade the connection'
run api POST /apps/myapp/dynos -d '{"command": "sleep 50", "time_to_live": 1}'
like "$out" '"state":"up","type":"run"' 'the answer is a dyno'
like "$out" '"release":\{"id":"[0-9a-f-]{36}","version":6\}' 'of a release'
name=$(printf '%s' "$out" | sed 's/.*"name":"\(run\.[0-9]*\)".*/\1/')
within 20 log_has "heroku.$name.: Process exited with status 143"
ok $? 'it may be given a time to live'
for body in '{}' '{"command": ""}' '{"command": "true", "time_to_live": 0}' \
	'{"command": "true", "env": []}' '{"command": "true", "env": {"A": 1}}' \
	'{"command": "true", "env": {"A=B": "c"}}'; do
	run api POST /apps/myapp/dynos -d "$body"
	like "$out" '"invalid_params"' "refused: $body"
done

begin 'echo ready; exec sleep 50'
stop_slugd TERM
wait "$client"
is $? 143 'where slugd ends with its apps, so does it'
like "$(cat words)" '^ !    The process was told to end' 'in words'
exec 3>&-
finish
