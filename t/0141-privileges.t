#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd is started as root on a folder of another account: what reads pushes
# runs as that account, boxes are made by root, and apps have their own uids.
# shellcheck disable=SC2016,SC2030,SC2031 # text for other shells
. "$(dirname "$0")/lib/test.sh"

[ "$(id -u)" -eq 0 ] || skip_all 'only root gives root up'
setpriv --reuid 54321 --clear-groups true 2>/dev/null ||
	skip_all 'no other uids are to be had'
owner=54321
chmod 711 "$scratch"
mkdir -p "$scratch/home" "$scratch/bin"
chown 54321 "$scratch/home"

# As the account that owns the folder.
as() {
	setpriv --reuid "$owner" --regid "$owner" --clear-groups \
		env HOME="$scratch/home" "$@"
}

# Each helper notes as whom it starts; slugunpack becomes the app's user.
for program in "$SLUGD_EXEC_PATH"/*; do
	ln -s "$program" "$scratch/bin/"
done
: >"$scratch/who"
chmod 666 "$scratch/who"
for program in slugpack slugrun; do
	rm "$scratch/bin/$program"
	cat >"$scratch/bin/$program" <<-END
		#!/bin/sh
		echo "$program \$(id -u)" >>$scratch/who
		exec $SLUGD_EXEC_PATH/$program "\$@"
	END
	chmod 755 "$scratch/bin/$program"
done
SLUGD_EXEC_PATH=$scratch/bin

# pids_of COMM PARENT: the descendants of PARENT that are called so.
pids_of() {
	for status in /proc/[0-9]*/status; do
		awk -v comm="$1" '$1 == "Name:" { name = $2 }
			$1 == "Pid:" { pid = $2 } $1 == "PPid:" { up = $2 }
			END { if (name == comm) print pid, up }' \
			"$status" 2>/dev/null
	done | while read -r pid up; do
		while [ "$up" -gt 1 ] && [ "$up" -ne "$2" ]; do
			up=$(awk '$1 == "PPid:" { print $2 }' \
				"/proc/$up/status" 2>/dev/null)
			: "${up:=0}"
		done
		[ "$up" -ne "$2" ] || echo "$pid"
	done
}

# status_of PID FIELD: the rest of that line of /proc/PID/status.
status_of() {
	awk -v field="$2:" '$1 == field { $1 = ""; print substr($0, 2) }' \
		"/proc/$1/status"
}

uids_of() {
	status_of "$1" Uid
}

# Every program below slugd that is called git or reads what was pushed, with
# its effective uid, for as long as it is let.
watch() {
	perl -e '
		$| = 1;
		my $top = shift;
		my %seen;
		while (-d "/proc/$top") {
			my (%up, %line);
			for my $f (glob("/proc/[0-9]*/status")) {
				open(my $h, "<", $f) or next;
				local $/;
				my $t = <$h> // next;
				my ($n) = $t =~ /^Name:\t(.*)/m or next;
				my ($p) = $t =~ /^Pid:\t(\d+)/m or next;
				my ($q) = $t =~ /^PPid:\t(\d+)/m or next;
				my ($u) = $t =~ /^Uid:\t\d+\t(\d+)/m or next;
				$up{$p} = $q;
				$line{$p} = "$n $u" if $n =~ /^(git|slugpack)/;
			}
			for my $p (keys %line) {
				my $q = $p;
				$q = $up{$q} while $q && $q != $top;
				print "$line{$p}\n"
					if $q && !$seen{$line{$p}}++;
			}
		}' "$1" >"$scratch/watched" &
	watcher=$!
}

driver=slugrun
launch='timeout = 20\ngrace = 2\n'
make_dir
chown -R "$owner:$owner" "$dir"
chmod 700 "$dir"
start_slugd || exit 1
watch "$slugd_pid"
is "$(cat "/proc/$slugd_pid/comm")" slugd-parent 'the parent is its own program'
is "$(uids_of "$slugd_pid")" '0 0 0 0' 'which stays root'
child=$(pids_of slugd "$slugd_pid")
is "$(uids_of "$child")" "$owner $owner $owner $owner" 'slugd is the account'
is "$(status_of "$child" Groups)" '' 'without a group of root'
is "$(status_of "$child" CapPrm) $(status_of "$child" CapAmb)" \
	'0000000000000000 0000000000000000' 'without a capability'
is "$(status_of "$child" NoNewPrivs)" 1 'and gets none'
chmod 711 "$dir"
chmod 666 "$dir/slugd.sock"
like "$(setpriv --reuid 70001 --regid 70001 --clear-groups \
	curl -sS --unix-socket "$dir/slugd.sock" http://slugd/apps)" \
	'an app has no access here' 'who has a uid of apps has no access'
chmod 660 "$dir/slugd.sock"
chmod 700 "$dir"

mkfifo -m 666 "$scratch/hold"
repo=$(as slugctl -d "$dir" init myapp)
is "$(stat -c %u "$repo")" "$owner" 'a new repository is the account'\''s'
as sh -c 'cd "$HOME" && git init -q -b master work && cd work &&
	printf "web: exec perl server.pl\n" >Procfile && echo one >index.html &&
	cp "$1" . && git add . && git commit -q -m "A first page" &&
	git remote add heroku "$2"' - "$t/lib/server.pl" "$repo"
cd "$scratch/home/work" || exit 1
run as git push heroku master
is "$status" 0 'a push goes through'
like "$err" 'v2 deployed to Heroku' 'and makes v2'
like "$(cat "$scratch/who")" "^slugpack $owner\$" 'slugpack ran as the account'
unlike "$(cat "$scratch/who")" '^slugpack 0$' 'and not as root'
like "$(cat "$scratch/who")" '^slugrun 0$' 'slugrun is root'
run api GET /apps/myapp/dynos
like "$out" '"up"' 'its web process is up'
is "$(stat -c '%u %a' "$dir/apps/myapp")" '0 755' \
	'root alone writes into the app'\''s folder'
is "$(stat -c '%u %a' "$dir/apps/myapp/slugrun.sock")" "$owner 600" \
	'slugrun'\''s socket is for the account alone'
is "$(stat -c %u "$dir/apps/myapp/log")" "$owner" 'and so is the log'

slugrun=$(pids_of slugrun "$slugd_pid")
web=$(pids_of perl "$slugd_pid")
is "$(uids_of "$web")" '70000 70000 70000 70000' 'the app has its own uid'
is "$(status_of "$web" CapPrm)" 0000000000000000 'and no capability'

run as git heroku run 'id -u'
is "$out" 70000 'so has what git heroku run starts'

as sh -c 'echo two >index.html && git add . && git commit -q -m Two && git push -q heroku HEAD:refs/heads/two'
run as git heroku deploy two
is "$status" 0 'a commit that was pushed before is built'
run as git heroku rollback v2
is "$status" 0 'a rollback works'
kill "$watcher"
wait "$watcher" 2>/dev/null
like "$(cat "$scratch/watched")" "^git $owner\$" 'git ran as the account'
unlike "$(cat "$scratch/watched")" ' 0$' 'nothing that reads a push was root'

kill -KILL "$child"
wait "$slugd_pid" 2>/dev/null
is $? 137 'the parent ends as slugd ends'
ok "$(kill -0 "$slugrun"; echo $?)" 'slugrun goes on'
start_slugd || exit 1
run as git heroku run 'id -u'
is "$out" 70000 'a slugd that is started again finds it'
is "$(pids_of slugd "$slugd_pid" | wc -l)" 1 'there is one slugd again'

# An account that is not its own master any more: what it may ask of root.
run as curl -sS --unix-socket "$dir/apps/myapp/slugrun.sock" \
	-H 'Content-Type: application/json' -X POST http://slugrun/launch \
	-d '{"uid":0}'
unlike "$out" '"version"' 'slugrun runs nothing as root'

stop_slugd TERM
within 10 sh -c "! kill -0 $slugrun"
ok $? \
	'SIGTERM to the parent ends slugd and its apps'

# One that is made, for an account that there is; nobody has a name.
cd "$scratch" || exit 1
mkdir -m 755 parent
nobody=$(id -u nobody 2>/dev/null)
if [ -n "$nobody" ]; then
	printf '[launch]\ndriver = none\n' >none.ini
	chmod 644 none.ini
	slugd -d "$scratch/parent/made" -u nobody -c "$scratch/none.ini" \
		2>made.log &
	made=$!
	within 20 curl -sS --unix-socket parent/made/slugd.sock http://slugd/
	[ -S parent/made/slugd.sock ] || diag "$(cat made.log)"
	ok $? 'slugd -u ACCOUNT makes the folder, and runs'
	is "$(stat -c %u parent/made parent/made/ledger.db | sort -u)" "$nobody" \
		'as that account'
	kill "$made"
	wait "$made" 2>/dev/null
else
	skip 2 'no account nobody'
fi

run slugd -d "$dir" -u root
is "$status" 1 'another account than the folder'\''s is refused'
like "$err" "belongs to uid $owner, not to root: chown -R" 'in words'
finish
