#!/bin/sh
# SPDX-License-Identifier: ISC
# Control groups of version 2, as systemd hands them to a unit with
# Delegate=yes: in a Linux of its own (Debian's user-mode-linux), for those
# of this machine may be of version 1, and are not ours to change.

# shellcheck disable=SC2016 # the other shell expands these
# shellcheck disable=SC2317 # within calls some of the functions
# shellcheck source=t/lib/test.sh
if [ -z "${SLUGD_TEST_INSIDE-}" ]; then
	. "$(dirname "$0")/lib/test.sh"
	uml=$(command -v linux.uml) || skip_all 'no linux.uml'
	[ "$(id -u)" -eq 0 ] || skip_all 'not root'
	timeout -k 5 200 "$uml" root=/dev/root rootfstype=hostfs \
		rootflags=/ ro mem=512M quiet init="$t/${0##*/}" \
		SLUGD_TEST_INSIDE=1 TOP_BUILDDIR="$TOP_BUILDDIR" \
		SLUGD_EXEC_PATH="$SLUGD_EXEC_PATH" \
		PATH="$PATH" HOME=/run TMPDIR=/run \
		con0=fd:0,fd:1 con=null </dev/null >uml.log 2>&1
	tr -d '\r' <uml.log | grep -E '^(ok|not ok|# |1\.\.)'
	grep -q '^1\.\.' uml.log || tail -n 20 uml.log >&2
	exit
fi

# --- inside: process 1 ---

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs run /run
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/box.sh
. "$t/lib/box.sh"
trap 'echo o >/proc/sysrq-trigger; sleep 5' EXIT

groups=/sys/fs/cgroup
unit=$groups/unit
echo '+memory +pids' >$groups/cgroup.subtree_control

# slugrun in the group $1.
start_slugrun_in() {
	mkdir -p "$1"
	(
		echo 0 >"$1/cgroup.procs"
		exec "$slugrun" "$app" 2>>"$scratch/slugrun.log"
	) &
	slugrun_pid=$!
	within 20 ask GET /
}
# Groups of boxes, and what they limit.
limits() {
	for file in "$1"/slugrun-*/"$2"; do
		[ ! -e "$file" ] || cat "$file"
	done
}
no_boxes() {
	[ -z "$(find "$1" -name 'slugrun-*')" ]
}

start_slugrun_in $unit
launch "$web" memory $((64 << 20)) max_processes 40
like "$out" '"status":"up"' 'a process of a unit'
is "$(cut -d : -f 3 "/proc/$slugrun_pid/cgroup")" /unit/slugrun.leaf \
	'slugrun makes room for the groups of others'
like "$(inside 'cat /proc/self/cgroup')" '^0::/unit/slugrun-[^/]*-web\.1-1$' \
	'where the process is'
is "$(limits $unit memory.max) $(limits $unit memory.swap.max) $(
	limits $unit pids.max)" "$((64 << 20)) 0 42" 'and is limited'
is "$(inside 'mkdir /sys/fs/cgroup/x /sys/fs/cgroup/unit/x 2>&1 |
	grep -c cannot')" 2 'it makes no groups of its own'
launch "$web, $(process hog 1 'sleep 0.5; exec perl -e \"\\$x = q(x) x (200 << 20); sleep 600\"')" \
	memory $((64 << 20))
ok "$(within 20 said 'Error R15 (Memory quota vastly exceeded)'; echo $?)" \
	'one that takes too much memory is killed'
is "$(inside 'echo fine')" fine 'its neighbour is not'
launch "$web, $(process bomb 1 'exec sh bomb.sh')" max_processes 40 \
	namespaces false
ok "$(within 30 said 'app.bomb.1.: .*fork.*'; echo $?)" \
	'one that forks without end has an end of that'
launch "$web, $(process worker 1 'perl daemon.pl; exec sleep 6002')" \
	namespaces false
ok "$(within 20 pgrep -f "daemon $first_port" >/dev/null; echo $?)" \
	'a daemon without namespaces'
launch "$web"
ok "$(within 20 nobody_runs "daemon $first_port"; echo $?)" \
	'is found by its group'
kill -9 "$slugrun_pid"
wait "$slugrun_pid" 2>/dev/null
start_slugrun_in $unit/slugrun.leaf
launch "$web"
like "$out" '"status":"up"' 'a slugrun where another was killed'
ok "$(within 20 test "$(limits $unit pids.max | wc -l)" -eq 1; echo $?)" \
	'has one group'
stop_slugrun TERM
ok "$(within 20 no_boxes $unit; echo $?)" 'and at the end none'

# --- groups that are not slugrun's alone ---

mkdir $groups/session
sleep 600 &
echo $! >$groups/session/cgroup.procs
start_slugrun_in $groups/session
launch "$web" memory $((64 << 20))
like "$(inside 'cat /proc/self/cgroup')" '^0::/session(/slugrun\.[^/]*)?$' \
	'where slugrun is not alone nothing is limited'
is "$(cat $groups/session/cgroup.subtree_control)" '' 'and nothing changed'
stop_slugrun TERM
is "$(find $groups/session -mindepth 1 -type d)" '' 'no group is left'
start_slugrun_in $groups
launch "$web" memory $((64 << 20))
like "$(inside 'cat /proc/self/cgroup')" '^0::/(slugrun\.[^/]*/)?slugrun-[^/]*-web\.1-[0-9]*$' \
	'at the root anybody may'
run "$slugrun" fences "$top"
like "$out" '"cgroups":"v2 memory pids"' 'slugrun fences says so'
stop_slugrun TERM
finish
