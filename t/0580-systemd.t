#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd as a service: what it tells systemd, where it listens, its units and
# those of apps.
. "$(dirname "$0")/lib/test.sh"

# hear PATH: what is told there, a line a datagram, in the file "told".
hear() {
	perl -MSocket -MIO::Handle -e '
		socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
		bind($s, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
		open(my $out, ">", "told") or die;
		$out->autoflush(1);
		while (defined recv($s, my $text, 65536, 0)) {
			$text =~ s/\n/ /g;
			print $out "$text\n";
		}' "$1" &
	hears=$!
	within 20 test -e told
}

# --- what systemd is told
make_dir
hear "$scratch/notify"
NOTIFY_SOCKET=$scratch/notify start_slugd
within 20 grep -qx READY=1 told
ok $? 'systemd is told that slugd is ready'
kill -HUP "$slugd_pid"
within 20 grep -qxE 'RELOADING=1 MONOTONIC_USEC=[0-9]+' told
ok $? 'that it reads its configuration again'
# shellcheck disable=SC2317 # within calls it
ready_again() {
	[ "$(grep -cx READY=1 told)" -eq 2 ]
}
within 20 ready_again
ok $? 'and is ready again then'
stop_slugd
within 20 grep -qx STOPPING=1 told
ok $? 'and that it ends'
kill "$hears"

# --- apps are not ended with it, and the journal has what they say
rm -rf "$dir" told
driver=slugrun make_dir
hear "$scratch/journal"
export SLUGD_TEST_JOURNAL="$scratch/journal"
NOTIFY_SOCKET=$scratch/nobody start_slugd
make_app myapp
echo 'loud: seq 5000; exec sleep 600' >>work/Procfile
git -C work commit -qam 'Much to say'
git -C work push -q heroku master 2>/dev/null
answers() {
	curl -sSf "http://127.0.0.1:$first_port/"
}
like "$(answers)" hello 'an app'
slugrun=$(pgrep -o -f "slugrun $dir/apps/myapp\$")
isnt "$slugrun" '' 'has a slugrun'
stop_slugd
like "$(answers)" hello 'goes on when systemd stops slugd'
start_slugd
within 20 answers
is "$(pgrep -o -f "slugrun $dir/apps/myapp\$")" "$slugrun" \
	'and slugd finds it again'
entry='PRIORITY=6 SYSLOG_IDENTIFIER=myapp DYNO=web.1 SLUGD_SOURCE'
within 20 grep -q "^$entry=app MESSAGE=listening \$" told
ok $? 'the journal has a line of the app'
within 20 grep -q "^$entry=heroku MESSAGE=State changed .* up \$" told
ok $? 'and those of slugrun'
kill -KILL "$slugrun"
# shellcheck disable=SC2317 # within calls it
run_again() {
	answers && ! pgrep -o -f "slugrun $dir/apps/myapp\$" | grep -qx "$slugrun"
}
within 20 run_again
ok $? 'a slugrun that was killed is started again, and the app with it'
is "$(grep -c 'heroku\[api\]: Release v2 created' \
	"$dir/apps/myapp/log")" 1 'which makes no release'
kill -STOP "$hears"
api PATCH /apps/myapp/formation/loud -d '{"quantity": 1}' >/dev/null
within 20 grep -q 'app\[loud.1\]: 5000$' "$dir/apps/myapp/log"
ok $? 'a journal that takes nothing is not waited for'
is "$(grep -c 'app\[loud.1\]: [0-9]*$' "$dir/apps/myapp/log")" 5000 \
	'and no line of the log is lost for it'
stop_slugd
kill -CONT "$hears"
kill "$hears"
unset SLUGD_TEST_JOURNAL
answers 2>/dev/null
isnt $? 0 'without systemd apps end with slugd'
rm -rf "$dir" work

# --- a socket elsewhere
make_dir
mkdir run
slugd -d "$dir" -s run/slugd.sock 2>err
is "$? $(cat err)" \
	"1  !    the socket's path is not absolute, or not UTF-8" \
	'a socket elsewhere is named by an absolute path'
slugd -d "$dir" --socket="$scratch/run/slugd.sock" 2>>slugd.log &
slugd_pid=$!
within 20 curl -sS --unix-socket run/slugd.sock http://slugd/
ok $? 'slugd listens where --socket says'
is "$(readlink "$dir/slugd.sock")" "$scratch/run/slugd.sock" \
	'its folder has a link to it'
run slugctl -d "$dir" status
is "$status" 0 'by which slugctl finds it'
make_app myapp
is "$(git -C work ls-remote heroku; git -C "$repo" config slugd.socket)" \
	"$scratch/run/slugd.sock" 'apps are told of the socket itself'
run git -C work push -q heroku master
is "$status" 0 'and so are hooks'
stop_slugd
start_slugd
is "$(stat -c %F "$dir/slugd.sock")" socket \
	'without --socket it is in the folder again'
stop_slugd

# --- the units
cp "$TOP_BUILDDIR"/contrib/systemd/*.service .
unlike "$(cat ./*.service)" '@[a-z]+@' 'the units name programs'
if command -v systemd-analyze >/dev/null; then
	sed -i -E 's,^(Exec[A-Za-z]*=\+?)[^ ]*/,\1/bin/true /,
		/^Documentation=/d' ./*.service
	run systemd-analyze verify ./slugd.service ./slugrun@.service
	is "$status $err" '0 ' 'systemd finds no mistake in them'
else
	skip 1 'no systemd-analyze'
fi
finish
