#!/bin/sh
# SPDX-License-Identifier: ISC
# What nobody asked for, but is to be: apps that come back after a reboot,
# after HAProxy, and after the end of their slugrun.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
# shellcheck source=t/lib/launch.sh
. "$t/lib/launch.sh"
PATH=$PATH:/usr/sbin
export PATH

own_exec_path
driver=slugrun
launch='timeout = 20\ngrace = 1\n'
make_dir

log=$scratch/slugd.log
page() {
	curl -fsS -m 5 "$url" >"$scratch/page" && head -n 1 "$scratch/page"
}
no_page() {
	! page
}
# logged REGEXP [N]: is it in slugd's log, so often at least?
logged() {
	[ "$(grep -c -e "$1" "$log")" -ge "${2:-1}" ]
}
runs() {
	slugrun | grep -q "\"version\":$1}"
}
# set_config JSON: a release, which is not waited for.
set_config() {
	api PATCH /apps/myapp/config-vars -d "$1" >/dev/null
}
# The app's slugrun, by its own pid.
slugrun_pid() {
	pgrep -o -f "slugrun $dir/apps/myapp\$"
}
# The machine goes down: slugd, slugrun and HAProxy at once.
crash() {
	stop_slugd KILL
	pid=$(slugrun_pid) && kill -KILL "$pid"
	pid=$(cat "$dir/haproxy.pid" 2>/dev/null) && kill -KILL "$pid"
	within 20 no_page
}
# push WORDS
push() {
	echo "$1" >index.html
	git add index.html
	commit "$1"
	git push -q heroku master 2>"$scratch/push.err"
}

# A HAProxy that may be made to fail, or to hang.
real=$(command -v haproxy)
if [ -n "$real" ]; then
	cat >"$scratch/haproxy" <<END
#!/bin/sh
case \$1 in -v) exec "$real" -v ;; esac
if [ -e "$scratch/hangs" ]; then
	exec sleep 600
elif [ -e "$scratch/fails" ]; then
	echo '[ALERT]    (1) : it was told to fail' >&2
	exit 1
fi
exec "$real" "\$@"
END
	chmod +x "$scratch/haproxy"
	export SLUGD_HAPROXY="$scratch/haproxy"
fi
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
url=http://127.0.0.1:$(api GET /apps/myapp |
	grep -o '127.0.0.1:[0-9]*' | cut -d : -f 2)/
push first
is "$(page)" first 'an app'

# --- HAProxy does not start after a reboot

if [ -n "$real" ]; then
	for how in hangs fails; do
		crash
		: >"$log"
		: >"$scratch/$how"
		start_slugd || exit 1
		within 20 logged 'v2 was not launched again: HAProxy does not'
		ok $? "HAProxy $how after a reboot: its app is not launched"
		rm "$scratch/$how"
		within 30 page
		is "$(page)" first 'it comes when HAProxy does'
		[ "$how" = fails ] ||
			like "$(cat "$log")" 'does not start within 10 seconds' \
				'for which slugd does not wait for ever'
	done
	is "$(newest version)" 2 'that makes no release'
else
	skip 6 'no haproxy'
fi

# --- what cannot be launched after a reboot

lose() {
	crash
	: >"$log"
	mv "$dir/slugs" "$dir/slugs.away" && mkdir "$dir/slugs"
	start_slugd || exit 1
	within 20 logged 'v[0-9]* was not launched again: .*; next try in 1 s'
}
find_again() {
	mv "$dir/slugs.away/"* "$dir/slugs/" && rmdir "$dir/slugs.away"
}

lose
ok $? 'a release that cannot be launched after a reboot'
within 20 logged 'v2 was not launched again: .*; next try in 4 s'
ok $? 'is tried again, after longer and longer pauses'
find_again
within 20 page
is "$(page) $(newest version) $(status_of v2)" 'first 2 succeeded' \
	'until it runs, as the release that it is'

lose
push second
is "$(page)" second 'a newer release is pushed meanwhile'
tries=$(grep -c 'myapp: trying to bring it back' "$log")
within 20 logged 'myapp: trying to bring it back' $((tries + 1))
# Behind that, in the same lane.
api PATCH /apps/myapp/formation/web -d '{"quantity": 1}' >/dev/null
ok "$(runs 3; echo $?)" 'the attempt that was due leaves it alone'
find_again

lose
hold reference-transaction prepared
push third &
pusher=$!
held reference-transaction
tries=$(grep -c 'myapp: trying to bring it back' "$log")
find_again
within 20 logged 'myapp: trying to bring it back' $((tries + 1))
let_go reference-transaction
wait $pusher
is "$? $(page)" '0 third' 'so it does a trial that waits for its ref'
is "$(grep -c 'launching v[34]' "$log")" 0 \
	'which is not launched a second time'

# --- a release that was pending

hold slugrun-box exec
set_config '{"PERL5OPT": "-MNo::Such"}'
held slugrun-box
is "$(status_of v5)" pending 'a reboot during a launch'
crash
let_go slugrun-box
start_slugd || exit 1
within 20 has_status v5 failed
ok $? 'after which it fails'
within 20 page
is "$(page)" third 'brings back the release before'
ok "$(runs 4; echo $?)" 'by its number'

# --- a slugrun that is killed, and a newer release

# Stopped, it holds up a scaling, which holds up the next release.
old=$(slugrun_pid)
kill -STOP "$old"
hold slugrun
: >"$log"
api PATCH /apps/myapp/formation/web -d '{"quantity": 2}' >"$scratch/out" &
scaler=$!
within 20 logged 'scaled to web@2'
set_config '{"PERL5OPT": null, "MYVAR": "new"}'
is "$(status_of v6)" pending 'a newer release waits for its launch'
kill -KILL "$old"
held slugrun
within 20 logged 'its slugrun was killed'
ok $? 'when the slugrun of the one before is killed'
let_go slugrun
wait $scaler
within 20 has_status v6 succeeded
# Behind the attempt to bring back the one before.
api PATCH /apps/myapp/formation/web -d '{"quantity": 1}' >/dev/null
is "$(grep -c 'launching v4' "$log")" 0 'that one is not launched again'
ok "$(runs 6; echo $?)" 'the newer one is'
like "$(page && cat "$scratch/page")" 'MYVAR=new' 'and answers'
is_sound 'after all this'

[ "$failures" -eq 0 ] || diag "$(tail -n 60 "$log")"
finish
