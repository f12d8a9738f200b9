#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd's units under a systemd that is process 1 of a machine of its own:
# apps go on while slugd is started anew, and come back where they are killed.
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/machine.sh
. "$t/lib/machine.sh"

lacks=$(machine_lacks)
[ -z "$lacks" ] || skip_all "$lacks"

# What is installed there: slugd, with its units where systemd looks first.
installed=$scratch/installed
run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	make -s -C "$TOP_BUILDDIR" install DESTDIR="$installed"
is "$status" 0 'make install'
bin=$(sed -n 's,^ExecStart=\(.*\)/sbin/slugd .*,\1/bin,p' \
	"$TOP_BUILDDIR/contrib/systemd/slugd.service")
like "$(find "$installed" -name '*.service')" \
	"${bin%/bin}/lib/systemd/system/slugrun@.service" \
	'puts the units where systemd finds them'
[ "$status" -eq 0 ] || finish
mkdir -p "$installed/etc/slugd" "$installed/srv/work"
printf '[launch]\ngrace = 2\n' >"$installed/etc/slugd/slugd.ini"
(
	cd "$installed/srv/work" || exit 1
	git init -q -b master
	echo hello >index.html
	echo 'web: exec perl server.pl' >Procfile
	cp "$t/lib/server.pl" .
	git add . && git commit -q -m 'A first page'
)

trap 'machine_end; end_test' EXIT
machine_start "$installed" || finish
machine systemctl enable -q --now slugd
is "$(machine systemctl is-active slugd)" active 'slugd starts'
ctl() {
	machine "$bin/slugctl" -d /var/lib/slugd "$@"
}
repo=$(ctl init myapp)
is "$(machine git -C "$repo" config slugd.socket)" /run/slugd/slugd.sock \
	'an app is told of its socket'
run machine git -C /srv/work push "$repo" master
like "$err" 'v2 deployed to Heroku' 'and can be pushed to'
url=$(printf '%s\n' "$err" | sed -n 's/.*\(http:[^ ]*\).*/\1/p')
answers() {
	machine curl -sSf "$url"
}
like "$(answers)" hello 'it answers'

# --- a unit of its own
unit=slugrun@myapp.service
pid() {
	machine systemctl show -P MainPID "$1"
}
is "$(machine systemctl is-active $unit)" active 'its slugrun is a unit'
is "$(machine systemctl show -p KillMode -p Delegate -p Restart $unit |
	sort | xargs)" 'Delegate=yes KillMode=mixed Restart=on-failure' \
	'with its own way to end'
slugrun=$(pid $unit)
like "$(machine cat "/proc/$slugrun/cgroup")" \
	"name=systemd:/system.slice/.*/?$unit" 'in a cgroup of its own'
server=$(machine pgrep -f 'perl server.pl' | head -n 1)
like "$(machine cat "/proc/$server/cgroup")" "pids:.*/$unit/." \
	'as are its processes, each with its limits below that'
status_of=$(machine cat "/proc/$server/status")
like "$status_of" '^NoNewPrivs:.*1' 'which get no rights'
unlike "$status_of" '^Uid:.*[[:space:]]0([[:space:]]|$)' 'and are not root'
isnt "$(machine readlink "/proc/$server/ns/mnt")" \
	"$(machine readlink "/proc/$slugrun/ns/mnt")" \
	'with files of their own, behind all fences of the unit'
in_journal() {
	machine journalctl -q -u $unit -t myapp "$@" -o cat | grep .
}
within 20 in_journal DYNO=web.1 SLUGD_SOURCE=app
is "$(in_journal DYNO=web.1 SLUGD_SOURCE=app | head -n 1)" listening \
	'the journal has what they say'

# --- slugd is started anew
# shellcheck disable=SC2016 # for the other shell
machine sh -c 'while :; do
	curl -sSf -m 5 "$0" >/dev/null 2>>/tmp/failed || echo failed >>/tmp/failed
	echo >>/tmp/asked
done' "$url" &
client=$!
# shellcheck disable=SC2317 # within calls it
asked() {
	[ "$(machine cat /tmp/asked | wc -l)" -gt "$1" ]
}
within 20 asked 20
slugd=$(pid slugd)
machine systemctl restart slugd
isnt "$(pid slugd)" "$slugd" 'slugd is started anew'
is "$(pid $unit)" "$slugrun" 'the slugrun stays'
within 20 asked "$(($(machine cat /tmp/asked | wc -l) + 20))"
kill "$client"
is "$(machine cat /tmp/failed 2>&1 | grep -v 'No such file')" '' \
	'the app answered all the time'
run machine env SLUGD_DIR=/var/lib/slugd "$bin/git-heroku" config:set A=1 \
	--app myapp
is "$status $(printf '%s' "$out" | tail -n 1 | grep -o 'done, v3')" \
	'0 done, v3' 'and slugd has found its slugrun again'

# --- slugrun is killed
machine systemctl kill -s KILL $unit
# shellcheck disable=SC2317,SC2086 # within calls it
up_again() {
	[ "$(pid $unit)" -ne 0 ] && [ "$(pid $unit)" -ne "$slugrun" ] && answers
}
within 30 up_again
ok $? 'a slugrun that is killed is started again, with the app'

# --- stopped
machine systemctl stop slugd
like "$(answers)" hello 'the app goes on where slugd is stopped'
machine systemctl stop $unit
answers 2>/dev/null
isnt $? 0 'and ends with its unit'
is "$(machine systemctl is-failed $unit) $(machine pgrep -f server.pl)" \
	'inactive ' 'without a trace'
machine systemctl start slugd
within 30 answers
ok $? 'the next start of slugd brings it back'

# --- the folder becomes another account's
machine systemctl stop slugd
machine chown -R 54321:54321 /var/lib/slugd
machine systemctl start slugd
is "$(machine systemctl is-active slugd)" active \
	'slugd starts on the folder of another account'
is "$(machine stat -c %u /run/slugd/slugd.sock)" 54321 'and runs as that account'
is "$(machine ps -o user= -C slugd-parent)" root 'its parent is root'
within 20 answers
ok $? 'the parent has systemd start the slugrun'
is "$(machine systemctl is-active $unit)" active 'which is a unit again'
[ "$failures" -eq 0 ] || diag "$(machine journalctl -q --no-pager | tail -n 60)"
finish
