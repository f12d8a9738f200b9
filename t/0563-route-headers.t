#!/bin/sh
# SPDX-License-Identifier: ISC
# With which headers a request reaches an app through HAProxy, whatever it
# came with.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
PATH=$PATH:/usr/sbin
export PATH
command -v haproxy >/dev/null || skip_all 'needs haproxy'
driver=slugrun

make_dir '[route]' 'driver = haproxy'
names=$((last_port - 1))
sed -i "s/^ports = .*/ports = $first_port-$((names - 1))/" "$dir/slugd.ini"
printf 'listen = *:%d\n' "$names" >>"$dir/slugd.ini"
start_slugd && make_app myapp || exit 1
port=$(api GET /apps/myapp | sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/')
cd work || exit 1
# Answers with the head of the request as it comes, and the body behind "==".
cat >echo.pl <<'END'
use strict;
use warnings;
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	LocalPort => $ENV{PORT}, Listen => 128, ReuseAddr => 1) or die "$!\n";
while (my $c = $l->accept) {
	my ($head, $body, $len) = ('', '', 0);
	while (my $line = <$c>) {
		last if $line =~ /^\r?$/;
		$head .= $line;
		$len = $1 if $line =~ /^content-length: (\d+)/i;
	}
	if ($head =~ /^upgrade: websocket/mi) {
		print $c "HTTP/1.1 101 Switching Protocols\r\n",
			"Connection: upgrade\r\nUpgrade: websocket\r\n",
			"Sec-WebSocket-Accept: ",
			"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
			"${head}tunnel\n";
		close $c;
		next;
	}
	read $c, $body, $len if $len;
	if ($head =~ /^transfer-encoding: chunked/mi) {
		while (my $line = <$c>) {
			$body .= $line;
			last if $line =~ /^0\r?$/;
		}
	}
	my $answer = "$head==$body\n";
	print $c "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ",
		length $answer, "\r\n\r\n$answer";
	close $c;
}
END
printf 'web: exec perl echo.pl\n' >Procfile
git add . && git commit -q -m 'Show requests'
run git push heroku master
is "$status" 0 'a push'

# ask HEADER...: what the app gets of a request with these headers, by the
# app's own port; no carriage returns.
# shellcheck disable=SC2317 # called by run
ask() {
	ask_at "127.0.0.1:$port" "$@"
}

# ask_at ADDRESS:PORT HEADER...
# shellcheck disable=SC2317 # called by run
ask_at() {
	perl -MIO::Socket::INET -e '
		my $c = IO::Socket::INET->new(PeerAddr => shift, Timeout => 10)
			or die "$!\n";
		print $c join("\r\n", "GET / HTTP/1.1",
			"Host: myapp.example.com", @ARGV), "\r\n\r\n";
		alarm 10;
		$c->shutdown(1) if "@ARGV" =~ /close/;
		while (my $line = <$c>) {
			$line =~ s/\r//;
			print $line;
			last if $line =~ /^(==|tunnel)/;
		}' "$@"
}

# count REGEXP TEXT: lines that match
count() {
	printf '%s\n' "$2" | grep -ciE "$1"
}

# --- names that pass for others ---

run ask 'X_Forwarded_For: 6.6.6.6' 'X-Forwarded_Proto: https' 'a_: 1' '_: 2' \
	'X_Request_Id: x' 'Content_Length: 5' 'Proxy: http://evil/' 'pRoXy: x' \
	'X-Other: stays'
unlike "$out" '_.*:' 'no name has a _'
unlike "$out" '^proxy:' 'there is no Proxy'
like "$out" '^x-other: stays$' 'others stay'
is "$(count '^x-forwarded-for:' "$out")" 1 'one X-Forwarded-For'
like "$out" '^x-forwarded-for: 127.0.0.1$' 'which is true'
like "$out" '^x-forwarded-proto: http$' 'and X-Forwarded-Proto is, too'

# --- X-Request-Id ---

for ids in 'X-Request-Id: good-1|X-Request-Id: <evil>' \
	'X-Request-Id: <evil>|X-Request-Id: good-1' \
	'X-Request-Id: good-1|x-request-ID: good-2' \
	'X-Request-Id: <evil>,good-1' 'X-Request-Id: good-1,<evil>' \
	'X-Request-Id:' "X-Request-Id: $(head -c 201 /dev/zero | tr '\0' a)"; do
	run ask "${ids%|*}" "${ids#*|}"
	is "$(count '^x-request-id:' "$out")" 1 "$(printf %.60s "$ids"): one"
	like "$out" '^x-request-id: [0-9a-f-]{36}$' 'which is new'
done
run ask 'X-Request-Id: good-1'
is "$(count '^x-request-id: good-1$' "$out")" 1 'a single good one stays'

# --- who stood before ---

run ask 'X-Forwarded-For: 6.6.6.6' 'X-Forwarded-For: 10.1.2.3, 10.4.5.6' \
	'X-Forwarded-Proto: https' 'X-Forwarded-Port: 443' \
	'X-Forwarded-Host: shop.example.com'
is "$(count '^x-forwarded-for:' "$out")" 1 'there is one X-Forwarded-For'
like "$out" '^x-forwarded-for: 10.1.2.3, 10.4.5.6, 127.0.0.1$' \
	'of the nearest proxy, with our line at its end'
like "$out" '^x-forwarded-proto: https$' 'its X-Forwarded-Proto'
like "$out" '^x-forwarded-port: 443$' 'and X-Forwarded-Port'
like "$out" '^x-forwarded-host: shop' 'a proxy on this machine has its say'

run ask 'X-Forwarded-Proto: https' 'X-Forwarded-Proto: https' \
	'X-Forwarded-Port: 1' 'X-Forwarded-Port: 443'
is "$(printf '%s\n' "$out" | grep '^x-forwarded-p')" "x-forwarded-proto: http
x-forwarded-port: $port" 'but one that says it twice is not believed'

# The first address of this machine that is not its own loopback.
here=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -E '^[0-9]+\.' | head -n 1)
if [ -n "$here" ]; then
	run ask_at "$here:$names" 'X-Forwarded-For: 10.1.2.3' \
		'X-Forwarded-Proto: https' 'X-Forwarded-Port: 443' \
		'X-Forwarded-Host: evil' 'X-Forwarded-Ssl: on' \
		'Forwarded: for=6.6.6.6' 'X-Real-IP: 6.6.6.6' \
		'X-Forwarded-Client: stays'
	like "$out" "^x-forwarded-for: 10.1.2.3, $here\$" \
		'from outside our line comes last'
	like "$out" '^x-forwarded-proto: http$' 'nobody says https'
	like "$out" "^x-forwarded-port: $names\$" 'or another port'
	unlike "$out" '^(x-forwarded-(host|ssl)|forwarded|x-real-ip):' \
		'or what else is for proxies to say'
	like "$out" '^x-forwarded-client: stays$' 'other names stay'
else
	skip 5 'no other address'
fi

# --- between two neighbours ---

run ask 'Connection: keep-alive, X-Forwarded-For, X-Request-Id' 'TE: trailers'
like "$out" '^x-forwarded-for: ' 'Connection does not name what is set'
unlike "$out" '^connection:.*x-' 'for an app to remove'
run ask 'Connection: close'
like "$out" '^==' 'a connection may be closed'
run ask 'Connection: Upgrade, HTTP2-Settings' 'Upgrade: h2c' \
	'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'
unlike "$out" '^(upgrade|http2-settings|connection: upgrade)' \
	'nothing talks past HAProxy by HTTP/2'
run ask 'Connection: keep-alive, Upgrade' 'Upgrade: websocket' \
	'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' 'Sec-WebSocket-Version: 13'
like "$out" '^HTTP/1.1 101' 'a WebSocket is upgraded to'
like "$out" '^tunnel$' 'and is a tunnel then'

# --- where a request ends ---

run ask 'Content-Length: 5' 'Transfer-Encoding: chunked' '' '0' '' \
	'GET /smuggled HTTP/1.1' 'Host: myapp.example.com'
is "$(count '^content-length:' "${out#*GET}")" 0 \
	'of two lengths the app sees one'
like "$out" '^transfer-encoding: chunked$' 'the one that counts'
unlike "$out" '^==.*smuggled' 'and no body hides a request'
for bad in 'Content-Length: 5|Content-Length: 6' 'Content-Length: +5|A: b' \
	'Transfer-Encoding: xchunked|A: b' 'Transfer-Encoding : chunked|A: b' \
	'Host: other.example.com|A: b' 'X-Forwarded-For : 6.6.6.6|A: b'; do
	run ask "${bad%|*}" "${bad#*|}"
	like "$out" '^HTTP/1.1 4' "$bad: refused"
done

finish
