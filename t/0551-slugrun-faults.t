#!/bin/sh
# SPDX-License-Identifier: ISC
# slugrun where others are in its way: an address that is taken, a limit of
# descriptors, a guard that comes late, names that an app takes.
. "$(dirname "$0")/lib/test.sh"
driver=slugrun
launch='timeout = 20\ngrace = 5\nrelease_timeout = 4\n'
prlimit --pid $$ --nofile=256:
make_dir '[route]' 'driver = direct'
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
app=$dir/apps/myapp
slugrun() {
	pgrep -o -f "slugrun $app\$"
}
# states: of all processes, in a line.
# shellcheck disable=SC2317 # called by within
states() {
	git heroku ps | sed -n 's/^\([a-z]*\.[0-9]*\): \([a-z]*\).*/\1=\2/p' | xargs
}
# shellcheck disable=SC2317 # called by within
has_states() {
	[ "$(states)" = "$1" ]
}

printf 'web: exec perl server.pl\nworker: exec sleep 1000\n' >Procfile
git commit -qam 'Two process types'
run git push heroku master
is "$status" 0 'the push'
port=$(api GET /apps/myapp | grep -o '127.0.0.1:[0-9]*' | cut -d : -f 2)

# --- an address that is taken ---

run git heroku ps:scale web=0
is "$status" 0 'no web process'
git heroku config:set A=1 >/dev/null
within 20 has_states ''
# shellcheck disable=SC2016 # perl's
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
		LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die;
	print "listens\n"; $| = 1; print ""; sleep 1000' "$port" >other &
other=$!
within 20 grep -q listens other
run git heroku ps:scale web=1
is "$status" 1 'a scale whose address is taken: exit 1'
like "$err" "no web process was started: .*$port: Address already in use" \
	'in these words'
run git heroku ps:scale web=0 worker=1
is "$status:$err" '0:' 'without it, the others are scaled'
within 20 has_states 'worker.1=up'
ok $? 'and nothing is left of the first one'
kill "$other"
wait "$other"
run git heroku ps:scale web=1
is "$status:$err" '0:' 'once it is free it works'
within 20 curl -fsS "http://127.0.0.1:$port/"
ok $? 'and answers'

# --- a scaling that slugd did not come to ---

kill -STOP "$(slugrun)"
git heroku ps:scale worker=2 >out 2>&1 &
client=$!
# shellcheck disable=SC2317 # called by within
is_noted() {
	api GET /apps/myapp/formation/worker | grep '"quantity":2'
}
within 20 is_noted
ok $? 'it is written down'
stop_slugd KILL
wait "$client"
kill -CONT "$(slugrun)"
start_slugd || exit 1
within 20 has_states 'web.1=up worker.1=up worker.2=up'
ok $? 'the next slugd sees to it'

# --- descriptors ---

is "$(awk '/open files/ { print $4 == $5 }' "/proc/$(slugrun)/limits")" 1 \
	'slugrun has all descriptors that it may have'

# --- names that an app takes ---

cat >names.pl <<'EOF'
use Socket;
my @held;
for my $n ($ARGV[0] .. $ARGV[1]) {
	socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
	bind($s, pack_sockaddr_un("\0slugrun/port/$n")) and push @held, $s;
}
print 'has ', scalar(@held), " names\n";
close STDOUT;
sleep 1000;
EOF
printf 'web: exec perl server.pl\nworker: exec perl names.pl %d %d\n' \
	"$first_port" "$last_port" >Procfile
git add names.pl Procfile
git commit -qm 'One that takes names'
run git push heroku master
is "$status" 0 'an app that takes names'
within 20 grep -q 'has 20 names' "$app/log"
ok $? 'which slugrun does not need'
run git heroku ps:restart web
is "$status:$err" 0: 'no port is kept from others so'

# --- a release command that is broken off ---

cat >release.sh <<'EOF'
trap 'echo has time; exit 1' TERM
while :; do sleep 0.1; done
EOF
echo 'release: exec sh release.sh' >>Procfile
git add release.sh Procfile
git commit -qm 'A release command without an end'
run git push heroku master
is "$status" 1 'a release command that goes on for too long'
like "$err" 'did not end within 4 seconds' 'fails'
like "$(cat "$app/log")" ' app\[release\.1\]: has time$' \
	'and may clean up behind itself'

# --- the guard of one that was killed, late ---

stop_slugd
sed 's/^\[launch\]/&\nnamespaces = off/' "$dir/slugd.ini" >ini
cat ini >"$dir/slugd.ini"
start_slugd || exit 1
within 20 curl -fsS "http://127.0.0.1:$port/"
ok $? 'without namespaces'
guard=$(pgrep -o -f "slugrun-box guard $app\$")
old=$(slugrun)
# shellcheck disable=SC2317 # called by within
is_new() {
	[ "$(slugrun)" != "$old" ] && curl -fsS "http://127.0.0.1:$port/"
}
kill -STOP "$guard"
kill -KILL "$old"
within 20 is_new
ok $? 'a slugrun that was killed has a successor'
before=$(grep -c 'exited with status' "$app/log")
kill -CONT "$guard"
within 20 sh -c "! kill -0 $guard"
ok $? 'its guard ends'
within 20 has_states 'web.1=up worker.1=up worker.2=up'
is "$(grep -c 'exited with status' "$app/log")" "$before" \
	'and kills none of what runs now'
finish
