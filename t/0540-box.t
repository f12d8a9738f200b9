#!/bin/sh
# SPDX-License-Identifier: ISC
# The box of an app's process: its throw-away copy, what it sees and may do,
# and how it ends.

# shellcheck disable=SC2016 # the other shell expands these
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/box.sh
. "$t/lib/box.sh"
trap 'stop_slugrun; rm -rf "$top"; end_test' EXIT

start_slugrun
launch "$web"
like "$out" '"status":"up"' 'a web process in a box comes up'
is "$(inside 'echo $HOME; pwd; cat a; cat link')" '/app
/app
one
three' 'HOME and the working folder are /app, with the slug in it'
is "$(inside 'echo more >>a; : >b; chmod 700 sub/run; mv sub/c sub/e;
	echo fresh >sub/c; rm -rf sub/deep; touch -d 2001-01-01 link;
	ln -sf /etc dangling; mkdir new; echo x >new/y;
	cat a b sub/c sub/e; ls -I "*.*"; ls sub')" 'one
more
fresh
three
a
b
dangling
link
new
sub
c
e
run' 'it appends, truncates, replaces, renames and removes its own files'
run touched
is "$out" '' 'the stored tree is byte for byte what it was'

# --- processes of one release, and the next start of one ---

launch "$web, $(process worker 1 'echo w >mine; echo w >/tmp/mine; echo w >/var/tmp/mine; echo w >/dev/shm/mine; echo wrote; exec sleep 6001')"
like "$out" '"status":"up"' 'two processes'
ok "$(within 10 said 'app.worker.1.: wrote'; echo $?)" 'one writes'
is "$(inside 'ls mine /tmp/mine /var/tmp/mine /dev/shm/mine' |
	grep -c 'cannot access')" 4 'the other one sees nothing of it'
is "$(inside 'ps -e -o args= | grep "[s]leep"; echo none')" none \
	'nor the process'
is "$(inside 'echo x >>a; echo x >/tmp/x; cat a /tmp/x')" 'one
x
x' 'it writes to files and to /tmp'
ok "$(within 20 has_folders 2; echo $?)" 'each has a folder'
pid=$(pid_of web.1)
kill -9 "$pid"
ok "$(within 20 restarted web.1 "$pid"; echo $?)" \
	'it is killed and started again'
is "$(inside 'cat a; ls /tmp')" one 'all that it wrote is gone'
ok "$(within 10 has_folders 2; echo $?)" 'and so is its folder'
is "$(inside 'echo $TMPDIR; touch /x /usr/x 2>&1 | grep -c touch:')" '
2' 'nothing but /app, /tmp and the like can be written to'
is "$(inside 'exec 2>&1; echo out >/dev/stdout; echo err >/dev/stderr')" \
	'out
err' 'its output can be opened by name'

# --- what it sees ---

like "$(inside "cat $store/ledger.db $store/slugd.ini")" \
	'ledger.db: No such file' \
	"slugd's folder is empty"
is "$(inside "ls -A $store 2>/dev/null")" '' 'there is not even a socket'
is "$(inside "kill -0 $slugrun_pid 2>&1 | grep -c 'No such process'")" 1 \
	'no other process can be reached'
ok "$(test "$(inside 'ls -d /proc/[0-9]* | wc -l')" -lt 10; echo $?)" \
	'/proc has its own alone'
like "$(inside 'cat /proc/1/environ; ls -l /proc/1/fd')" \
	'environ: Permission denied' 'its init is out of reach'

# --- what it may do ---

is "$(inside 'grep -h ^Cap /proc/self/status | cut -f 2 | sort -u')" \
	0000000000000000 'it has no capabilities'
is "$(inside 'grep -hE "^(NoNewPrivs|Seccomp):" /proc/self/status |
	cut -f 2 | xargs')" '1 2' 'no new privileges, and a filter of calls'
if [ "$uid" != null ]; then
	is "$(inside 'id -u; id -g; id -G')" "$uid
$uid
$uid" 'it is a user and a group of its own, and in no other group'
	is "$(stat -c %u "/proc/$(pid_of web.1)")" "$uid" 'outside, too'
fi
is "$(inside 'for c in "unshare -U true" "unshare -m true" \
	"mount -t tmpfs x /tmp" "chroot / true"; do
		$c 2>/dev/null && echo "$c"
	done; echo none')" none 'it makes no namespaces, and no mounts'
is "$(inside 'perl -e "\$! = 0; syscall(250, 0, 0, 0); print \$! + 0"')" 1 \
	'keyctl is refused'
is "$(inside 'perl -e "for (0 .. 63, 40 + (1 << 32), -1) {
	socket(S, \$_, 1, 0) || socket(S, \$_, 2, 0) and print \$_, q( );
	socketpair(S, R, \$_, 1, 0) and print \$_, q( ) }"')" '1 1 2 10 16 ' \
	'it has sockets of the internet, with paths, and of netlink alone'
is "$(inside 'perl -e "for (17, 38, 40) { socket(S, \$_, 1, 0) or
	print \$! + 0, q( ) }"')" '97 97 97 ' \
	'others are refused as if the kernel had them not: AF_VSOCK, say'
# An abstract socket has no path that could be hidden, as X11's; and signals.
scope() {
	perl -MSocket -e '
		syscall(444, 0, 0, 1) >= 6 or exit 1;
		socket my $s, AF_UNIX, SOCK_STREAM, 0 or die;
		bind $s, pack_sockaddr_un("\0slugd-test-$ARGV[0]") or die "$!\n";
		listen $s, 5; open my $f, ">", "scope"; close $f;
		sleep 600' "$first_port" &
	scope_pid=$!
	until [ -e scope ]; do
		kill -0 "$scope_pid" 2>/dev/null || return 1
		sleep 0.02
	done
}
connect='perl -MSocket -e "socket S, AF_UNIX, SOCK_STREAM, 0;
	connect S, pack_sockaddr_un(qq(\0slugd-test-'$first_port')) or print \$!"'
if scope; then
	is "$(sh -c "$connect")" '' 'an abstract socket of the machine'
	is "$(inside "$connect")" 'Operation not permitted' 'is not for a box'
	launch "$web" namespaces false
	is "$(inside "$connect")" 'Operation not permitted' \
		'without namespaces, either'
	launch "$web" namespaces false uid null
	like "$(inside "kill $scope_pid && echo killed")" 'not permitted' \
		'nor may it signal what is not in there'
	is "$(inside 'sleep 60 & kill $!; echo $?')" 0 'but what it started'
	launch "$web"
else
	skip 5 'no Landlock of version 6'
fi
kill "$scope_pid" 2>/dev/null
wait "$scope_pid" 2>/dev/null
is "$(inside 'perl -e "for (0 .. 31) { socket(S, 16, 3, \$_) and
	print \$_, q( ) }"')" '0 15 ' 'netlink tells of interfaces and devices'
is "$(inside 'echo x >mode; exec 2>/dev/null; chmod u+s mode || echo 1
	chmod g+s mode || echo 2; chmod 6755 mode || echo 3
	install -m 4755 mode copy || echo 4; chmod g+s . || echo 5
	chmod 755 mode && chmod 1777 sub && stat -c %a mode sub')" '1
2
3
4
5
755
1777' 'no file is made setuid or setgid'
[ "$(uname -m)" != x86_64 ] || is "$(inside 'exec perl -e "
use Fcntl; my \$dir = q(.); my \$f = q(made);
open my \$h, q(<), q(mode); my \$fd = fileno \$h; my \$m = q(mode);
sysopen F, q(made), O_CREAT|O_WRONLY, 04755 or print \$! + 0, q( );
for ([2, \$f, O_CREAT, 02755], [85, \$f, 04755], [91, \$fd, 06711],
	[133, \$f, 0104755, 0], [257, -100, \$f, O_CREAT|O_RDWR, 04755],
	[257, -100, \$dir, 020200002, 04755], [268, -100, \$m, 02711],
	[452, -100, \$m, 04711, 0], [437, -100, \$m, 0, 0]) {
	\$! = 0; my (\$n, @a) = @\$_; syscall(\$n, @a); print \$! + 0, q( ) }"
	ls made')" '1 1 1 1 1 1 1 1 1 38 ' 'by none of the calls'
is "$(inside 'perl -e "fork || exit; wait; socket(S, 2, 1, 0) or die;
	kill 0, \$\$ or die; print 1"')" 1 \
	'what servers do is not'

# --- ends ---

launch "$web, $(process worker 1 'exit 7')"
like "$out" 'exited with status 7' 'the exit status of a command comes through'
launch "$web, $(process worker 1 'kill -KILL $$')"
like "$out" 'ended by signal 9' 'and a signal'
launch "$web, $(process worker 1 'exit 137')"
like "$out" 'exited with status 137' 'which are not mixed up'
launch "$web, $(process worker 1 'perl daemon.pl; exec sleep 6002')"
like "$out" '"status":"up"' 'a daemon'
ok "$(within 10 pgrep -f "daemon $first_port" >/dev/null; echo $?)" 'is at work'
pid=$(pid_of worker.1)
kill -TERM "$pid"
ok "$(within 10 said 'Process exited with status 143'; echo $?)" \
	'SIGTERM to the init is one to the command'
ok "$(within 10 state worker.1 up; echo $?)" 'which is started again'
launch "$web"
ok "$(within 10 nobody_runs "daemon $first_port"; echo $?)" \
	'no daemon outlives its release'
launch "$web, $(process worker 1 'exec sh trap.sh 0.3 first')"
ok "$(within 10 said 'app.worker.1.: first'; echo $?)" 'one with a trap'
launch "$web, $(process worker 1 'sh trap.sh 0.5 second; true')"
ok "$(within 10 said 'app.worker.1.: first ends'; echo $?)" 'ends in its own time'
ok "$(within 10 said 'app.worker.1.: second'; echo $?)" 'a shell above it'
launch "$web, $(process worker 1 'perl daemon.pl; exec sleep 6002')"
ok "$(within 10 said 'app.worker.1.: second ends'; echo $?)" \
	'its child does, too, when the shell is gone'
ok "$(within 10 pgrep -f "daemon $first_port" >/dev/null; echo $?)" 'a daemon again'
pid=$(pid_of web.1)
kill -9 "$slugrun_pid"
wait "$slugrun_pid" 2>/dev/null
ok "$(within 10 nobody_runs "daemon $first_port"; echo $?)" \
	'where slugrun is killed the daemon is, too'
ok "$(within 10 gone "$pid"; echo $?)" 'and all others'
start_slugrun
ok "$(within 10 has_folders 0; echo $?)" 'another slugrun clears up'
launch "$web"
like "$out" '"status":"up"' 'and launches'

finish
