# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# The test library. A test is a POSIX shell script:
#
#	. "$(dirname "$0")/lib/test.sh"
#	run git heroku releases
#	is "$status" 0 'releases answers'
#	like "$out" '^Rel ' 'with the header of the article'
#	finish
#
# Each test has a scratch folder, $scratch, which is its working folder; it
# goes away at the end, with every process that start_slugd started.

# shellcheck disable=SC2034 # what is set here is for the test
set -u
t=$(cd "$(dirname "$0")" && pwd)
: "${TOP_BUILDDIR:?run the tests by make check}"
tests=0
failures=0
status=0
out=
err=

# Nothing of the caller's own settings.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE SLUGD_DIR SLUGD_USER SLUGD_TEST_NOW
export LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
export GIT_TERMINAL_PROMPT=0 GIT_ADVICE=0
umask 022

scratch=$(mktemp -d "${TMPDIR:-/tmp}/slugd-test.XXXXXX")
# Tests run side by side, with the same uids for apps.
export SLUGD_TEST_UIDS="$scratch/uids"
slugd_pid=
first_port=
taken_ports=${TMPDIR:-/tmp}/slugd-test-ports.$(id -u)
trap 'end_test' EXIT
trap 'exit 1' INT TERM HUP
cd "$scratch" || exit 1

end_test() {
	stop_slugd TERM
	# What a slugd that was killed left behind; slugruns end without DIR.
	pid=$(cat "${dir:-.}/haproxy.pid" 2>/dev/null)
	[ "$(cat "/proc/${pid:-0}/comm" 2>/dev/null)" != haproxy ] || kill "$pid"
	[ -z "$first_port" ] || rm -f "$taken_ports/$first_port"
	cd / && rm -rf "$scratch"
}

# ok STATUS NAME: the test passes if STATUS is 0.
ok() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tests" "$2"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s\n' "$tests" "$2"
	fi
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /' >&2
}

# is GOT WANTED NAME
is() {
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got:    $1"
		diag "wanted: $2"
	fi
}

# isnt GOT UNWANTED NAME
isnt() {
	if [ "$1" != "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got: $1"
	fi
}

# like GOT REGEXP NAME: an extended regular expression, on any line.
like() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diag "got:     $1"
		diag "no line: $2"
	fi
}

# unlike GOT REGEXP NAME
unlike() {
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		ok 1 "$3"
		diag "got:    $1"
		diag "a line: $2"
	else
		ok 0 "$3"
	fi
}

# skip N REASON: as many tests are passed over.
skip() {
	n=$1
	while [ "$n" -gt 0 ]; do
		tests=$((tests + 1))
		n=$((n - 1))
		printf 'ok %d # skip %s\n' "$tests" "$2"
	done
}

# skip_all REASON: the whole file is.
skip_all() {
	printf '1..0 # skip %s\n' "$1"
	exit 0
}

finish() {
	printf '1..%d\n' "$tests"
	[ "$failures" -eq 0 ]
	exit
}

# run COMMAND...: sets $out, $err and $status.
run() {
	"$@" >"$scratch/.out" 2>"$scratch/.err" </dev/null
	status=$?
	out=$(cat "$scratch/.out")
	err=$(cat "$scratch/.err")
}

# within SECONDS COMMAND...: try until it succeeds; fails after SECONDS.
within() {
	tries=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

# These 20 ports: is nobody listening there, and no test about to?
take_ports() {
	perl -MSocket -e '
		for my $port ($ARGV[0] .. $ARGV[0] + 19) {
			socket(my $s, AF_INET, SOCK_STREAM, 0) or die;
			setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1) or die;
			bind($s, pack_sockaddr_in($port, INADDR_ANY)) or exit 1;
		}' "$1" || return 1
	mkdir -p "$taken_ports"
	kill -0 "$(readlink "$taken_ports/$1")" 2>/dev/null ||
		rm -f "$taken_ports/$1" # of a test that was killed
	ln -s $$ "$taken_ports/$1" 2>/dev/null
}

# A range of ports that nobody has, below the kernel's ephemeral ones, for the
# whole of the test: sets $first_port and $last_port. Tests run side by side,
# and the machine has other programs: it is looked for from the process id on.
pick_ports() {
	[ -z "$first_port" ] || return 0
	first_port=$((10000 + $$ % 1000 * 20))
	until take_ports "$first_port"; do
		first_port=$((10000 + (first_port + 20 - 10000) % 20000))
		[ "$first_port" -ne $((10000 + $$ % 1000 * 20)) ] || {
			diag 'no twenty ports in a row are free'
			exit 1
		}
	done
	last_port=$((first_port + 19))
}

# The folder, and slugd.ini in it. Further lines of the ini as arguments.
# $driver: slugrun or none (none where unset); $launch: lines of [launch].
make_dir() {
	dir=$scratch/slugd
	mkdir -p "$dir"
	pick_ports
	{
		printf '[launch]\ndriver = %s\n' "${driver:-none}"
		printf 'ports = %d-%d\n' "$first_port" "$last_port"
		printf '%b' "${launch:-timeout = 20\ngrace = 2\n}"
		printf '[addon memcachier]\nplans = free:0, 100:15\n'
		printf 'config.MEMCACHIER_SERVERS = 127.0.0.1:11211\n'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$dir/slugd.ini"
}

api() {
	method=$1
	shift
	path=$1
	shift
	curl -sS --unix-socket "$dir/slugd.sock" -X "$method" \
		"http://slugd$path" "$@"
}

# Start slugd in $dir, which make_dir made, and wait until it answers.
start_slugd() {
	slugd -d "$dir" 2>>"$scratch/slugd.log" &
	slugd_pid=$!
	within 20 api GET / || {
		diag "slugd does not answer:"
		diag "$(cat "$scratch/slugd.log")"
		return 1
	}
}

# End slugd (and with it the apps), by a signal: TERM unless given.
stop_slugd() {
	[ -n "$slugd_pid" ] || return 0
	kill -"${1:-TERM}" "$slugd_pid" 2>/dev/null
	wait "$slugd_pid" 2>/dev/null
	slugd_pid=
}

# A work tree "work" with one commit of an app, and the remote heroku to
# the app of that name, made by slugctl.
make_app() {
	repo=$(slugctl -d "$dir" init "${1:-myapp}") || return 1
	git init -q -b master work
	(
		cd work || exit 1
		printf 'hello\n' >index.html
		printf 'web: exec perl server.pl\n' >Procfile
		cp "$t/lib/server.pl" .
		git add . && git commit -q -m 'A first page'
		git remote add heroku "$repo"
	)
}
