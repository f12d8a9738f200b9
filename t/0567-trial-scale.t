#!/bin/sh
# SPDX-License-Identifier: ISC
# What changes of an app's processes beside releases: between a push's trial
# and its release, and by slugd.ini.
# shellcheck disable=SC2016,SC2317 # of the app's shell; within calls some
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
# shellcheck source=t/lib/launch.sh
. "$t/lib/launch.sh"

own_exec_path
driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
printf 'web: exec perl server.pl\nrelease: echo migrates\n' >Procfile
echo 'clock: echo "files $(ulimit -n)"; exec sleep 600' >>Procfile
git add Procfile
commit first
run git push heroku master
is "$status" 0 'an app'

# between NAME COMMAND...: it is begun between trial and release of a push; a
# scaling waits for the latter.
between() {
	between=$1
	shift
	: >"$scratch/slugd.log"
	hold reference-transaction prepared
	commit "$between"
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	held reference-transaction
	"$@" >"$scratch/change.out" 2>&1 </dev/null &
	changer=$!
	case $* in
	*ps:scale*) within 20 grep -q Waiting: "$scratch/change.out" ;;
	esac
	let_go reference-transaction
	wait $pusher
	pushed=$?
	wait $changer
	is "$pushed $?" '0 0' "$between, between a trial and its release"
	is "$(grep -cE '(trying|launching) v' "$scratch/slugd.log")" 1 \
		'is no launch of its own'
	is "$(grep -c "app.release.1.: migrates" "$dir/apps/myapp/log")" \
		"$((commits))" 'and no other run of the release command'
	like "$(slugrun)" "\"version\":$(newest version)[,}]" 'it runs'
}
for how in clock=1 web=2 'web=0 clock=0' web=1; do
	# shellcheck disable=SC2086 # there may be two
	between "ps:scale $how" git heroku ps:scale $how
done
between ps:restart git heroku ps:restart
between ps:stop git heroku ps:stop web

# --- slugd.ini is another one

# files N: the newest clock has so many.
files() {
	grep -o 'files [0-9]*$' "$dir/apps/myapp/log" | tail -n 1 |
		grep -qx "files $1"
}
read_again() {
	[ "$(grep -c 'configuration was read again' "$scratch/slugd.log")" \
		-gt "$reads" ]
}
# limit N: as slugd.ini has it from now on.
limit() {
	sed -i "/^files/d; s/^ports = .*/&\nfiles = $1/" "$dir/slugd.ini"
	reads=$(grep -c 'configuration was read again' "$scratch/slugd.log")
	kill -HUP "$slugd_pid"
	within 20 read_again
}
git heroku ps:scale clock=1 >../out
within 20 files 10000
limit 100
git heroku ps:restart clock >../out
ok "$(within 20 files 100; echo $?)" \
	'what slugd.ini limits, ps:restart does, too'
is "$(newest version)" "$((commits + 1))" 'which makes no release'
limit 101
git heroku ps:scale clock=0 >../out
git heroku ps:scale clock=1 >../out
ok "$(within 20 files 100; echo $?)" 'a process more is held as the others'
between 'another slugd.ini' limit 102
ok "$(within 20 files 102; echo $?)" 'which the release goes by'
[ "$failures" -eq 0 ] || diag "$(tail -n 40 "$scratch/slugd.log")"
finish
