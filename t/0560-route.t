#!/bin/sh
# SPDX-License-Identifier: ISC
# How requests find their way to apps: a real HAProxy, and none.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
PATH=$PATH:/usr/sbin
export PATH
command -v haproxy >/dev/null || skip_all 'needs haproxy'
driver=slugrun

# An app that shows the request, with its process and release. /slow takes a
# second; SIGTERM ends it at once.
make_echo() {
	cat >echo.pl <<'END'
use strict;
use warnings;
use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	LocalPort => $ENV{PORT}, Listen => 128, ReuseAddr => 1) or die "$!\n";
while (1) {
	my $c = $l->accept or next;
	next if fork;
	my $request = '';
	while (my $line = <$c>) {
		last if $line =~ /^\r?$/;
		$request .= $line;
	}
	sleep 1 if $request =~ m{^GET /slow};
	my $body = "$request$ENV{DYNO} $ENV{HEROKU_RELEASE_VERSION}\n";
	print $c "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ",
		length $body, "\r\n\r\n$body";
	exit;
}
END
	printf 'web: exec perl echo.pl\n' >Procfile
	git add . && git commit -q -m 'Show requests'
}

# page [CURL OPTION...]: of the app's own address.
page() {
	curl -sS -m 20 "$@" "http://127.0.0.1:$port/"
}

port_of() {
	api GET "/apps/$1" | sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/'
}

haproxy_pid() {
	api GET / | sed -n 's/.*"route":{"driver":"haproxy","pid":\([0-9]*\).*/\1/p'
}

# says WORD [CURL OPTION...]
# shellcheck disable=SC2317 # by within, as below
says() {
	word=$1
	shift
	page "$@" | grep -q "$word"
}

# shellcheck disable=SC2317
status_names_it() {
	slugctl -d "$dir" status |
		grep -Eq "^route: haproxy [0-9.]+, pid $(haproxy_pid)\$"
}

# shellcheck disable=SC2317
has_another_pid() {
	now=$(haproxy_pid)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

# shellcheck disable=SC2317
logged() {
	grep -q "$1" "$scratch/slugd.log"
}

load() {
	rm -f stop
	"$t/lib/load.pl" "$port" "${1:-8}" stop "${2:-}" >load 2>load.err &
	load_pid=$!
}

# $sum: "failed N retried N", $failed: "failed N".
end_load() {
	touch stop
	wait "$load_pid"
	sum=$(sed 's/requests [1-9][0-9]* //' load)
	failed=${sum% retried*}
	sort load.err | uniq -c | head -n 5 >&2
}

release() {
	api PATCH /apps/myapp/config-vars -d "{\"MYVAR\":\"$1\"}" >/dev/null
	within 20 says "web.1 v$1"
}

# --- before and after the first push ---

make_dir '[route]' 'driver = haproxy' && mkdir -p "$dir"
names=$((last_port - 1))
sed -i "s/^ports = .*/ports = $first_port-$((names - 1))/" "$dir/slugd.ini"
printf 'listen = 127.0.0.1:%d\n' "$names" >>"$dir/slugd.ini"
start_slugd && make_app myapp || exit 1
port=$(port_of myapp)
is "$(stat -c %a "$dir/haproxy.cfg" "$dir/haproxy.sock" "$dir/route" |
	tr '\n' ' ')" '600 600 700 ' 'what is of it is private'
within 20 says 'No web process'
within 20 status_names_it
ok $? 'status names HAProxy'
run page -i
like "$out" '^HTTP/1.1 503 ' 'before the first push: 503'
like "$out" '<h1>No web process</h1>' 'with a page'
run slugctl -d "$dir" check
unlike "$out" 'another program' 'which check does not take for a stranger'

cd work || exit 1
make_echo
run git push heroku master
is "$status" 0 'a push'
run page
like "$out" 'web.1 v2' 'and the app answers'
like "$out" '^x-forwarded-for: 127\.0\.0\.1' 'X-Forwarded-For'
like "$out" '^x-forwarded-proto: http.$' 'X-Forwarded-Proto'
like "$out" "^x-forwarded-port: $port" 'X-Forwarded-Port'
like "$out" '^x-request-id: [0-9a-f-]{36}.$' 'X-Request-Id, of its own'
run page -H 'X-Request-Id: mine-1' -H 'X-Forwarded-For: 10.1.2.3' \
	-H 'X-Forwarded-Proto: https'
like "$out" '^x-request-id: mine-1.$' 'or the one that the request has'
like "$out" '^x-forwarded-for: 10\.1\.2\.3' 'who stood before is kept'
like "$out" '^x-forwarded-proto: https.$' 'of a proxy on this machine, too'
run page -H 'X-Request-Id: a b"<c>'
like "$out" '^x-request-id: [0-9a-f-]{36}.$' 'but no id that is none'

# --- releases under load ---

before=$(haproxy_pid)
load
within 20 says 'web.1 v2'
curl -sS -m 20 "http://127.0.0.1:$port/slow" >slow 2>&1 &
slow=$!
for v in 3 4 5 6 7; do
	release $v || break
done
is "$v" 7 'five releases'
wait $slow
like "$(cat slow)" 'web.1 v2' 'a request that was on its way got its answer'
end_load
is "$sum" 'failed 0 retried 0' 'no request failed'
is "$(haproxy_pid)" "$before" 'HAProxy was not even reloaded'

# --- two web processes ---

api PATCH /apps/myapp/formation/web -d '{"quantity":2}' >/dev/null
within 20 says web.2
ok $? 'a second web process'
run sh -c "for i in 1 2 3 4; do curl -sS http://127.0.0.1:$port/; done"
like "$out" '^web.1 ' 'the first one has its share'
like "$out" '^web.2 ' 'the second one, too'
pid=$(api GET /apps/myapp/dynos >/dev/null; curl -sS --unix-socket \
	"$dir/apps/myapp/slugrun.sock" http://slugrun/ |
	sed 's/.*"name":"web.2","pid":\([0-9]*\).*/\1/')
load 4
kill -9 "$pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	page >/dev/null
	sleep 0.05
done
end_load
is "$failed" 'failed 0' \
	'one is killed: what it had not answered goes to the other'

# --- names ---

by_name() {
	curl -sS -m 20 -i -H "Host: $1" "http://127.0.0.1:$names/"
}

for host in myapp.example.com myapp.localhost MyApp.Example.COM:8080 myapp; do
	like "$(by_name "$host")" '^web.[12] v' "Host: $host"
done
for host in other.example.com 127.0.0.1 .. ../../etc/passwd 'my app' \
	"$(head -c 3000 /dev/zero | tr '\0' a)" '%[env(PATH)]' app-myapp \
	unknown ''; do
	unlike "$(by_name "$host")" '^(web|HTTP/1.1 [25])' \
		"Host: $(printf %.20s "$host")"
done
like "$(by_name other.localhost)" '^HTTP/1.1 404 ' 'an unknown app: 404'
like "$(by_name other.localhost)" 'No such app' 'with a page'

# --- maintenance ---

api PATCH /apps/myapp -d '{"maintenance":true}' >/dev/null
within 20 says 'maintenance'
run page -i
like "$out" '^HTTP/1.1 503 ' 'in maintenance: 503'
like "$out" 'Offline for maintenance' 'with a page'
like "$(by_name myapp.localhost)" 'Offline for maint' 'by its name, too'
kill -9 "$before"
within 20 has_another_pid "$before"
within 20 says 'maintenance'
ok $? 'HAProxy was killed: still in maintenance'
api PATCH /apps/myapp -d '{"maintenance":false}' >/dev/null
within 20 says 'web.1'
ok $? 'and out of it'

# --- HAProxy is killed ---

before=$(haproxy_pid)
kill -9 "$before"
within 20 has_another_pid "$before"
ok $? 'killed, HAProxy is started again'
within 20 says web.2
ok $? 'with the servers of before'
release 8
ok $? 'and takes releases'

# --- slugd is killed ---

before=$(haproxy_pid)
load
stop_slugd KILL
pid=$(curl -sS --unix-socket "$dir/apps/myapp/slugrun.sock" \
	http://slugrun/ | sed 's/.*"name":"web.1","pid":\([0-9]*\).*/\1/')
kill -9 "$pid"
within 20 says 'web.1'
ok $? 'without slugd, slugrun starts a process again, and it gets requests'
start_slugd
end_load
is "$failed" 'failed 0' 'no request failed'
is "$(haproxy_pid)" "$before" 'slugd finds its HAProxy again'

# --- a new app ---

load
slugctl -d "$dir" init another >/dev/null
other=$(port_of another)
within 20 curl -sS "http://127.0.0.1:$other/"
ok $? 'a new app has its address'
within 20 has_another_pid "$before"
ok $? 'by a reload'
end_load
is "$failed" 'failed 0' 'that loses no request'
release 9
ok $? 'the others go on'

# What is on its way by the HAProxy of before the reload.
curl -sS -m 20 "http://127.0.0.1:$port/slow" >slow 2>&1 &
slow=$!
within 20 pgrep -f "curl.*:$port/slow"
slugctl -d "$dir" init fourth >/dev/null
within 20 curl -sS "http://127.0.0.1:$(port_of fourth)/"
release 10
wait $slow
like "$(cat slow)" '^web.. v9' 'a reload and a release: nor one on its way'

# --- a state file that is none ---

echo '	server evil 127.0.0.1:22' >"$dir/route/another"
slugctl -d "$dir" init third >/dev/null
within 20 curl -sS "http://127.0.0.1:$(port_of third)/"
within 20 logged 'route/another is no list of servers'
ok $? 'what is no list of servers is not pasted'
unlike "$(cat "$dir/haproxy.cfg")" evil 'into the configuration'
like "$(page)" '^web.[12] v10' 'and the rest is'

# --- a port that somebody else has ---

stop_slugd
unlike "$(ps -e -o args)" "haproxy.*$dir" 'SIGTERM ends HAProxy, too'
run page
isnt "$status" 0 'and nobody listens'
perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalAddr =>
	"127.0.0.1", LocalPort => shift, Listen => 1, ReuseAddr => 1) or die;
	open my $f, ">", "listens"; close $f; sleep 600' "$other" &
thief=$!
within 20 test -e listens
start_slugd
within 20 says 'web.1 v10'
ok $? "an app's port is another program's: the others go on"
like "$(slugctl -d "$dir" status)" \
	"^route: port $other of another is another program's" 'and it is said'
kill $thief
wait $thief 2>/dev/null
stop_slugd

# --- without HAProxy ---

run env SLUGD_HAPROXY=/nowhere slugd -d "$dir"
is "$status" 1 'driver haproxy, and there is none: slugd does not start'
like "$err" '\[route\] driver is haproxy, but HAProxy is not installed' \
	'and says why'
sed -i 's/driver = haproxy/driver = auto/; /^listen/d' "$dir/slugd.ini"
start_slugd
within 20 says 'web.1 v10'
stop_slugd KILL
export SLUGD_HAPROXY=/nowhere
start_slugd
like "$(slugctl -d "$dir" status)" \
	'^route: direct \(HAProxy is not installed\): a hand-over may break' \
	'driver auto, and there is none any more: direct, and said so'
within 20 says 'web.1 v10'
ok $? 'each slugrun leads requests itself'
release 11
ok $? 'and takes releases'
run api PATCH /apps/myapp -d '{"maintenance":true}'
like "$out" 'needs HAProxy' 'there is no page of maintenance'
stop_slugd KILL
unset SLUGD_HAPROXY
start_slugd
within 20 says 'web.1 v11'
like "$(slugctl -d "$dir" status)" '^route: haproxy' \
	'it is there again: HAProxy takes over'
unlike "$(slugctl -d "$dir" status)" "port $port of" 'with its port'
run page
like "$out" '^x-request-id' 'and requests go through it'
release 12
ok $? 'and so do releases'

[ "$failures" -eq 0 ] || diag "$(tail -n 40 "$scratch/slugd.log")"
finish
