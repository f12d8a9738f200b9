#!/bin/sh
# SPDX-License-Identifier: ISC
# An app that wants the ports of another one: it tries all of the range,
# without end, while the other one crashes and has a new release.

# shellcheck disable=SC2317 # within calls some of the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
driver=slugrun
make_dir "" && start_slugd
make_app victim && mv work victim
git -C victim push -q heroku master 2>push.err
ok $? 'an app runs'
url=$(api GET /apps/victim | sed 's/.*"web_url":"\([^"]*\)".*/\1/')
make_app thief && mv work thief
cat >thief/thief.pl <<'END'
use IO::Socket::IP;
$| = 1;
my (@got, %n);
print "at work\n";
while (1) {
	for my $port ($ARGV[0] .. $ARGV[1]) {
		for my $host (qw(127.0.0.1 0.0.0.0 ::)) {
			my $s = IO::Socket::IP->new(LocalHost => $host,
				LocalPort => $port, Listen => 9, V6Only => 0,
				ReuseAddr => 1) or next;
			push @got, $s;
			print "took $port on $host\n";
		}
	}
	select undef, undef, undef, 0.001;
}
END
echo "web: exec perl server.pl
worker: exec perl thief.pl $first_port $last_port" >thief/Procfile
(cd thief && git add . && git commit -q -m 'A thief' &&
	git push -q heroku master) 2>push.err
ok $? 'so does another one'

ask() {
	curl -sS --unix-socket "$dir/apps/victim/slugrun.sock" "http://slugrun$1"
}
web() {
	ask / | sed -n 's/.*"name":"web.1","pid":\([0-9]*\),.*/\1/p'
}
restarted() {
	pid=$(web)
	[ -n "$pid" ] && [ "$pid" != "$1" ] &&
		ask / | grep -q '"name":"web.1".*"state":"up"'
}
case $(ask /) in
*'"ports":"fenced"'*) ;;
*)
	skip 5 'nothing here keeps an app from a port'
	finish
	;;
esac

run git -C thief heroku ps:scale worker=1
within 20 grep -q 'at work' "$dir/apps/thief/log"
ok $? 'that takes all the ports that it can'
for _ in 1 2 3; do
	old=$(web)
	kill -KILL "$old"
	within 20 restarted "$old"
done
ok $? 'an app that crashes comes back'
like "$(curl -sS "$url")" '^hello' 'and answers itself'
run git -C victim heroku config:set A=1
is "$status" 0 'its next release starts'
unlike "$(cat "$dir/apps/thief/log")" 'took' 'no port was taken'
finish
