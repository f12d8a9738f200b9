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

# --- another app's, where all are of one user

stranger() {
	perl -MIO::Socket::INET -e 'my $s;
		select undef, undef, undef, 0.002 until
			$s = IO::Socket::INET->new(LocalAddr => $ARGV[0],
				LocalPort => $ARGV[1], Listen => 9,
				ReuseAddr => 1);
		open my $f, ">", $ARGV[2]; close $f;
		while (my $c = $s->accept) {
			print $c "HTTP/1.0 200 OK\r\n\r\n"; close $c }' \
		"$1" "$2" "$scratch/listens" &
	stranger=$!
	within 20 test -e "$scratch/listens"
	rm "$scratch/listens"
}
port_now() {
	ask GET / | perl -ne '/"port":(\d+)/ && print $1'
}
# up_elsewhere PORT
up_elsewhere() {
	[ "$(port_now)" != "$1" ] && state web.1 up
}
# It listens no more when it is told so.
leaves="$(process web 1 "exec perl -MIO::Socket::INET -e 'my \$s = IO::Socket::INET->new(LocalAddr => q(127.0.0.1), LocalPort => \$ENV{PORT}, Listen => 9, ReuseAddr => 1) or die; \$SIG{USR1} = sub { close \$s; sleep 600 }; while (my \$c = \$s->accept) { print \$c qq(HTTP/1.0 200 OK\\r\\n\\r\\n\$\$) }'")"
for keys in '' 'namespaces false'; do
	taken=$((first_port + 4))
	ports="[$taken, $taken]" timeout=3
	# shellcheck disable=SC2086 # words
	(launch "$(process web 1 "echo ${keys:-waits}; exec sleep 600")" \
		uid null $keys
	echo "$out" >"$scratch/answer") &
	launching=$!
	within 20 logged "app.web.1.: ${keys:-waits}"
	stranger 127.0.0.1 "$taken"
	wait "$launching"
	like "$(cat "$scratch/answer")" 'did not answer on' \
		"another app's process is not taken for it"
	version=$((version + 1))
	kill "$stranger"
	wait "$stranger" 2>/dev/null
	ports='' timeout=''
	# shellcheck disable=SC2086 # words
	launch "$leaves" uid null $keys
	like "$(ask GET /)" '"ports":"watched"' 'a port is watched'
	before=$(port_now)
	kill -USR1 "$(pid_of web.1)"
	stranger 127.0.0.1 "$before"
	ok "$(within 20 up_elsewhere "$before"; echo $?)" \
		"where another app's process takes it, there is another one"
	like "$(cat "$app/log")" "Another app listens on its port $before" \
		'and the log says why'
	kill "$stranger"
	wait "$stranger" 2>/dev/null
done

# --- somebody else's

if [ "$uid" = null ]; then
	skip 22 'needs root'
	finish
fi
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

# --- where nothing keeps others from a port, it is watched

stop_slugrun TERM
setpriv --bounding-set=-sys_admin,-net_admin "$slugrun" "$app" \
	2>>"$scratch/slugrun.log" &
slugrun_pid=$!
within 20 ask GET /
launch "$leaves"
like "$(ask GET /)" '"ports":"watched"' 'without a fence a port is watched'
before=$(port_now)
pkill -USR1 -P "$slugrun_pid" perl
stranger 127.0.0.1 "$before"
ok "$(within 20 logged 'Another app listens on its port'; echo $?)" \
	'another user on the port of a process is seen'
ok "$(within 20 up_elsewhere "$before"; echo $?)" 'which is started again on another port'
kill "$stranger"
wait "$stranger" 2>/dev/null
stop_slugrun TERM
start_slugrun

# --- an app binds no port of the range but its own

run "$slugrun" fences "$top"
case $out in
*'"ports":true'*) ;;
*)
	skip 14 'no BPF at control groups'
	finish
	;;
esac

# bound ADDRESS TYPE: of all ports of the range, which ones the app gets.
bound() {
	inside "perl -MIO::Socket::IP -e 'my @s;
		for my \$port ($first_port .. $last_port) {
			my \$s = IO::Socket::IP->new(LocalHost => q($1),
				LocalPort => \$port, V6Only => 0,
				Type => $2) or next;
			push @s, \$s;
			print \"\$port \" }'"
}
for keys in '' 'namespaces false'; do
	# shellcheck disable=SC2086 # words
	launch "$web, $(process worker 1 'exec sleep 600')" $keys
	like "$(ask GET /)" '"ports":"fenced"' "${keys:-with namespaces}: a fence"
	is "$(bound 127.0.0.1 SOCK_STREAM)$(bound 0.0.0.0 SOCK_STREAM)$(
		bound :: SOCK_STREAM)" '' 'no other port of the range is got'
	own=$(ask GET / | perl -ne '/"port":(\d+)/ && print $1')
	is "$(bound 127.0.0.1 SOCK_DGRAM)" "$own " 'of UDP its own alone is'
	# shellcheck disable=SC2016 # perl's
	is "$(inside 'perl -MIO::Socket::IP -e "for (0, 7'"$$"' % 900 + 7000) {
		IO::Socket::IP->new(LocalHost => q(127.0.0.1), LocalPort => \$_,
			Listen => 1) and print q(got ) }"')" 'got got ' \
		'any other port is free to take'
done
is "$(inside "perl -MSocket -e 'socket my \$s, AF_INET, SOCK_STREAM, 0;
	bind(\$s, pack_sockaddr_in($((first_port + 9)), INADDR_LOOPBACK)) or
		print 0 + \$!'")" 1 'what is refused fails with EPERM'

# The range is another one for the next release.
ports="[$((first_port + 8)), $last_port]"
launch "$web"
like "$(bound 127.0.0.1 SOCK_STREAM)" "$((first_port + 5)) .*$((first_port + 7)) \$" \
	'a new range takes the place of the old one'
ports=''
stop_slugrun TERM
is "$(find /sys/fs/cgroup -name "slugrun.*-$(printf %x \
	"$(stat -c %i "$app")")")" '' 'at its end slugrun leaves no group'
start_slugrun
launch "$web"
kill -KILL "$slugrun_pid"
wait "$slugrun_pid" 2>/dev/null
start_slugrun
launch "$web"
is "$(bound 127.0.0.1 SOCK_STREAM)" '' 'one after one that was killed has the fence'
kill -KILL "$slugrun_pid"
wait "$slugrun_pid" 2>/dev/null
left() {
	find /sys/fs/cgroup -name "slugrun.*-$(printf %x \
		"$(stat -c %i "$store/apps/myapp")")"
}
isnt "$(left)" '' 'one that is killed leaves its group'
app=$store/apps/other
mkdir "$app"
sweep() {
	start_slugrun
	stop_slugrun TERM
	[ -z "$(left)" ]
}
ok "$(within 5 sweep; echo $?)" 'which another one removes'
finish
