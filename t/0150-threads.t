#!/bin/sh
# SPDX-License-Identifier: ISC
# Everything at once: pushes, config vars, ps, logs --tail and run, so that
# the threads of slugd and of slugrun meet. ThreadSanitizer watches them where
# they are built with it; anywhere, nobody may wait for ever.
# shellcheck disable=SC2030,SC2031,SC2317 # repeat calls the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

rounds=12
driver=slugrun
make_dir
start_slugd || exit 1
make_app myapp || exit 1
cd work || exit 1
git push -q heroku master 2>push.err || diag "$(cat push.err)"
cd "$scratch" || exit 1
git clone -q work other 2>/dev/null
git -C other remote add heroku "$(git -C work remote get-url heroku)"

# in_work COMMAND...: in the work tree.
in_work() {
	(cd "$scratch/work" && "$@")
}

# repeat NAME COMMAND...: $rounds times beside the rest; failures go to a
# file of that name.
repeat() {
	name=$1
	shift
	(
		: >"$scratch/$name.failed"
		i=0
		while [ "$i" -lt "$rounds" ]; do
			i=$((i + 1))
			export i
			"$@" >"$scratch/$name.out" 2>&1 ||
				cat "$scratch/$name.out" >>"$scratch/$name.failed"
		done
	) &
	loops="${loops-} $!"
}

push() {
	git -C work commit -q --allow-empty -m "push $i" &&
		git -C work push -q heroku HEAD:master
}

set_var() {
	in_work git heroku config:set "ROUND=$i"
}

run_attached() {
	[ "$(in_work git heroku run "echo $i" 2>/dev/null)" = "$i" ]
}

run_detached() {
	in_work git heroku run:detached true
}

# Upgraded connections that the client ends at once.
run_gone() {
	perl -MIO::Socket::UNIX -e '
		for (1 .. 10) {
			my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
			my $b = "{\"command\": \"true\", \"attach\": true}";
			print $s "POST /apps/myapp/dynos HTTP/1.1\r\nHost: s\r\n",
				"Connection: Upgrade\r\nUpgrade: slugd-run\r\n",
				"Content-Length: ", length $b, "\r\n\r\n$b";
			$s->flush;
			sysread $s, my $answer, 100;
		}' "$dir/slugd.sock"
}

# Requests that lanes answer, on one connection.
ask() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
		for (1 .. 200) {
			print $s "POST /apps HTTP/1.1\r\nHost: s\r\n",
				"Content-Length: 2\r\n\r\n{}";
			$s->flush;
			my ($answer, $n) = ("");
			until ($answer =~ /\r\n\r\n.*\n\z/s) {
				sysread $s, $answer, 4096, length $answer or exit 1;
			}
			exit 1 unless $answer =~ m{^HTTP/1.1 422 };
		}' "$dir/slugd.sock"
}

look() {
	in_work git heroku ps && in_work git heroku releases &&
		api GET /apps/myapp/dynos && api GET /slugs
}

# A log that is followed until the reader goes away.
in_work git heroku logs --tail >tail.out 2>&1 &
follower=$!
repeat push push
repeat config set_var
repeat attached run_attached
repeat detached run_detached
repeat gone run_gone
repeat lanes ask
repeat look look
for loop in $loops; do
	wait "$loop"
done
for name in push config attached detached gone lanes look; do
	is "$(cat "$name.failed")" '' "$name: $rounds times, beside all others"
done
kill "$follower"
wait "$follower" 2>/dev/null
like "$(cat tail.out)" "run\\.[0-9]+\\]" 'a log was followed meanwhile'
is "$(in_work git heroku releases -n 100 --json | grep -c '"version"')" \
	$((2 + 2 * rounds)) 'each push and each change is one release'
run slugctl -d "$dir" fsck
is "$status" 0 'fsck has nothing to say'
kill -TERM "$slugd_pid"
ended() {
	! kill -0 "$slugd_pid" 2>/dev/null
}
within 60 ended
ok $? 'slugd ends when it is told to'
finish
