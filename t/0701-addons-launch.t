#!/bin/sh
# SPDX-License-Identifier: ISC
# What a program gives is in the environment of the app that runs.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

own_exec_path
cat >provider <<EOT
#!/bin/sh
cat >/dev/null
echo "\$1" >>$scratch/actions
while [ -e $scratch/slow ]; do
	sleep 0.02
done
echo '{"config": {"MEMCACHIER_SERVERS": "by-'\$1'"}}'
EOT
chmod +x provider
driver=slugrun
make_dir '[addon box]' 'plans = free:0, big:20' \
	"provider = exec:$scratch/provider"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
git -C work push -q heroku master 2>/dev/null

# shows TEXT: does the app that runs say that?
# shellcheck disable=SC2317 # within calls it
shows() {
	curl -sS "http://127.0.0.1:$first_port/" | grep -qF -e "$1"
}

# shellcheck disable=SC2317 # within calls it
shows_no() {
	curl -sS "http://127.0.0.1:$first_port/" >page &&
		grep -q 'HEROKU_\|hello' page && ! grep -qF -e "$1" page
}

ok "$(within 20 shows hello; echo $?)" 'the app runs'
ok "$(within 1 shows_no MEMCACHIER_; echo $?)" 'without an add-on'
create box
ok "$(within 20 shows 'MEMCACHIER_SERVERS=by-create'; echo $?)" \
	'create: the app has the value'
change box big
ok "$(within 20 shows 'MEMCACHIER_SERVERS=by-change'; echo $?)" \
	'change: the new one'
rotate box
ok "$(within 20 shows 'MEMCACHIER_SERVERS=by-rotate'; echo $?)" \
	'rotate: the newest'
stop_slugd
start_slugd
ok "$(within 20 shows 'MEMCACHIER_SERVERS=by-rotate'; echo $?)" \
	'a start of slugd changes nothing'
destroy box
ok "$(within 20 shows_no MEMCACHIER_; echo $?)" 'destroy: it is gone'
is "$(newest)" 'v6 Add-on remove box:big' 'a release each'

run git -C work heroku addons:create box
is "$status:$out" '0:Adding box to myapp... done, v7 (free)' 'git heroku, too'
ok "$(within 20 shows 'MEMCACHIER_SERVERS=by-create'; echo $?)" \
	'and the app has it'
run git -C work heroku addons:destroy box --confirm myapp
is "$status" 0 'and destroys it'
ok "$(within 20 shows_no MEMCACHIER_; echo $?)" 'and it is gone'

# What the provider has destroyed is not there any more, whatever becomes of
# the release: here a push gets the lane, and slugd ends meanwhile.
create box
: >actions
: >slow
destroy box >destroy.out &
destroyer=$!
within 20 grep -q destroy actions
ok $? 'a provider destroys an add-on'
cd work || exit 1
commit 'on its way'
hold reference-transaction prepared
git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
pusher=$!
held reference-transaction
ok $? 'a push is between its trial and its release'
cd .. || exit 1
rm slow
stop_slugd
wait $destroyer
let_go reference-transaction
wait $pusher
is "$(cat actions)" destroy 'slugd ends: there was no release of it yet'
start_slugd
# shellcheck disable=SC2317 # within calls it
has_no_addon() {
	[ "$(api GET /apps/myapp/addons)" = '[]' ]
}
ok "$(within 20 has_no_addon; echo $?)" 'the next slugd goes on with its end'
is "$(newest | sed 's/^v[0-9]* //')" 'Add-on remove box:free' 'by a release'
ok "$(within 20 shows_no MEMCACHIER_; echo $?)" 'and the app runs without it'

finish
