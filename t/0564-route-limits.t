#!/bin/sh
# SPDX-License-Identifier: ISC
# An app that is flooded with slow clients: its neighbours go on answering.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
PATH=$PATH:/usr/sbin
export PATH
command -v haproxy >/dev/null || skip_all 'needs haproxy'
driver=slugrun
flood_pid=
trap 'end_flood; end_test' EXIT

# HAProxy may have 411 connections then, and an app or listen a third.
# shellcheck disable=SC3045 # dash and bash have it
ulimit -n 1024

make_dir '[route]' 'driver = haproxy'
names=$((last_port - 1))
sed -i "s/^ports = .*/ports = $first_port-$((names - 1))/" "$dir/slugd.ini"
printf 'listen = *:%d\n' "$names" >>"$dir/slugd.ini"
start_slugd && make_app first || exit 1

# flood PORT COUNT KIND HOST [SOURCE]: until end_flood.
flood() {
	rm -f flooded
	perl "$t/lib/flood.pl" "$1" "$2" "$3" "$4" flooded ${5+"$5"} &
	flood_pid=$!
	within 30 test -e flooded
}

end_flood() {
	[ -z "$flood_pid" ] || kill "$flood_pid" 2>/dev/null
	[ -z "$flood_pid" ] || wait "$flood_pid" 2>/dev/null
	flood_pid=
}

port_of() {
	api GET "/apps/$1" | sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/'
}

# answered CURL-ARGUMENT...: how many of five requests had their answer.
answered() {
	answered=0
	for _ in 1 2 3 4 5; do
		[ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$@" \
			2>/dev/null)" != 200 ] || answered=$((answered + 1))
	done
	echo $answered
}

# Does HAProxy hold as many connections on a front end?
# shellcheck disable=SC2317 # called by within
holds() {
	[ "$(echo 'show stat' | perl -MIO::Socket::UNIX -e '
		my $c = IO::Socket::UNIX->new(Peer => shift) or die;
		print $c "show stat\n";
		while (<$c>) { my @f = split /,/; print $f[4] if $f[0] eq $ARGV[0]
			&& $f[1] eq "FRONTEND" }' "$dir/haproxy.sock" "$1")" \
		-ge "$2" ]
}

cd work || exit 1
cat >server.pl <<'END'
# Answers at once, with a megabyte where it is asked for /large.
use strict;
use warnings;
use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	LocalPort => $ENV{PORT}, Listen => 500, ReuseAddr => 1) or die "$!\n";
while (1) {
	my $c = $l->accept or next;
	next if fork;
	my ($first, $len) = ('', 0);
	while (my $line = <$c>) {
		last if $line =~ /^\r?$/;
		$first ||= $line;
		$len = $1 if $line =~ /^content-length: (\d+)/i;
	}
	read $c, my $body, $len if $len;
	my $text = $first =~ /large/ ? 'x' x 1_000_000 : "fine\n";
	print $c "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ",
		length $text, "\r\n\r\n$text";
	exit;
}
END
git commit -q -a -m 'Fork'
run git push heroku master
is "$status" 0 'an app'
second=$(slugctl -d "$dir" init second)
run git push "$second" master
is "$status" 0 'and its neighbour'
first=$(port_of first)
second=$(port_of second)
within 20 holds "in-$second" 0
is "$(answered "http://127.0.0.1:$second/")" 5 'which answers'

# How a request ends whose head is never there as a whole.
perl -MIO::Socket::INET -e '
	my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]");
	my $began = time;
	print $c "GET / HTTP/1.1\r\nHost: second\r\n";
	my $line = <$c>;
	print time - $began, " $line"' "$second" >half 2>&1 &

# --- by the app's own port ---

for kind in silent head body unread idle; do
	flood "$first" 600 "$kind" first
	ok "$(within 20 holds "in-$first" 130; echo $?)" \
		"600 slow clients of one app: $kind"
	is "$(answered "http://127.0.0.1:$second/")" 5 'its neighbour answers'
	is "$(answered -H 'Host: second.localhost' "http://127.0.0.1:$names/")" \
		5 'by its name, too'
	end_flood
	within 20 eval "! holds in-$first 100"
done
ok "$(within 20 curl -sS -m 5 "http://127.0.0.1:$first/"; echo $?)" \
	'when they are gone the app answers'

# --- by the name ---

flood "$names" 130 body first.localhost
ok "$(within 20 holds "names:$names" 95; echo $?)" \
	'as many by the name of the app'
is "$(answered "http://127.0.0.1:$second/")" 5 'its neighbour answers'
is "$(answered "http://127.0.0.1:$first/")" 5 'as the app does by its own port'
end_flood
within 20 eval "! holds names:$names 50"
flood "$names" 300 head first.localhost 127.0.0.2
ok "$(within 20 holds "names:$names" 95; echo $?)" \
	'one address begins 300 requests'
is "$(answered -H 'Host: second.localhost' "http://127.0.0.1:$names/")" 5 \
	'another one is answered'
end_flood

here=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -E '^[0-9]+\.' | head -n 1)
if [ -n "$here" ]; then
	within 20 eval "! holds names:$names 20"
	flood "$names" 300 head first.localhost "$here"
	ok "$(within 20 holds "names:$names" 30; echo $?)" \
		'an address that is no loopback has fewer'
	ok "$(! holds "names:$names" 40; echo $?)" 'by far'
	is "$(answered -H 'Host: second.localhost' \
		"http://127.0.0.1:$names/")" 5 'another one is answered'
	end_flood
else
	skip 3 'no other address'
fi

# --- what is over an app's share ---

sed -i 's/^listen/app_connections = 20\n&/' "$dir/slugd.ini"
kill -HUP "$slugd_pid"
within 20 grep -q 'was read again' "$scratch/slugd.log"
slugctl -d "$dir" init third >/dev/null
within 20 grep -q 'maxconn 20$' "$dir/haproxy.cfg"
# The HAProxy of before the reload may take some of them at first.
# shellcheck disable=SC2317 # called by within
busy() {
	end_flood
	flood "$names" 40 body first.localhost &&
		curl -sS -m 5 -i -H 'Host: first.localhost' \
			"http://127.0.0.1:$names/" | grep -q 'Too many requests'
}
within 20 busy
ok $? 'too many requests: 503, with a page'
is "$(answered -H 'Host: second.localhost' "http://127.0.0.1:$names/")" 5 \
	'the neighbour is answered'
end_flood

# --- a head that does not come ---

ok "$(within 20 test -s half; echo $?)" 'half a head is answered, too'
like "$(cat half)" '^1[0-2] HTTP/1.1 408' 'after 10 seconds'

finish
