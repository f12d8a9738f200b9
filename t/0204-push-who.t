#!/bin/sh
# SPDX-License-Identifier: ISC
# Who made a release: the connection says, once.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
me=$(id -un)

is "$(newest user.email)" "$me" 'v1 is of who ran slugctl init'
run git push heroku master
is "$(newest user.email)" "$me" 'a push is of the account that pushes'
commit 'of Ada'
SLUGD_USER=ada@example.com git push -q heroku master 2>/dev/null
is "$(newest user.email)" ada@example.com \
	'SLUGD_USER in the environment of the hooks names another'
is "$(api GET /apps/myapp/builds | grep -o '"email":"[^"]*"' | sort)" \
	"$(printf '"email":"%s"\n' "$me" ada@example.com | sort)" \
	'builds have it, too'
commit 'of nobody else'
git push -q heroku master 2>/dev/null
is "$(newest user.email)" "$me" 'the next push is of the account again'
stop_slugd
SLUGD_USER=eve@example.com
export SLUGD_USER
start_slugd || exit 1
unset SLUGD_USER
commit 'and slugd under a name'
git push -q heroku master 2>/dev/null
is "$(newest user.email)" "$me" 'the environment of slugd itself names nobody'
commit 'of a name that is none'
SLUGD_USER=$(printf 'a\033[31mb') run git push heroku master
is "$status" 1 'a name with control bytes: refused'
like "$err" '^remote:  !     user .* must be 1 to 100 printable characters' \
	'in words'
SLUGD_USER=$(printf '%0101d' 1) run git push heroku master
is "$status" 1 'a name of 101 characters, too'
git reset -q --hard HEAD~1

# requests LINE...: what slugd answers to these on one connection: "STATUS
# BODY" a line. A line is METHOD PATH BODY.
requests() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(shift) or die "connect: $!";
		for (@ARGV) {
			my ($method, $path, $body) = split / /, $_, 3;
			$body //= "";
			my $n = length $body;
			print $s "$method $path HTTP/1.1\r\nHost: slugd\r\n",
				"Content-Length: $n\r\n\r\n$body";
			$s->flush;
			my ($status, $len) = ("", 0);
			while (<$s>) {
				$status = $1 if m{^HTTP/1.1 (\d+)};
				$len = $1 if /^Content-Length: (\d+)/i;
				last if /^\r?$/;
			}
			read $s, my $answer, $len;
			$answer =~ s/\n//g;
			print "$status $answer\n";
		}' "$dir/slugd.sock" "$@"
}

ada='POST /session {"user":"ada@example.com"}'
set_var='PATCH /apps/myapp/config-vars'
got=$(requests "$ada" "$set_var {\"A\":\"1\"}")
is "$(printf '%s\n' "$got" | cut -c 1-3 | tr '\n' ' ')" '201 200 ' \
	'POST /session, then a request'
is "$(newest user.email)" ada@example.com 'the release is of that user'
got=$(requests "$ada" 'POST /session {"user":"eve@example.com"}' \
	"$set_var {\"A\":\"2\"}")
is "$(printf '%s\n' "$got" | cut -c 1-3 | tr '\n' ' ')" '201 400 200 ' \
	'POST /session a second time: 400'
like "$got" '^400 .*"id":"bad_request".*a session begins with the connection' \
	'in words'
is "$(newest user.email)" ada@example.com 'the first one counts'
got=$(requests 'GET /apps' "$ada" "$set_var {\"A\":\"3\"}")
is "$(printf '%s\n' "$got" | cut -c 1-3 | tr '\n' ' ')" '200 400 200 ' \
	'POST /session after another request: 400'
is "$(newest user.email)" "$me" 'and the release is of the account'
got=$(requests 'GET /apps/nosuch' "$ada")
is "$(printf '%s\n' "$got" | cut -c 1-3 | tr '\n' ' ')" '404 400 ' \
	'after one that failed, too'
got=$(requests 'POST /session {"user":""}' "$ada")
is "$(printf '%s\n' "$got" | cut -c 1-3 | tr '\n' ' ')" '422 400 ' \
	'a claim that failed is a claim'
like "$(requests 'POST /session {}')" '^422 .*user is missing' \
	'without a user: 422'
like "$(requests 'POST /session {"user":7}')" '^422 ' 'with a number: 422'
like "$(requests 'POST /session ada')" '^4(00|22) ' 'with no JSON: refused'

# --- another account
other='setpriv --reuid=65534 --regid=65534 --clear-groups'
if [ "$(id -u)" -eq 0 ] && $other true 2>/dev/null; then
	chmod 755 "$scratch" "$dir"
	chmod 666 "$dir/slugd.sock"
	# shellcheck disable=SC2317 # called by run
	as_nobody() {
		$other curl -sS --unix-socket "$dir/slugd.sock" \
			-w '%{http_code}\n' -X "$1" -d "$3" "http://slugd$2"
	}
	run as_nobody POST /session '{"user":"ada@example.com"}'
	like "$(echo "$out" | tr '\n' ' ')" '"id":"forbidden".* 403 $' \
		'a claim by another account: 403'
	run as_nobody PATCH /apps/myapp/config-vars '{"B":"1"}'
	is "$(newest user.email)" "$(id -un 65534)" \
		'its releases are of its own name'
	run as_nobody POST /pushes "{\"repository\":\"$repo\",\"refs\":[]}"
	like "$(echo "$out" | tr '\n' ' ')" 'only a hook may.* 403 $' \
		'it cannot begin a push: 403'
	run as_nobody POST /pushes/actions/settle \
		"{\"repository\":\"$repo\",\"refs\":[]}"
	like "$out" '^403$' 'nor say that one is over: 403'
else
	skip 4 'needs root and setpriv, to be another account'
fi
is_sound 'after all this'
finish
