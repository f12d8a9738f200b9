# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154
# A machine with systemd as process 1, in namespaces of this one: see
# machine-root for what it has of this one.
machine_pid=
machine_groups=

# Where the process is in each hierarchy of cgroups, as a folder a line.
machine_cgroups() {
	sed -E 's,^[0-9]+:(name=)?([^:]*):,\2 ,' /proc/self/cgroup |
		while read -r machine_name machine_path; do
			case $machine_name in
			/*) machine_at=/sys/fs/cgroup/unified$machine_name ;;
			*) machine_at=/sys/fs/cgroup/$machine_name$machine_path ;;
			esac
			[ ! -d "$machine_at" ] || echo "${machine_at%/}"
		done
}

# machine_lacks: why there can be none here; nothing where there can be.
machine_lacks() {
	if [ "$(id -u)" -ne 0 ]; then
		echo 'not root'
	elif [ ! -x /lib/systemd/systemd ] || ! command -v nsenter >/dev/null; then
		echo 'systemd is not installed'
	elif [ ! -d /sys/fs/cgroup/systemd ]; then
		echo 'cgroups are not of version 1'
	elif ! unshare --mount --pid --fork --cgroup --net --uts --ipc true \
		2>/dev/null; then
		echo 'no namespaces'
	fi
}

# machine_start INSTALLED: boot it, with the files of that folder.
machine_start() {
	mkdir -p "$scratch/machine"
	machine_groups=$(machine_cgroups)
	for machine_at in $machine_groups; do
		mkdir "$machine_at/slugd-test-$$" || return 1
		[ ! -e "$machine_at/cpuset.cpus" ] || {
			cat "$machine_at/cpuset.cpus" \
				>"$machine_at/slugd-test-$$/cpuset.cpus"
			cat "$machine_at/cpuset.mems" \
				>"$machine_at/slugd-test-$$/cpuset.mems"
		}
	done
	# It enters its groups, and then sees nothing above them; it ends with
	# the test, however that does.
	(
		for machine_at in $machine_groups; do
			echo 0 >"$machine_at/slugd-test-$$/cgroup.procs" ||
				exit 1
		done
		exec setpriv --pdeathsig KILL \
			unshare --mount --pid --fork --ipc --uts --net --cgroup \
			--kill-child "$t/lib/machine-root" \
			"$scratch/machine" "$1" /lib/systemd/systemd \
			--unit=machine.target --log-target=null
	) >"$scratch/machine.log" 2>&1 &
	machine_pid=$!
	within 60 machine systemctl is-active machine.target || {
		diag "$(cat "$scratch/machine.log")"
		return 1
	}
	# A /proc that is all there is what processes need for one of theirs.
	machine umount /proc/sys
}

# machine COMMAND...: run it there.
machine() {
	nsenter -t "$(pgrep -P "$machine_pid")" -a env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root "$@"
}

machine_end() {
	[ -z "$machine_pid" ] || kill -KILL "$machine_pid" 2>/dev/null
	wait "$machine_pid" 2>/dev/null
	for machine_at in $machine_groups; do
		# Processes go a moment after they are killed.
		within 20 machine_leave "$machine_at/slugd-test-$$"
	done
}

machine_leave() {
	find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$1" ]
}
