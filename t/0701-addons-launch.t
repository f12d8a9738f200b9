#!/bin/sh
# SPDX-License-Identifier: ISC
# What a program gives is in the environment of the app that runs.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

cat >provider <<EOT
#!/bin/sh
cat >/dev/null
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

finish
