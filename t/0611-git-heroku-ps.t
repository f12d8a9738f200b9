#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku ps, ps:scale, ps:restart and ps:stop, and the formation and the
# dynos of the API.
# shellcheck disable=SC2016 # words for another shell
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

refused() {
	is "$status" 1 "$1: exit 1"
	is "$err" " !    $2" "$1: the words"
}

# "web=1 worker=0", of the API.
formation() {
	api GET /apps/myapp/formation | perl -MJSON::PP -e '
		local $/; my $v = decode_json(<STDIN>);
		print join " ", map { "$_->{type}=$_->{quantity}" }
			sort { $a->{type} cmp $b->{type} } @$v'
}

# keys: of the object, or the first one, on standard input.
keys_of() {
	perl -MJSON::PP -e 'local $/; my $v = decode_json(<STDIN>);
		$v = $v->[0] if ref $v eq "ARRAY";
		print join " ", sort keys %$v'
}

# patch PATH BODY: its status, and the answer into the file answer.
patch() {
	api PATCH "$1" -d "$2" -H 'Content-Type: application/json' \
		-o answer -w '%{http_code}'
}

is "$(api GET /account | keys_of)" 'email id name' \
	'the official client asks who it is before it shows dynos'

# --- before there is anything ---

run git heroku ps
is "$status:$out:$err" '0:No dynos on myapp.:' 'ps of a new app'
run git heroku ps --json
is "$out" '[]' 'ps --json of a new app'
run git heroku ps:scale
is "$status:$out" '0:No process types on myapp.' 'ps:scale of a new app'
run git heroku ps:scale web=2
refused 'ps:scale web=2 of a new app' \
	"Couldn't scale: nothing was deployed yet"
run git heroku ps:restart
refused 'ps:restart of a new app' 'Nothing of myapp runs.'

cat >Procfile <<'EOF'
web: sleep ${SLOW:-0}; exec perl server.pl
bad: echo 'no such queue'; exit 3
worker: while sleep 0.1; do echo tick; done
my-clock-2: exec sleep 1000
release: echo released
EOF
git add Procfile && git commit -qm 'Five process types'
run git push heroku master
is "$status" 0 'the push'

# --- what there is to be ---

run git heroku ps:scale
is "$status:$err" '0:' 'ps:scale: exit 0'
is "$(printf '%s\n' "$out" | tr ' ' '\n' | sort | tr '\n' ' ')" \
	'bad=0:1X my-clock-2=0:1X release=0:1X web=1:1X worker=0:1X ' \
	'ps:scale shows the formation: one of web, none of the others'
is "$(formation)" 'bad=0 my-clock-2=0 release=0 web=1 worker=0' 'as the API does'
is "$(api GET /apps/myapp/formation | keys_of)" \
	'app command created_at dyno_size id quantity size type updated_at' \
	'with the official fields'
api GET /apps/myapp/formation/web >one
is "$(keys_of <one)" 'app command created_at dyno_size id quantity size type updated_at' \
	'as one type has'
id=$(perl -MJSON::PP -e 'local $/; print decode_json(<STDIN>)->{id}' <one)
api GET "/apps/myapp/formation/$id" >same
cmp -s one same
ok $? 'a type is found by its id, too'
is "$(api GET /apps/myapp/formation/nope -o answer -w '%{http_code}')" 404 \
	'another one is not'

# --- bad wishes, which change nothing ---

for wish in web=two web=-1 web= =2 web web:1X web=1.5 web=+1 web==1 'web=1 ' \
	'we b=1' web=0x1; do
	run git heroku ps:scale worker=1 "$wish"
	refused "ps:scale '$wish'" \
		"$wish is invalid. Must be in the format TYPE=NUM, TYPE+NUM or TYPE-NUM."
done
for wish in web=101 web=1000000000 web=2147483647; do
	run git heroku ps:scale worker=1 "$wish"
	refused "ps:scale $wish" \
		"Couldn't scale web to ${wish#web=}: there can be 0 to 100"
done
run git heroku ps:scale worker=1 web=99999999999999999999
refused 'ps:scale web=99999999999999999999' "Couldn't scale web to '99999999999999999999': a number from 0 to 100 is wanted, or +N, or -N"
run git heroku ps:scale worker=1 web-2
refused 'ps:scale web-2' "Couldn't scale web by -2: there can be 0 to 100"
run git heroku ps:scale worker=1 web+100
refused 'ps:scale web+100' "Couldn't scale web by 100: there can be 0 to 100"
run git heroku ps:scale worker=1 nope=1
refused 'ps:scale nope=1' "Couldn't find that process type: nope (the Procfile has: bad, my-clock-2, release, web, worker)"
run git heroku ps:scale worker=1 release=1
refused 'ps:scale release=1' \
	"Couldn't scale release: it runs once for each release"
run git heroku ps:scale worker=1 web=1 web=2
refused 'ps:scale web=1 web=2' "Couldn't scale web: it is named twice"
run git heroku ps:scale web=2:Performance-L
refused 'ps:scale web=2:Performance-L' \
	'There is one size of dynos here: 1X'
run git heroku ps:scale web=100 worker=100 my-clock-2=1
refused 'ps:scale web=100 worker=100 my-clock-2=1' "Couldn't scale: 201 processes are more than an app may have, 200"
for body in '{}' '{"updates":{}}' '{"updates":[{"quantity":1}]}' \
	'{"updates":[{"type":"web","quantity":-1}]}' \
	'{"updates":[{"type":"web","quantity":1e9}]}' \
	'{"updates":[{"type":"web","quantity":1000000000}]}' \
	'{"updates":[{"type":"web","quantity":1.5}]}' \
	'{"updates":[{"type":"web","quantity":"two"}]}' \
	'{"updates":[{"type":"web","quantity":""}]}' \
	'{"updates":[{"type":"web","quantity":"+"}]}' \
	'{"updates":[{"type":"web","quantity":null}]}' \
	'{"updates":[{"type":"web","quantity":[1]}]}' \
	'{"updates":[{"type":"worker","quantity":5},{"type":"web","quantity":"-9"}]}'; do
	is "$(patch /apps/myapp/formation "$body")" 422 "the API refuses $body"
	is "$(perl -MJSON::PP -e 'local $/;
		print decode_json(<STDIN>)->{id}' <answer)" invalid_params \
		'in its own way'
done
is "$(patch /apps/myapp/formation/web '{}')" 422 'a change to no number, too'
is "$(patch /apps/myapp/formation '{"updates":[{"type":"web","quantty":3}]}')" \
	422 'a misspelt key is none'
like "$(cat answer)" '"quantity is missing"' 'in words'
for what in '"quantity":1' '"size":"1X"'; do
	is "$(patch /apps/myapp/formation "{\"updates\":[{\"type\":\"x\",$what}]}")" \
		404 "and a type that there is not, with $what"
done
is "$(patch /apps/myapp/formation '{"updates":[{"type":"web","size":"1X"}]}')" 200 \
	'a size alone is a change'
api GET /apps/myapp/formation/web >one
is "$(cat answer)" "[$(cat one)]" 'that changes nothing'
is "$(formation)" 'bad=0 my-clock-2=0 release=0 web=1 worker=0' 'nothing has changed'
is "$(patch /apps/myapp/formation '{"updates":[]}'):$(cat answer)" '200:[]' \
	'no wish at all is no error'

# --- scaling ---

# states: "web.1:up worker.1:up", of what runs.
states() {
	git heroku ps --json | perl -MJSON::PP -e '
		local $/; my $v = decode_json(<STDIN>);
		print join " ", map { "$_->{name}:$_->{state}" } @$v'
}
# become WANTED: does it come to that?
# shellcheck disable=SC2317 # called by within
are() {
	[ "$(states)" = "$1" ]
}
become() {
	within 15 are "$1"
	ok $? "$2"
	are "$1" || diag "got: $(states)"
}
become 'web.1:up' 'one web process is up'
run git heroku ps:scale web=3 worker=1
is "$status:$err" '0:' 'ps:scale web=3 worker=1: exit 0'
is "$out" 'Scaling dynos... done, now running web at 3:1X, worker at 1:1X.' \
	'its words'
become 'web.1:up web.2:up web.3:up worker.1:up' 'so many run'
is "$(git heroku releases -n 1 | sed -n '3s/ .*//p')" v2 'that is no release'
run git heroku ps
like "$out" '^=== web \(1X\): `sleep \$\{SLOW:-0\}; exec perl server\.pl`$' 'ps: a header for each type'
like "$out" '^web\.2: up [0-9]{4}/[0-9]{2}/[0-9]{2} [0-9:]{8} \(~ [0-9]+s ago\)$' \
	'ps: a line for each process'
is "$(printf '%s\n' "$out" | sed -n 's/^\([a-z.0-9]*\): .*/\1/p' |
	tr '\n' ' ')" 'web.1 web.2 web.3 worker.1 ' 'ps: in order'
run git heroku ps worker
like "$out" '^worker\.1: up ' 'ps worker: its processes'
unlike "$out" web 'and no other'
run git heroku ps web.2
is "$(printf '%s\n' "$out" | grep -c ': up')" 1 'ps web.2: one process'
is "$(api GET /apps/myapp/dynos | keys_of)" 'app attach_url command created_at id name release size state type updated_at' 'dynos with the official fields'
is "$(api GET /apps/myapp/dynos/web.2 | perl -MJSON::PP -e 'local $/;
	my $v = decode_json(<STDIN>);
	print "$v->{name} $v->{type} $v->{state} $v->{size} $v->{release}{version}"
')" 'web.2 web up 1X 2' 'one of them'
is "$(api GET /apps/myapp/dynos/web.9 -o answer -w '%{http_code}')" 404 \
	'one that there is not'

# The official client sends strings, also to the one type.
is "$(patch /apps/myapp/formation \
	'{"updates":[{"type":"web","quantity":"-1"},{"type":"worker","quantity":"+1"}]}')" \
	200 'as the official client asks for it'
become 'web.1:up web.2:up worker.1:up worker.2:up' 'one less, and one more'
is "$(keys_of <answer)" \
	'app command created_at dyno_size id quantity size type updated_at' \
	'answered with the official fields'
is "$(patch /apps/myapp/formation/worker '{"quantity":1,"size":"1x"}')" 200 \
	'and one type alone'
become 'web.1:up web.2:up worker.1:up' 'is changed'
run git heroku ps:scale my-clock-2+1
is "$out" 'Scaling dynos... done, now running my-clock-2 at 1:1X.' \
	'a type with a number at its end'
run git heroku ps:scale my-clock-2-1 worker=0
become 'web.1:up web.2:up' 'down to none'
is "$(formation)" 'bad=0 my-clock-2=0 release=0 web=2 worker=0' 'as was written down'
like "$(git heroku info)" '^Dynos:       web: 2$' 'info says it'

like "$(git heroku logs -s heroku)" ' heroku\[api\]: Scaled to web@3:1X worker@1:1X by user ' \
	'the log has who did it'
run git heroku ps:scale bad=1
if [ "$status" -eq 1 ]; then
	is "$out" 'Scaling dynos... failed' 'a process that does not start'
	like "$err" '^ !    It is written down, but not done: bad.1 exited' \
		'what became of it'
	like "$err" '^ !    no such queue' 'and what it said'
	like "$err" '^ !    Until it starts or is scaled back, the next release' \
		'and what comes of it'
else
	skip 4 'it lived so long that it counted as up'
fi
within 10 sh -c 'git heroku ps | grep "^bad.1: crashed"'
ok $? 'it is tried on'
run git heroku ps:scale bad=0
is "$status" 0 'until there shall be none'
become 'web.1:up web.2:up' 'which are the others'

# --- a release has as many ---

git heroku config:set MYVAR=1 >/dev/null
become 'web.1:up web.2:up' 'the next release has as many'

# --- while something is launched ---

git heroku config:set SLOW=2 >config 2>&1 &
within 10 sh -c "git heroku releases -n 1 | grep -q '(pending)'"
run git heroku ps:scale worker=1
is "$status:$err" '0:' 'scaling during a launch waits for it'
wait $!
like "$(cat config)" 'done, v4$' 'which goes well'
become 'web.1:up web.2:up worker.1:up' 'and has as many as were wanted'
git commit -q --allow-empty -m 'The same'
git push heroku master >pushed 2>&1 &
within 10 grep -q Launching pushed
run git heroku ps:scale worker=2
is "$status:$err" '0:' 'scaling during the trial of a push waits, too'
wait $!
like "$(cat pushed)" 'done, v5 deployed' 'the push goes through'
become 'web.1:up web.2:up worker.1:up worker.2:up' 'and so many run'
git heroku config:unset SLOW >/dev/null
git heroku ps:scale worker=0 >/dev/null

# --- restart and stop ---

url=$(git heroku open)
run git heroku ps:restart web.1
is "$status:$out:$err" '0:Restarting web.1 dyno... done:' 'ps:restart web.1'
become 'web.1:up web.2:up' 'it is up again'
run git heroku ps:restart web
is "$status:$out" '0:Restarting web dynos... done' 'ps:restart web'
run git heroku ps:restart
is "$status:$out" '0:Restarting dynos... done' 'ps:restart'
become 'web.1:up web.2:up' 'all are up again'
like "$(curl -sS --max-time 5 "$url")" MYVAR=1 'and answer'
run git heroku ps:stop web.2
is "$status:$out" '0:Stopping web.2 dyno... done' 'ps:stop web.2'
become 'web.1:up web.2:down' 'it stays down'
like "$(curl -sS --max-time 5 "$url")" MYVAR=1 'the other one answers'
run git heroku ps:restart web.2
become 'web.1:up web.2:up' 'until it is restarted'
run git heroku ps:stop
like "$err" 'Must specify a TYPE or DYNO to stop' 'ps:stop of nothing'
for what in web.9 nope; do
	for cmd in ps:stop ps:restart; do
		run git heroku $cmd "$what"
		is "$status" 1 "$cmd $what: exit 1"
		like "$err" "^ !    .*$what" "$cmd $what: words"
	done
done
for path in dynos dynos/web.1 formations/web; do
	is "$(api DELETE "/apps/myapp/$path" -o answer -w '%{http_code}')" 202 \
		"DELETE $path: 202"
done
for path in dynos/web.1 formations/web; do
	is "$(api POST "/apps/myapp/$path/actions/stop" -o answer \
		-w '%{http_code}')" 202 "POST $path/actions/stop: 202"
done

# --- where nothing runs ---

slugrun=$(pgrep -o -f "slugrun $dir/apps/myapp\$")
kill "$slugrun"
within 10 sh -c "! kill -0 $slugrun"
run git heroku ps
is "$status:$out" '0:No dynos on myapp.' 'where nothing runs, ps says so'
run git heroku ps:stop web
refused 'ps:stop there' 'Nothing of myapp runs.'
run git heroku ps:scale web=1 worker=1
is "$status:$out" \
	'0:Scaling dynos... done, now running web at 1:1X, worker at 1:1X.' \
	'ps:scale writes down what there is to be'
git heroku config:set MYVAR=2 >/dev/null
become 'web.1:up worker.1:up' 'which the next release has'
stop_slugd
start_slugd
become 'web.1:up worker.1:up' 'and slugd, started again'
finish
