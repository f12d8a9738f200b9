#!/bin/sh
# SPDX-License-Identifier: ISC
# Ports of web processes: whose they are, and where there are few.

# shellcheck disable=SC2317 # within calls some of the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/box.sh
. "$t/lib/box.sh"
trap 'stop_slugrun; cd /; rm -rf "$top"; end_test' EXIT
start_slugrun

# logged TEXT: is there a line of the log with it?
logged() {
	grep -q -e "$1" "$app/log"
}

# --- one port

ports="[$((first_port + 1)), $((first_port + 1))]"
launch "$web"
like "$out" '"up"' 'a web process on the only port there is'
old=$(pid_of web.1)
inside ''
kill -KILL "$old"
within 20 inside 'exit'
ok $? 'crashes, and has it again'
unlike "$(cat "$app/log")" 'Cannot be started' 'at once'
launch "$web"
like "$out" "no port from $((first_port + 1)) to $((first_port + 1)) is free" \
	'which is one too few for a release'

# --- connections of before

# Who closes first has the connection in TIME_WAIT, and so the port.
ports="[$((first_port + 2)), $((first_port + 3))]"
for _ in 1 2 3 4; do
	launch "$web"
	like "$out" '"up"' 'two ports are enough'
	inside ''
	within 20 has_folders 1
done

# --- somebody else's

if [ "$uid" = null ]; then
	skip 5 'needs root'
	finish
fi
stranger() {
	perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(
		LocalAddr => shift, LocalPort => shift, Listen => 9,
		ReuseAddr => 1) or die "$!\n";
		open my $f, ">", shift; close $f;
		while (my $c = $s->accept) {
			print $c "HTTP/1.0 200 OK\r\n\r\n"; close $c }' \
		"$1" "$2" "$scratch/listens" &
	stranger=$!
	within 20 test -e "$scratch/listens"
	rm "$scratch/listens"
}
taken=$((first_port + 4))
ports="[$taken, $taken]" timeout=3
for address in 127.0.0.1 0.0.0.0; do
	(launch "$(process web 1 "echo waits $address; exec sleep 600")"
	echo "$out" >"$scratch/answer") &
	launching=$!
	within 20 logged "app.web.1.: waits $address"
	stranger "$address" "$taken"
	wait "$launching"
	like "$(cat "$scratch/answer")" "did not answer on port $taken .* within 3 seconds; another program listens there" \
		"another user's on $address is not taken for it"
	version=$((version + 1))
	kill "$stranger"
	wait "$stranger" 2>/dev/null
done
ports='' timeout=''
for address in 127.0.0.1 0.0.0.0 '[::]'; do
	if [ "$address" = '[::]' ] && [ ! -e /proc/net/if_inet6 ]; then
		skip 1 'no IPv6'
		continue
	fi
	launch "$(process web 1 "exec perl -MIO::Socket::IP -e 'my \$s = IO::Socket::IP->new(LocalAddr => q($address:).\$ENV{PORT}, V6Only => 0, Listen => 9, ReuseAddr => 1) or die; while (my \$c = \$s->accept) {}'")"
	like "$out" '"up"' "its own on $address is"
done
finish
