# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154,SC2317
# One slugrun by itself, in an app's folder $app of slugd's $store, with a web
# process that runs what it is told; $uid is a user of the test's own, or null.

# shellcheck source=t/lib/slugrun.sh
. "$t/lib/slugrun.sh"
# Not in /tmp, where no process in a box would see it anyway.
top=$(mktemp -d /var/lib/slugd-box.XXXXXX 2>/dev/null) || top=$scratch/box
mkdir -p "$top"
store=$top/slugd
app=$store/apps/myapp

# launch PROCESSES [KEY VALUE]...: the next release, with all fences but
# where a key says something else; $ports and $timeout count where not empty.
version=0
launch() {
	version=$((version + 1))
	launch_processes=$1
	shift
	launch_keys=" $* "
	{
		cat <<-END
		{"app": "myapp", "version": $version, "commit": null,
		 "created_at": 1000000000, "store": "$store", "slug": "$slug",
		 "config": {}, "processes": [$launch_processes],
		 "listen": $first_port, "ports": ${ports:-[$first_port, $last_port]},
		 "timeout": ${timeout:-20}, "grace": 2
		END
		for key in namespaces seccomp cgroups; do
			case $launch_keys in
			*" $key "*) ;;
			*) echo ", \"$key\": true" ;;
			esac
		done
		case $launch_keys in
		*' uid '*) ;;
		*) echo ", \"uid\": $uid" ;;
		esac
		while [ $# -gt 0 ]; do
			echo ", \"$1\": $2"
			shift 2
		done
		echo '}'
	} >"$scratch/launch.json"
	run ask POST /launch -d "@$scratch/launch.json"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# Is there no process with such an argument?
nobody_runs() {
	! pgrep -f "$1" >/dev/null
}

# said TEXT: does a line of the log end so?
said() {
	grep -q -- "$1\$" "$app/log"
}

# What processes wrote: a folder each.
run_folders() {
	find "$app/run" -mindepth 1 -maxdepth 1 -type d | wc -l
}

has_folders() {
	[ "$(run_folders)" -eq "$1" ]
}

# Is there no control group of $app?
no_groups() {
	no_groups=$(printf 'slugrun-%s-%x-' "$(stat -c %D "$app")" \
		"$(stat -c %i "$app")")
	! find /sys/fs/cgroup -name "$no_groups*" | grep -q .
}

# sh in a web process: prints what its standard output and error were.
inside() {
	curl -sS --data-binary "$1" "http://127.0.0.1:$first_port/"
}

# Names, modes, times, sums of what is in the working folder.
listing() {
	find . ! -type d -printf '%p %m %s %T@ %l\n' | sort
	find . -type d -printf '%p\n' | sort
	find . -type f -exec sha256sum {} + | sort
}

# What stored trees have that the slug has not, and the other way round.
touched() {
	(cd src && listing) >"$scratch/packed"
	for tree in "$app"/trees/*/v*; do
		(cd "$tree" && listing) | diff "$scratch/packed" -
	done
}

uid=null
[ "$(id -u)" -ne 0 ] || uid=$((74321 + $$))
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
cp "$t/lib/shell.pl" src/
cat >src/trap.sh <<'END2'
trap 'sleep "$1"; echo "$2 ends"; exit' TERM
echo "$2"
while :; do sleep 0.05; done
END2
cat >src/bomb.sh <<'END2'
exec perl -e 'sleep 1; $| = 1; my $said; $0 = "bomb NAME";
	while (1) { defined fork or ($said++ or print "no fork: $!\n"),
		sleep 1 }'
END2
cat >src/daemon.pl <<'END2'
# Forks twice, in a session of its own.
use POSIX 'setsid';
exit if fork;
setsid;
exit if fork;
open STDOUT, '>', '/dev/null';
open STDERR, '>', '/dev/null';
exec $^X, '-e', 'sleep 600', 'daemon NAME';
END2
# The same, and nothing of the environment is left.
sed 's/^exec/%ENV = (); exec/; s/daemon NAME/stray NAME/' src/daemon.pl >src/stray.pl
# Another test beside this one has them, too.
sed -i "s/NAME/$first_port/" src/bomb.sh src/daemon.pl src/stray.pl
find src ! -type d -exec touch -h -d @1000000000 {} +
tar --zstd -C src -b 1 -cf slug.tar.zst .
head -c 1024 /dev/zero | zstd -q >end.tar.zst
put_slug "$store" $slug slug.tar.zst end.tar.zst
[ "$uid" = null ] || chown -R 0:0 "$top"
web=$(process web 1 'exec perl shell.pl')
