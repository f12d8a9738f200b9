#!/bin/sh
# SPDX-License-Identifier: ISC
# Which release is launched, when several are there, when slugd is killed or
# ended meanwhile, and when slugrun does not answer.
# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/launch.sh
. "$t/lib/launch.sh"

driver=slugrun
launch='timeout = 16\ngrace = 1\ntrial = off\nnamespaces = off\n'
# The app sees a file in it.
chmod 711 "$scratch"
make_dir
(
	# Of the caller: none of it is the app's.
	umask 027
	exec slugd -d "$dir" 2>>slugd.log 7>caller.txt
) &
slugd_pid=$!
within 20 api GET / || exit 1
make_app
# The app waits for the file that GATE names.
cat >work/Procfile <<'EOT'
web: until [ -e "${GATE:-/}" ]; do sleep 0.05; done; exec perl server.pl
EOT
git -C work commit -q -a -m 'A gate'

# What slugrun runs.
runs() {
	slugrun | grep -q "\"version\":$1[,}]"
}
# The process of the app's web.
web_pid() {
	slugrun | grep -o '"pid":[0-9]*' | head -1 | cut -d : -f 2
}
newest() {
	api GET /apps/myapp/releases -H 'Range: version ..; order=desc,max=1' |
		grep -o '"version":[0-9]*' | cut -d : -f 2
}
# The log of slugd and slugrun.
launches() {
	grep -o 'launching v[0-9]*' slugd.log | cut -d v -f 2
}
logged() {
	grep -q -e "$1" slugd.log
}
# set_var JSON: config:set, which answers before the launch.
set_var() {
	api PATCH /apps/myapp/config-vars -d "$1" >/dev/null
}
new_log() {
	: >slugd.log
}

run git -C work push heroku master
like "$err" 'done, v2 deployed' 'an app runs'

# --- what an app has from slugd's caller ---

pid=$(web_pid)
ok "$([ "$(readlink "/proc/$slugd_pid/fd/7")" = "$scratch/caller.txt" ]
	echo $?)" 'slugd was given a descriptor'
unlike "$(ls -l "/proc/$pid/fd")" 'caller\.txt' 'which the app has not'
unlike "$(ls -l "/proc/$pid/fd")" '/(ledger|slugd\.)' 'nor any of slugd'
is "$(sed -n 's/^Umask:[^0-9]*//p' "/proc/$pid/status")" 0022 \
	'its umask is the usual one, whoever starts slugd'
stop_slugd
if strace -o /dev/null true 2>/dev/null; then
	new_log
	(
		umask 027
		# Its search for leaks does not work under strace.
		ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
		export ASAN_OPTIONS
		exec strace -f -qq -o /dev/null -e trace=bind \
			-e inject=bind:delay_enter=500000 \
			slugd -d "$dir" 2>>slugd.log
	) &
	strace_pid=$!
	within 20 logged 'launching v2'
	within 20 runs 2
	pid=$(web_pid)
	is "$(sed -n 's/^Umask:[^0-9]*//p' "/proc/$pid/status")" 0022 \
		'also while slugd starts'
	within 20 api GET /
	slugctl -d "$dir" stop >/dev/null
	wait $strace_pid
else
	skip 1 'strace cannot trace here'
fi

# --- the order is that of the ledger ---

start_slugd
within 20 runs 2
new_log
for i in 1 2; do
	api POST /apps/myapp/addons -d '{"plan":"memcachier"}' >/dev/null &
	create_pid=$!
	set_var "{\"MYVAR\":\"$i\"}"
	wait $create_pid
	api DELETE /apps/myapp/addons/memcachier >/dev/null &
	create_pid=$!
	set_var "{\"MYVAR\":\"again $i\"}"
	wait $create_pid
done
last=$(newest)
is "$last" 10 'add-ons and config vars, at the same time'
within 60 runs "$last"
ok $? 'the newest release runs in the end'
is "$(launches)" "$(launches | sort -n -u)" \
	'each was launched once at most, in their order'
is "$(launches | tail -n 1)" "$last" 'the newest one last'

# --- killed during a launch ---

gate=$scratch/gate11
set_var "{\"GATE\":\"$gate\"}"
within 20 logged 'launching v11'
stop_slugd KILL
start_slugd
is "$(status_of 11)" pending 'kill -9 during a launch'
stop_slugd
within 20 logged 'ending: signal 15'
new_log
start_slugd
is "$(status_of 11)" pending 'then SIGTERM: it is pending, not failed'
touch "$gate"
within 30 has_status 11 succeeded
ok $? 'and is launched at the next start'
within 20 runs 11
ok $? 'so it runs'
set_var '{"GATE":null}'
within 30 has_status 12 succeeded

gate=$scratch/gate13
new_log
set_var "{\"GATE\":\"$gate\"}"
within 20 logged 'launching v13'
stop_slugd KILL
touch "$gate"
within 20 runs 13
start_slugd
within 30 has_status 13 succeeded
ok $? 'a launch that ends well without slugd is known to the next one'
is "$(launches)" 13 'and not done again'
set_var '{"GATE":null}'
within 30 has_status 14 succeeded

# --- killed between the ref and the release ---

hooks=$dir/repos/myapp.git/slugd.hooks
mkdir kept
mv "$hooks/reference-transaction.idle" "$hooks/post-receive" kept/
cat >"$hooks/reference-transaction.idle" <<EOT
#!/bin/sh
[ "\$1" != committed ] || kill -9 $slugd_pid
EOT
chmod +x "$hooks/reference-transaction.idle"
git -C work commit -q --allow-empty -m 'Again'
git -C work push -q heroku master 2>/dev/null
wait $slugd_pid 2>/dev/null
rm "$hooks"/reference-transaction*
mv kept/* "$hooks/"
new_log
start_slugd
within 30 has_status 15 succeeded
ok $? 'a push that is settled by a start is launched'
within 20 runs 15
ok $? 'and runs'
# A launch after it shows that none is on its way.
set_var '{"MYVAR":"after"}'
within 30 has_status 16 succeeded
is "$(launches)" '15
16' 'once, and the one before not at all'

# --- ended during a launch ---

gate=$scratch/gate17
set_var "{\"GATE\":\"$gate\"}"
within 20 logged 'launching v17'
git -C work commit -q --allow-empty -m 'And again'
# A line that is not complete yet is shown by nothing but this.
GIT_TRACE_PACKET=$scratch/packets git -C work push heroku master \
	>push.out 2>&1 &
push_pid=$!
within 20 grep -q Launching packets && within 20 logged 'settled as v18'
ok $? 'a push waits for its launch'
kill -TERM "$slugd_pid"
within 20 logged 'ending: signal 15'
touch "$gate"
wait "$slugd_pid"
slugd_pid=
wait $push_pid
out=$(cat push.out)
like "$out" 'Launching\.\.\. not yet, v18' 'a push that is cut says so'
like "$out" 'slugd is stopping; it launches the release when' 'and what next'
unlike "$out" 'done, v18|deployed' 'and not that it was deployed'
start_slugd
within 30 has_status 18 succeeded
ok $? 'which comes about'
set_var '{"GATE":null}'
within 30 has_status 19 succeeded

# --- no folder for the output ---

rm -rf "$dir/log"
set_var '{"MYVAR":"no log"}'
within 30 has_status 20 succeeded
ok $? 'a launch that has no place for its output is one'
set_var '{"GATE":"/dev/null/none"}'
within 20 logged 'launching v21'
kill -0 "$slugd_pid"
ok $? 'and slugd lives'
stop_slugd KILL
within 40 logged 'v21 failed' # slugrun gives up by itself
mkdir -p "$dir/log"

sed 's/^timeout = .*/timeout = 5/' "$dir/slugd.ini" >ini && mv ini "$dir/slugd.ini"
rm -rf "$dir/log"
start_slugd
within 30 has_status 21 failed
ok $? 'a launch that fails is recorded, without its output, too'
kill -0 "$slugd_pid"
ok $? 'and slugd lives on'

# --- slugrun stands still ---

slugrun_pid=$(pgrep -o -f "slugrun $dir/apps/myapp\$")
kill -STOP "$slugrun_pid"
set_var '{"MYVAR":"stuck"}'
ok "$(api GET /apps/myapp -m 5 >/dev/null; echo $?)" \
	'slugrun that is stopped: slugd answers'
run slugctl -d "$dir" init another
is "$status" 0 'makes another app'
kill -CONT "$slugrun_pid"

finish
