#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku logs, and the log sessions of the API: which lines, and who reads
# on while they are written.
# shellcheck disable=SC2086 # lists of options are meant to be split
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

command -v python3 >/dev/null || skip_all 'no python3'
driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
slugctl -d "$dir" init quiet >/dev/null || exit 1
cd work || exit 1
readers=
trap 'kill -KILL $readers 2>/dev/null; end_test' EXIT

refused() {
	is "$status:$out" '1:' "$1: exit 1, nothing on standard output"
	is "$err" " !    $2" "$1: the words"
}

# --- of a real app ---

cat >Procfile <<'EOF'
web: printf 'Gr\303\274\303\237e \033[31mred\t.\n'; exec python3 -u -m http.server --bind 127.0.0.1 "$PORT"
EOF
git commit -qam 'A server that says what it serves'
run git heroku logs
is "$status:$out:$err" '0::' 'an app that never ran has no lines'
run git push heroku master
is "$status" 0 'the push'
url=$(git heroku open)
run git heroku logs
is "$status:$err" '0:' 'logs: exit 0'
is "$(printf '%s\n' "$out" | grep -Ev '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}\+00:00 (app|heroku)\[[a-z]+(\.[0-9]+)?\]: ')" \
	'' 'each line has a time, a source and a text'
like "$out" ' heroku\[web\.1\]: State changed from starting to up$' \
	'what became of a process'
like "$out" ' app\[web\.1\]: Grüße \\x1b\[31mred	\.$' \
	'what it printed, without what a terminal would act on'

# session APP BODY [CURL-OPTION...]: the log, by the API alone.
session() {
	app=$1
	body=$2
	shift 2
	id=$(api POST "/apps/$app/log-sessions" -d "$body" \
		-H 'Content-Type: application/json' | field id)
	api GET "/logs/$id" "$@"
}

# field NAME: of the object on standard input.
field() {
	perl -MJSON::PP -e 'local $/;
		print decode_json(<STDIN>)->{$ARGV[0]} // "none"' "$1"
}
like "$(session myapp '{}' | od -An -c | tr -d ' \n')" '033\[31mred\\t' \
	'the API gives the bytes as they are'

within 10 curl -fsS "${url}Procfile"
within 10 grep -q 'GET /Procfile' "$dir/apps/myapp/log"
run git heroku logs -n 1
is "$(printf '%s\n' "$out" | wc -l)" 1 '-n 1: one line'
like "$out" 'app\[web\.1\]: .*"GET /Procfile HTTP/1.1" 200' 'the last one'
run git heroku logs --source heroku
unlike "$out" ' app\[' '--source heroku: no line of the app'
like "$out" ' heroku\[' 'but those about it'
run git heroku logs -s app -n 2
is "$(printf '%s\n' "$out" | grep -c ' app\[')" 2 \
	'-s app -n 2: two lines of the app'
for p in web web.1; do
	run git heroku logs -p "$p" -n 1
	like "$out" 'GET /Procfile' "-p $p: its lines"
done
for p in we web.2 web.10 worker; do
	run git heroku logs --ps "$p"
	is "$status:$out" '0:' "--ps $p: none, and that is no error"
done

# tail_log NAME OPTION...: read on in the background, into NAME. Not by git,
# which would be another process.
tail_log() {
	to=$1
	shift
	git-heroku logs --tail "$@" >"$to" 2>"$to.err" &
	pid=$!
	readers="$readers $pid"
}
tail_log seen -n 1
mine=$pid
within 10 grep -q Procfile seen
ok $? '--tail begins with what is there'
curl -fsS "${url}Procfile?more" >/dev/null
within 10 grep -q 'GET /Procfile?more' seen
ok $? 'and goes on with what comes'
kill "$mine"

# --- refusals ---

run git heroku logs -s syslog
refused '-s syslog' 'source: it is app or heroku'
run git heroku logs -p 'web 1'
refused "-p 'web 1'" 'dyno: a name like web.1 is wanted'
run git heroku logs -p ''
refused "-p ''" 'dyno: a name like web.1 is wanted'
run git heroku logs -n -1
refused '-n -1' "--num: '-1' is not a number from 1 to 1000000"
run git heroku logs -n 1000000000
refused '-n 1000000000' \
	"--num: '1000000000' is not a number from 1 to 1000000"
for what in 'logs -n 5' open; do
	# shellcheck disable=SC2086 # words
	git heroku $what 2>err >/dev/full
	is "$?:$(cat err)" "1: !    cannot write to standard output: $(:
		)No space left on device" "$what, and the output is lost"
done
run git heroku logs web
like "$err" 'Invalid argument: "web"' 'a process as an argument'
run git heroku logs -a nope
refused 'another app' "Couldn't find that app: nope"
for body in '{"lines":-1}' '{"lines":"ten"}' '{"lines":1e9}' '{"lines":1.5}' \
	'{"tail":"yes"}' '{"dyno":["web"]}' '{"source":5}' '{"dyno":"../x"}'; do
	is "$(api POST /apps/myapp/log-sessions -d "$body" -o body \
		-w '%{http_code}' -H 'Content-Type: application/json')" 422 \
		"the API refuses $body"
	is "$(field id <body)" invalid_params 'in its own way'
done

# --- a session ---

api POST /apps/myapp/log-sessions -d '{"tail":false,"dyno":null}' \
	-H 'Content-Type: application/json' -D headers >body
like "$(cat headers)" '^HTTP/1.1 201 ' 'a session is created'
is "$(perl -MJSON::PP -e 'local $/; print join " ",
	sort keys %{decode_json(<STDIN>)}' <body)" \
	'created_at id logplex_url updated_at' "with the official fields"
id=$(field id <body)
is "$(field logplex_url <body)" "http://slugd/logs/$id" \
	'its URL leads to where it was asked for'
is "$(api POST /apps/myapp/log-sessions -H 'Host: 127.0.0.1:5055' -d '{}' \
	-H 'Content-Type: application/json' | field logplex_url | cut -d/ -f1-4)" \
	'http://127.0.0.1:5055/logs' 'by whatever name'
like "$(api POST /apps/myapp/log-sessions -H 'Host: x/"y' -d '{}' \
	-H 'Content-Type: application/json' | field logplex_url)" \
	'^http://slugd/logs/' 'but no odd one'
is "$(api GET /logs/00000000-0000-4000-8000-000000000000 -o body \
	-w '%{http_code}')" 404 'an id that was not given leads nowhere'
api GET "/logs/$id" -D headers >lines
like "$(tr -d '\r' <headers)" '^Content-Type: text/plain; charset=utf-8$' \
	'a stream of text'
api GET "/logs/$id" -H 'Accept: text/event-stream' -D headers >events
like "$(tr -d '\r' <headers)" '^Content-Type: text/event-stream$' \
	'or of events, for who accepts them'
sed 's/^/data: /; G' lines >wanted
cmp -s wanted events
ok $? 'an event a line, with the same lines'

# --- a log that is written by hand, so that its turns are known ---

log=$dir/apps/quiet/log
mkdir -p "$dir/apps/quiet"
git remote add quiet "$dir/repos/quiet.git"
# line N [SOURCE [NAME]]: write it.
line() {
	printf '2015-05-07T09:00:00.%06d+00:00 %s[%s]: line %d\n' "$1" \
		"${2:-app}" "${3:-web.1}" "$1" >>"$log"
}
# lines FIRST LAST: write many.
lines() {
	perl -e 'printf "2015-05-07T09:00:00.%06d+00:00 app[web.1]: line %d\n",
		$_, $_ for $ARGV[0] .. $ARGV[1]' "$@" >>"$log"
}
turn() {
	mv "$log" "$log.1"
}
# numbers FILE: those of its lines, as "first-last", each once, in order.
numbers() {
	sed 's/.* line //' "$1" | perl -e '
		my @n = map { $_ + 0 } <STDIN>;
		my @bad = grep { $n[$_] != $n[$_ - 1] + 1 } 1 .. $#n;
		print @bad ? "broken at @n[@bad]\n" : "$n[0]-$n[-1]\n"'
}

tail_log early -r quiet -n 1
# Does slugd have so many descriptors of inotify?
# shellcheck disable=SC2317 # called by within
watches() {
	[ "$(find "/proc/$slugd_pid/fd" -lname '*inotify*' | wc -l)" -eq "$1" ]
}
within 10 watches 1
ok $? 'somebody looks for new lines'
lines 1 3000
within 10 grep -q 'line 3000$' early
ok $? 'one who waits sees the first log of an app'
run git heroku logs -r quiet
printf '%s\n' "$out" >got
is "$(numbers got)" 2901-3000 '100 lines unless told'
turn
lines 3001 3010
git heroku logs -r quiet -n 15 >got
is "$(numbers got)" 2996-3010 'a log begins in the one that was put away'
git heroku logs -r quiet -n 5000 >got
is "$(numbers got)" 1-3010 'and no line is there twice'
line 3011 heroku worker.1
lines 3012 3020
git heroku logs -r quiet -p worker -n 3 >got
is "$(numbers got)" 3011-3011 'the only line of a process is found'
git heroku logs -r quiet -p web -n 3012 >got
is "$(wc -l <got)" 3012 'and so many of another, over both'
turn
lines 3021 3030
within 10 grep -q 'line 3030$' early
ok $? 'who reads on goes from one to the other'
turn
lines 3031 3040
turn
lines 3041 3050
within 10 grep -q 'line 3050$' early
is "$(numbers early)" 1-3050 'and misses none, nor sees one twice'

printf '2015-05-07T09:00:00.003051+00:00 app[web.1]: li' >>"$log"
line 9 app web.2
within 10 grep -q 'web.2' early
like "$(tail -n 1 early)" ' app\[web\.1\]: li2015.*line 9$' \
	'a line is shown when it has ended'
: >"$log"
line 3052
within 10 grep -q 'line 3052$' early
ok $? 'a log that somebody emptied is read on, too'

# Against grep and tail: lines of all lengths, of processes by turns.
rm "$log" "$log.1"
for part in log.1 log; do
	perl -e 'srand 7; printf "2015-05-07T09:00:00.%06d+00:00 %s[%s]: %s\n",
		$_, qw(app heroku)[rand 2], qw(web.1 web.2 web.11 worker.1)[rand 4],
		"x" x rand(rand() < .01 ? 60000 : 100) for 1 .. 3000' \
		>"$dir/apps/quiet/$part"
done
wrong=
for n in 1 100 2000 5999 9000; do
	for p in '[^]]*' 'web[^]]*' 'web\.1' worker.1; do
		for s in '[a-z]*' app heroku; do
			cat "$log.1" "$log" | grep " $s\[$p\]: " |
				tail -n "$n" >wanted
			p_name=$(printf '%s' "$p" | tr -cd 'a-z0-9.')
			s_name=$(printf '%s' "$s" | tr -cd '[:lower:]')
			[ "$s_name" != az ] || s_name=
			git-heroku logs -r quiet -n "$n" ${p_name:+-p "$p_name"} \
				${s_name:+-s "$s_name"} >got
			cmp -s wanted got || wrong="$wrong $n:$p:$s"
		done
	done
done
is "$wrong" '' 'any number of lines of any process, over both'

# --- readers that do not read ---

rm "$log.1"
: >"$log"
line 3052
tail_log stuck -r quiet
stuck=$pid
within 10 grep -q 'line 3052$' stuck
kill -STOP "$stuck"
lines 4000 60000
turn
lines 60001 100000
run git heroku releases -n 1
is "$status" 0 'one who stopped reading keeps nobody waiting'
within 20 grep -q 'line 100000$' early
ok $? 'nor another reader'
kill -CONT "$stuck"
within 20 grep -q 'line 100000$' stuck
ok $? 'when it goes on, it sees the rest'
sed '/line 3052$/d' stuck >rest
is "$(numbers rest)" 4000-100000 'all that is still there'
for i in 1 2 3 4 5 6 7 8; do
	tail_log "gone$i" -r quiet
done
within 10 grep -q 100000 gone8
kill -KILL $readers 2>/dev/null
within 10 watches 0
ok $? 'when all are gone, nobody looks any more'
# shellcheck disable=SC2317 # called by within
none_open() {
	[ -z "$(find "/proc/$slugd_pid/fd" -lname '*/apps/*')" ]
}
within 10 none_open
ok $? 'and no log is open'

# --- a log in which there is much to look through, and nothing to find ---

# answers WHAT: does slugd answer others while one does that?
answers() {
	is "$(api GET /apps/quiet -m 10 -o body -w '%{http_code}')" 200 \
		"$1: slugd answers others"
	is "$(session quiet '{"lines":1}' -m 10 | sed 's/.* line //')" \
		100001 'those who read the same log, too'
	kill -0 "$pid"
	ok $? 'while that one goes on'
	kill "$pid"
	within 10 none_open
	ok $? 'until its reader goes away'
}
rm -f "$log" "$log.1"
line 1 app worker.1
tail_log filter -r quiet -p worker
within 10 grep -q 'line 1$' filter
turn
log=$log.new
line 2 app worker.1
truncate -s +64G "$log" # a hole, which takes no room
echo >>"$log"
line 100001
mv "$log" "${log%.new}"
log=${log%.new}
within 10 grep -q 'line 2$' filter
ok $? 'what is found is shown before there is more'
answers 'reading on'
tail_log filter -r quiet -p worker -n 3
answers 'searching'
is "$(cat filter)" '' 'and has found nothing'

# --- the end of slugd ---

tail_log last -r quiet -n 1
within 10 test -s last
stop_slugd
wait "$pid"
is $? 1 'when slugd ends, so does the reader: exit 1'
is "$(cat last.err)" ' !    slugd went away before it answered' 'with words'
finish
