#!/bin/sh
# SPDX-License-Identifier: ISC
# What a push says of a web process that does not start: the lines that tell
# why, and where it listens instead.
# shellcheck disable=SC2016 # it is for the shell of the app
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
launch='timeout = 2\ngrace = 1\n'
make_dir
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
cat >listen.pl <<'EOP'
# listen.pl ADDRESS...: listens there, and answers nothing.
use IO::Socket::IP; use IO::Socket::UNIX;
my @all = map {
	m{^/} ? IO::Socket::UNIX->new(Local => $_, Listen => 5)
	: /^(.*):(.*)$/ ? IO::Socket::IP->new(LocalHost => $1,
		LocalPort => $2, Listen => 5, V6Only => 1) : undef
} @ARGV;
grep { !$_ } @all and die "cannot listen: $@";
$| = 1; print "listening\n";
sleep 100;
EOP

# A push with that command of the web process.
push_web() {
	printf 'web: %s\n' "$1" >Procfile
	git add -A && git commit -q -m "$1"
	run git push heroku master
	like "$err" '^remote: -----> Launching\.\.\. failed' "$1: it fails"
}

# late WORDS: it did not answer, and that is why.
late() {
	like "$err" "^remote:  !     web\.1 did not answer on port [0-9]+ \(.PORT\) within 2 seconds; $1 *\$" \
		"and $1"
}

push_web 'exec sleep 100'
late 'it listens on no port'
push_web "exec perl listen.pl 127.0.0.1:0"
late "it listens on 127\.0\.0\.1:[0-9]+"
push_web "perl listen.pl 0.0.0.0:0 & wait"
late "it listens on 0\.0\.0\.0:[0-9]+"
push_web 'exec perl listen.pl 127.0.0.2:$PORT'
late 'it listens on 127\.0\.0\.2:[0-9]+, not on 127\.0\.0\.1'
push_web 'exec perl listen.pl /tmp/web.sock'
late 'it listens on the Unix socket /tmp/web\.sock alone'
if perl -MIO::Socket::IP -e 'exit !IO::Socket::IP->new(LocalHost => "::1",
	Listen => 1)'; then
	push_web "exec perl listen.pl ::1:0"
	late "it listens on \[::1\]:[0-9]+"
	push_web 'exec perl listen.pl ::1:$PORT'
	late 'it listens on \[::1\]:[0-9]+, not on 127\.0\.0\.1'
else
	skip 4 'no IPv6 on this machine'
fi
run git heroku logs
like "$out" 'heroku\[web\.1\]: Not on port [0-9]+ \(\$PORT\): it listens on' \
	'the log says it, too'

# --- with a check
printf 'check = /ready\n' >check.ini
sed -i '/^\[launch\]/r check.ini' "$dir/slugd.ini"
rm check.ini
slugctl -d "$dir" reload
push_web 'exec perl listen.pl 127.0.0.1:$PORT'
like "$err" 'did not answer GET /ready on port [0-9]+ .*; it takes connections, but answers nothing' \
	'a check that gets no answer'
cat >odd.pl <<'EOP'
use IO::Socket::IP;
my $l = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 5,
	LocalPort => $ENV{PORT}, ReuseAddr => 1) or die;
while (my $c = $l->accept) { print $c "SSH-2.0-nobody\r\n"; close $c }
EOP
push_web 'exec perl odd.pl'
like "$err" '; what it answers is not HTTP' 'a check of another protocol'

# --- which lines
cat >fail.sh <<'EOP'
seq -f 'banner %.0f' 60
echo 'Exception in thread "main": no such table: users'
seq -f '	at Frame%.0f' 300
i=0
while [ $i -lt 40 ]; do echo 'waiting for the database'; i=$((i + 1)); done
echo 'giving up'
exit 3
EOP
push_web 'sh fail.sh'
for line in 'banner 1' 'Exception in thread "main": no such table: users' \
	'.x09at Frame1' '.x09at Frame300' 'waiting for the database \(repeated 40 times\)' \
	'giving up' '\([0-9]+ lines left out\)'; do
	like "$err" "^remote:  !     $line *\$" "shown: $line"
done
unlike "$err" 'Frame150|banner 30' 'and what is amid is not'

finish
