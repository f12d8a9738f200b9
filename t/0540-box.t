#!/bin/sh
# SPDX-License-Identifier: ISC
# The box of an app's process: its throw-away copy, and its fences.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
trap 'stop_slugrun; rm -rf "$top"; end_test' EXIT

slugrun=$SLUGD_EXEC_PATH/slugrun
slugrun_pid=
# Not in /tmp, which no boxed process sees.
top=$(mktemp -d "${BOX_TOP:-/var/lib}/slugd-box.XXXXXX" 2>/dev/null ||
	mktemp -d "$HOME/slugd-box.XXXXXX")
store=$top/slugd
app=$store/apps/myapp
pick_ports

start_slugrun() {
	"$slugrun" "$app" 2>>"$scratch/slugrun.log" &
	slugrun_pid=$!
	within 20 ask GET /
}

stop_slugrun() {
	[ -n "$slugrun_pid" ] || return 0
	kill -"${1:-TERM}" "$slugrun_pid" 2>/dev/null
	wait "$slugrun_pid" 2>/dev/null
	slugrun_pid=
}

# ask METHOD PATH [CURL OPTION...]: sets nothing, prints the answer.
ask() {
	ask_method=$1
	ask_path=$2
	shift 2
	curl -sS --unix-socket "$app/slugrun.sock" -X "$ask_method" \
		"http://slugrun$ask_path" "$@"
}

# process TYPE QUANTITY COMMAND
process() {
	printf '{"type": "%s", "quantity": %s, "command": "%s"}' "$@"
}

# launch PROCESSES [KEY VALUE]...: the next release, with all fences but
# where a key says something else: of two that are the same the last counts.
version=0
launch() {
	version=$((version + 1))
	launch_processes=$1
	shift
	{
		cat <<-END
		{"app": "myapp", "version": $version, "commit": null,
		 "created_at": 1000000000, "store": "$store", "slug": "$slug",
		 "config": {}, "processes": [$launch_processes],
		 "listen": $first_port, "ports": [$first_port, $last_port],
		 "timeout": 20, "grace": 2, "uid": $uid,
		 "namespaces": true, "seccomp": true, "cgroups": true
		END
		while [ $# -gt 0 ]; do
			echo ", \"$1\": $2"
			shift 2
		done
		echo '}'
	} >"$scratch/launch.json"
	run ask POST /launch -d "@$scratch/launch.json"
}

# sh in a web process: prints what its standard output and error were.
inside() {
	curl -sS --data-binary "$1" "http://127.0.0.1:$first_port/"
}

# What is in the stored tree: names, modes, times, sums.
tree() {
	(cd "$app/trees/v$version" && find . -printf '%p %m %s %T@ %l\n' |
		sort && find . -type f -exec sha256sum {} + | sort)
}

uid=null
# XXX own uid
slug=00000000-0000-4000-8000-000000000001
mkdir -p "$app" src/sub/deep
chmod 700 "$store"
chmod 755 "$top"
echo secret >"$store/ledger.db"
echo secret >"$store/slugd.ini"
chmod 644 "$store/ledger.db"
echo one >src/a
echo two >src/b
echo three >src/sub/c
echo four >src/sub/deep/d
printf '#!/bin/sh\necho run\n' >src/sub/run
chmod 755 src/sub/run
ln -s sub/c src/link
ln -s /nowhere src/dangling
cat >src/shell.pl <<'END2'
# Runs what is posted to it by sh, and answers with what that says.
use strict;
use warnings;
use IO::Socket::INET;

my $listen = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT},
	Listen => 64, ReuseAddr => 1) or die "port $ENV{PORT}: $!\n";
while (my $c = $listen->accept) {
	my $len = 0;
	while (my $line = <$c>) {
		$len = $1 if $line =~ /^content-length: (\d+)/i;
		last if $line =~ /^\r?$/;
	}
	read $c, my $command, $len;
	my $body = '';
	if ($len) {
		open my $p, '-|', 'sh', '-c', "exec 2>&1\n$command" or die;
		local $/;
		$body = <$p> // '';
		close $p;
	}
	print $c "HTTP/1.0 200 OK\r\nContent-Length: ",
		length $body, "\r\n\r\n$body";
	close $c;
}
END2
tar --zstd -C src -b 1 -cf slug.tar.zst .
head -c 1024 /dev/zero | zstd -q >end.tar.zst
put_slug "$store" $slug slug.tar.zst end.tar.zst
[ "$uid" = null ] || chown -R 0:0 "$top"
web=$(process web 1 'exec perl shell.pl')

start_slugrun
launch "$web"
like "$out" '"status":"up"' 'a web process in a box comes up'
tree >before
isnt "$(wc -l <before)" 0 'the stored tree is there'
is "$(inside 'echo $HOME; pwd; cat a; cat link')" '/app
/app
one
three' 'HOME and the working folder are /app, with the slug in it'
is "$(inside 'echo more >>a; : >b; chmod 700 sub/run; mv sub/c sub/e;
	echo fresh >sub/c; rm -rf sub/deep; touch -d 2001-01-01 link;
	ln -sf /etc dangling; mkdir new; echo x >new/y;
	cat a b sub/c sub/e; ls; ls sub')" 'one
more
fresh
three
a
b
dangling
link
new
shell.pl
sub
c
e
run' 'it appends, truncates, replaces, renames and removes its own files'
tree >after
run cmp before after
is "$status" 0 'the stored tree is byte for byte what it was'
finish
