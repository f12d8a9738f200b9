#!/bin/sh
# SPDX-License-Identifier: ISC
# The box of an app's process: limits, and what is left of it where a fence
# is switched off or the kernel refuses it.

# shellcheck disable=SC2016 # the other shell expands these
# shellcheck disable=SC2317 # within calls some
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/box.sh
. "$t/lib/box.sh"
trap 'stop_slugrun; umount "$top/small" 2>/dev/null; rm -rf "$top"
	end_test' EXIT

# --- what there is ---

run "$slugrun" fences "$top"
is "$status" 0 'slugrun fences'
fences=$out
like "$fences" '"namespaces":true.*"overlay":true.*"seccomp":true' \
	'tells what is live here'
is "$(find "$top" -name 'fences*')" '' 'and leaves nothing'
run "$slugrun" fences "$top/nowhere"
is "$status" 1 'a folder that is not there'
like "$err" 'nowhere/fences.*: No such file' 'in words'

# --- limits ---

start_slugrun
launch "$web" max_files 64
is "$(inside 'ulimit -n; ulimit -Hn')" '64
64' 'open files are limited'
like "$(inside 'perl -e "for (1 .. 100) { open my \$f, q(<), q(/dev/null)
	or die \"\$_ \$!\"; push @f, \$f }"')" 'Too many open files' 'to that'

launch "$web, $(process bomb 1 'exec sh bomb.sh')" max_processes 40
like "$out" '"status":"up"' 'one that forks without end'
ok "$(within 30 said 'app.bomb.1.: .*fork.*'; echo $?)" 'has an end of that'
is "$(inside 'echo fine')" fine 'and its neighbour answers'
ok "$(test "$(pgrep -c -f "bomb $first_port")" -le 42; echo $?)" \
	'it has as many processes as are allowed'
launch "$web"
ok "$(within 10 nobody_runs "bomb $first_port"; echo $?)" 'none of which is left'

case $fences in
*'"cgroups":"'*memory*)
	launch "$web, $(process hog 1 'sleep 0.5; exec perl -e \"\\$x = q(x) x (200 << 20); sleep 600\"')" \
		memory $((64 << 20))
	ok "$(within 20 said 'Error R15 (Memory quota vastly exceeded)'
		echo $?)" 'one that takes too much memory is killed'
	is "$(inside 'echo fine')" fine 'its neighbour is not'
	stop_slugrun TERM
	ok "$(within 10 no_groups; echo $?)" 'no control group is left'
	start_slugrun
	;;
*) skip 3 'no control groups for memory' ;;
esac

# --- each fence switched off ---

launch "$web" seccomp false
is "$(inside 'grep -h ^Seccomp: /proc/self/status | cut -f 2')" 0 \
	'without the filter of system calls'
is "$(inside 'unshare -U true; echo $?')" 0 'there is none'
launch "$web" uid null
is "$(inside 'id -u')" "$(id -u)" "without a user of its own: slugd's"
is "$(inside 'echo x >>a; grep -h ^CapEff /proc/self/status | cut -f 2')" \
	0000000000000000 'which has no capabilities either'
is "$(inside 'for dir in /sys/fs/cgroup /sys/fs/cgroup/*/; do
	mkdir $dir/slugd 2>/dev/null && echo $dir; rmdir $dir/slugd
done 2>/dev/null')" '' 'nor a way to its control groups'
launch "$web" cgroups false memory $((64 << 20)) max_processes 50
is "$(inside 'grep -c slugrun- /proc/self/cgroup')" 0 'without control groups'

# What a user of the app's own does not get at, though it knows the way.
out_of_reach() {
	for tree in "$app"/trees/*/v* "$app"/run/*/lower; do
		inside "echo x >>$tree/a; rm $tree/b; ls $tree"
	done >/dev/null
	is "$(touched)" '' 'nor can it be changed by its path'
}

# without NAME: the copy of a web process that has no namespaces.
without() {
	like "$(inside 'echo $HOME')" '^/.*/run/web.1-[0-9]*/app$' \
		"$1: HOME is in run/"
	is "$(inside 'test "$(cd $HOME && pwd)" = "$(pwd)"; echo $?
		cd $TMPDIR && pwd' |
		sed 's:/.*/run/web.1-[0-9]*/:/:')" '0
/tmp' 'as is TMPDIR'
	is "$(inside 'cat a link; test -x sub/run && readlink dangling')" 'one
three
/nowhere' 'with a copy of the slug'
	inside 'echo more >>a; : >b; chmod 700 sub/run; rm -rf sub/deep
		touch $TMPDIR/x; mkdir x; chmod 0 x' >/dev/null
	is "$(touched)" '' 'the stored tree stays as it was'
	[ "$uid" = null ] || out_of_reach
	is "$(inside 'grep -h ^CapEff /proc/self/status | cut -f 2')" \
		0000000000000000 'it has no capabilities'
	is "$(inside 'perl daemon.pl keep; echo $?')" 0 'it starts a daemon'
	ok "$(within 10 pgrep -f "daemon $first_port" >/dev/null; echo $?)" \
		'which is at work'
	pid=$(pid_of web.1)
	kill -9 "$pid"
	ok "$(within 20 restarted web.1 "$pid"; echo $?)" \
		'it is killed and started again'
	is "$(inside 'cat a; ls $TMPDIR')" one 'all it wrote is gone'
	ok "$(within 10 has_folders 1; echo $?)" 'with its folder'
	ok "$(within 10 nobody_runs "daemon $first_port"; echo $?)" \
		'and its daemon'
}

launch "$web" namespaces false
without 'without namespaces'
is "$(inside 'grep -h ^Seccomp: /proc/self/status | cut -f 2')" 2 \
	'the other fences stay'
launch "$web, $(process worker 1 'perl stray.pl; exec sleep 600')" \
	namespaces false cgroups false
stray() {
	pgrep -f "stray $first_port" | tr '\n' ' '
}
ok "$(within 10 test -n "$(stray)"; echo $?)" \
	'a stray: without groups, namespaces, parents, environment'
is "$(inside "bash -c 'ulimit -q 0' 2>&1 | grep -c 'not permitted'")" 1 \
	'whose mark is not to be changed'
old=$(stray)
launch "$web, $(process worker 1 'perl stray.pl; exec sleep 600')" \
	namespaces false cgroups false
ends() {
	# shellcheck disable=SC2086 # words
	! kill -0 $old 2>/dev/null
}
ok "$(within 10 ends; echo $?)" 'ends with its release'
ok "$(within 10 test -n "$(stray)"; echo $?)" 'one of the next release does not'
old=$(stray)
pid=$(pid_of web.1)
kill -KILL "$pid"
within 20 restarted web.1 "$pid"
within 10 has_folders 2
is "$(stray)" "$old" 'nor does it with another process'
kill -KILL "$(pid_of worker.1)"
ok "$(within 10 ends; echo $?)" 'it ends with the process that started it'
launch "$web, $(process worker 1 'exec perl daemon.pl')" namespaces false
like "$out" 'exited with status 0' 'a daemon that forks and exits'
ok "$(within 10 nobody_runs "daemon $first_port"; echo $?)" 'is ended'
stop_slugrun TERM
ok "$(within 10 has_folders 0; echo $?)" 'at the end nothing is left in run/'

# --- on the way to the command ---

if [ "$uid" != null ] && strace -o /dev/null true 2>/dev/null; then
	# What looks for leaks must be let in, and does not work under strace.
	sanitizer=${ASAN_OPTIONS:-}
	export ASAN_OPTIONS="$sanitizer:detect_leaks=0"
	# By a filter: all other calls are as quick as ever, for a command has
	# 200 ms of its own.
	strace -f --seccomp-bpf -qq -e trace=prctl,setresuid,fchmodat \
		-e signal=none -o calls -e inject=prctl:delay_exit=10000 \
		-e inject=fchmodat:error=ENOENT "$slugrun" "$app" \
		2>>slugrun.log &
	strace_pid=$!
	within 20 ask GET /
	slugrun_pid=$(pgrep -P "$strace_pid")
	launch "$web"
	touch "$store/removed"
	chmod 644 "$store/removed"
	launch "$web" namespaces false
	like "$out" '"status":"up"' 'a file that goes meanwhile is none to close'
	launch "$(process worker 1 'exit 7')"
	like "$out" 'exited with status 7' 'the time of a slow box is not theirs'
	launch "$(process worker 1 'exit 7')" namespaces false
	like "$out" 'exited with status 7' 'nor where there are no namespaces'
	stop_slugrun TERM
	wait "$strace_pid"
	ASAN_OPTIONS=$sanitizer
	like "$(cat calls)" "setresuid.$uid" "processes become the app's user"
	unlike "$(cat calls)" 'DUMPABLE, (1|SUID_DUMP_USER)' \
		'and never let others of that user look into them'
else
	skip 5 'no users, or no strace'
fi

# --- a kernel that refuses them ---

# No more user namespaces in the one that slugrun is in.
refusing() {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
		echo $$ >"$0" && exec "$@"' "$scratch/refusing.pid" "$@"
}
# The same for a root who has all users, and mounts.
refusing_root() {
	rm -f refusing.go refusing.pid
	mkfifo refusing.go
	unshare -Um --keep-caps sh -c 'echo $$ >refusing.pid; read -r go &&
		exec sh -c "echo 0 >/proc/sys/user/max_user_namespaces &&
			exec \"\$@\"" sh "$@"' sh "$@" <refusing.go &
	exec 7>refusing.go
	within 10 test -s refusing.pid
	for map in uid_map gid_map; do
		echo 0 0 4294967295 >"/proc/$(cat refusing.pid)/$map" || return
	done
	echo go >&7
	exec 7>&-
}
# Who has another user namespace than slugrun or slugd is none it talks to.
peer=
as_peer() {
	nsenter -t "$peer" -U --preserve-credentials "$@"
}
curl() {
	if [ -n "$peer" ]; then
		as_peer curl "$@"
	else
		command curl "$@"
	fi
}
# Once the file has its pid: slugrun, and its peer.
meet() {
	within 20 test -s refusing.pid
	slugrun_pid=$(cat refusing.pid)
	peer=$slugrun_pid
	within 20 ask GET /
}
if refusing true 2>/dev/null; then
	run refusing "$slugrun" fences "$top"
	like "$out" '"namespaces":".*(No space|not permitted)' \
		'slugrun fences has the reason'
	if [ "$uid" != null ] && refusing_root true; then
		wait
		app=$store/apps/third
		mkdir "$app"
		refusing_root "$slugrun" "$app" 2>>"$scratch/slugrun.log"
		meet
		launch "$web"
		like "$out" '"up"' 'refused to root, too'
		without 'with a user of its own'
		stop_slugrun TERM
	else
		skip 13 'no users here'
	fi
	uid=null
	app=$store/apps/other
	mkdir "$app"
	rm -f refusing.pid
	refusing "$slugrun" "$app" 2>>"$scratch/slugrun.log" &
	meet
	launch "$web"
	without 'where the kernel refuses namespaces'
	stop_slugrun TERM
	peer=
else
	skip 25 'no user namespaces here to be refused in'
fi

# --- a kernel that has no room for them ---

# injected ERROR: slugrun, whose mounts fail so.
injected() {
	strace -f --seccomp-bpf -qq -e trace=mount -e signal=none -o calls \
		-e "inject=mount:error=$1" "$slugrun" "$app" 2>>slugrun.log &
	strace_pid=$!
	within 20 ask GET /
	slugrun_pid=$(pgrep -P "$strace_pid")
}
if strace -o /dev/null true 2>/dev/null; then
	sanitizer=${ASAN_OPTIONS:-}
	export ASAN_OPTIONS="$sanitizer:detect_leaks=0"
	app=$store/apps/fourth
	mkdir "$app"
	uid=null
	injected ENOMEM
	launch "$web"
	like "$out" 'cannot mount a new root: Cannot allocate memory' \
		'for want of memory nothing is started without namespaces'
	stop_slugrun TERM
	wait "$strace_pid"
	injected EPERM
	launch "$web"
	like "$(inside 'echo $HOME')" '/run/web.1-[0-9]*/app$' \
		'where it is refused, it is'
	stop_slugrun TERM
	wait "$strace_pid"
	ASAN_OPTIONS=$sanitizer
else
	skip 2 'no strace'
fi
app=$store/apps/fifth
mkdir "$app"
rm -f refusing.pid
if unshare -Ur true 2>/dev/null; then
	unshare -Ur sh -c 'echo $$ >refusing.pid && exec "$@"' sh "$slugrun" \
		"$app" 2>>slugrun.log &
	meet
	launch "$web"
	is "$(inside 'echo $HOME')" /app 'a process with namespaces'
	as_peer sh -c 'echo 0 >/proc/sys/user/max_user_namespaces'
	run ask POST /restart -d '{"name": null}'
	like "$out" 'cannot make namespaces: No space' \
		'what was there once is not done without'
	is "$(inside 'echo $HOME')" /app 'and what runs goes on'
	stop_slugrun TERM
	peer=
else
	skip 3 'no user namespaces'
fi

# --- a full disk ---

uid=null
app=$top/small/slugd/apps/myapp
if mkdir -p "$top/small" &&
	mount -t tmpfs -o size=4m small "$top/small" 2>/dev/null; then
	mkdir -p "$app"
	start_slugrun
	launch "$web"
	like "$out" '"status":"up"' 'on a small disk'
	like "$(inside 'head -c 20000000 /dev/zero >full')" 'No space' 'which it fills'
	like "$(ask GET /)" '"state":"up"' 'slugrun goes on'
	pid=$(pid_of web.1)
	kill -9 "$pid"
	ok "$(within 20 restarted web.1 "$pid"; echo $?)" 'a fresh one starts'
	is "$(inside 'cat a; ls')" "$(cd src && cat a && ls)" \
		'and has an empty disk'
	stop_slugrun TERM
else
	skip 5 'no small disk can be mounted'
fi

# --- slugctl status ---

driver=slugrun
make_dir "" && start_slugd
run slugctl -d "$dir" status
if [ "$(id -u)" -eq 0 ]; then
	like "$out" '^apps: own uid, namespaces, overlay, seccomp' \
		'slugctl status says what is live'
else
	like "$out" '^apps: .*no own uid [(]slugd is not root[)]' \
		'slugctl status says what is live'
fi
stop_slugd
{
	grep -v '^driver' "$dir/slugd.ini" | sed '/^\[launch\]/a driver = slugrun\
own_uid = off\
namespaces = off\
seccomp = off\
cgroups = off'
} >ini && mv ini "$dir/slugd.ini"
start_slugd
run slugctl -d "$dir" status
like "$out" '^apps: no own uid [(]switched off[)], no namespaces [(]switched off[)], no seccomp [(]switched off[)], no ports of their own [(].*[)], no limit of memory [(]switched off[)]$' \
	'and what slugd.ini switches off'
like "$out" "^apps: without namespaces no file is hidden from them, not even slugd's$" \
	'and what that means'

# --- no app is root's ---

make_app
run slugctl -d "$dir" check
if [ "$(id -u)" -eq 0 ]; then
	like "$out" '^slugd.ini: own_uid is off, .* mend with' \
		'root without uids for apps: slugctl check says so'
	run git -C work push heroku master
	like "$err" 'myapp would be root.s: own_uid is off' \
		'and no app is run'
	stop_slugd
	if unshare -Ur true 2>/dev/null; then
		printf '[route]\ndriver = direct\n' >>"$dir/slugd.ini"
		unshare -Ur slugd -d "$dir" 2>>"$scratch/slugd.log" &
		slugd_pid=$!
		peer=$slugd_pid
		within 20 api GET /
		run as_peer git -C work push heroku master
		like "$err" 'v2 deployed' \
			'but by a root who has no other users'
	else
		skip 1 'no user namespaces'
	fi
else
	unlike "$out" own_uid 'not root: check has nothing to say'
	run git -C work push heroku master
	is "$status" 0 'and apps are run'
	skip 1 'not root'
fi
stop_slugd

finish
