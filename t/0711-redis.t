#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/addons/redis, with a real redis-server.
# shellcheck disable=SC2016 # $5 is redis's for a text of five bytes
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

command -v redis-server >/dev/null || skip_all 'redis-server is not installed'

pick_ports
ports=$((last_port - 4))-$last_port
make_dir '[addon redis]' 'plans = free:0, 100:15' \
	"provider = exec:$(cd "$t/.." && pwd)/contrib/addons/redis" \
	'config.MEMORY = 10' "config.PORTS = $ports"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1

# The servers of this test, by the ports that they listen at.
servers() {
	pgrep -f "^redis-server 127.0.0.1:($(seq -s '|' "${ports%-*}" \
		"${ports#*-}"))( |\$)" | tr '\n' ' '
}

# Whatever happens, none of them stays.
# shellcheck disable=SC2317 # trap calls it
end_servers() {
	for pid in $(servers); do
		kill -9 "$pid"
	done
}
trap 'end_servers; end_test' EXIT

# password URL, port URL
password() {
	printf '%s' "$1" | sed -n 's|^redis://:\([0-9a-f]*\)@127.*|\1|p'
}

port() {
	printf '%s' "$1" | sed -n 's|^redis://.*@127.0.0.1:\([0-9]*\)$|\1|p'
}

# redis URL LINE...: as who has the URL; prints what is answered, in a line
redis() {
	url=$1
	shift
	tell "$(port "$url")" "AUTH $(password "$url")" "$@" QUIT | tr '\n' ' '
}

# --- by slugd ---

create redis
is "$code:$(newest)" '201:v2 Add-on add redis:free' 'create'
first=$(var REDIS_URL)
like "$first" "^redis://:[0-9a-f]{32}@127\\.0\\.0\\.1:${ports%-*}\$" 'its URL'
is "$(redis "$first" 'SET a hello' 'GET a')" '+OK +OK $5 hello +OK ' \
	'it stores, and gives back'
like "$(tell "$(port "$first")" 'GET a' QUIT)" '^-NOAUTH' \
	'but not without the password'
is "$(redis "$first" 'CONFIG GET maxmemory')" \
	'+OK *2 $9 maxmemory $8 10485760 +OK ' 'with the memory of slugd.ini'
id=$(printf '%s' "$body" | perl -MJSON::PP -e 'local $/;
	print decode_json(<STDIN>)->{id}')
folder=$dir/addons/redis/$id
is "$(find "$folder" -perm /077)" '' 'nobody else can read its files'
unlike "$(ps -o args= -p "$(servers | tr -d ' ')")" "$(password "$first")" \
	'the password is not in its arguments'
unlike "$(cat slugd.log)" "$(password "$first")" 'nor in the log'

change redis 100
is "$code:$(newest)" '200:v3 Add-on change redis:100' 'upgrade'
is "$(var REDIS_URL)" "$first" 'the URL stays'
is "$(redis "$first" 'CONFIG GET maxmemory')" \
	'+OK *2 $9 maxmemory $9 104857600 +OK ' 'there is more memory'
is "$(redis "$first" 'GET a')" '+OK $5 hello +OK ' 'and what was stored'

rotate redis
is "$code:$(newest)" '200:v4 Add-on rotate redis:100' 'rotate'
second=$(var REDIS_URL)
isnt "$second" "$first" 'gives another URL'
is "$(port "$second")" "$(port "$first")" 'at the same port'
is "$(redis "$second" 'GET a')" '+OK $5 hello +OK ' 'with what was stored'
like "$(redis "$first")" '^-WRONGPASS' 'the old password is none any more'

# The machine is started again: neither slugd nor redis-server is there.
stop_slugd
server=$(servers)
like "$server" '^[0-9]+ $' 'there is one server'
kill -9 "${server% }"
ok "$(within 10 sh -c "! kill -0 ${server% } 2>/dev/null ||
	ps -o stat= -p ${server% } | grep -q Z"; echo $?)" \
	'the server is gone'
start_slugd
# shellcheck disable=SC2317 # within calls it
answers() {
	[ "$(redis "$second" 'GET a')" = '+OK $5 hello +OK ' ]
}
ok "$(within 20 answers; echo $?)" \
	'when slugd starts, it comes up again, with what was stored'
is "$(newest)" 'v4 Add-on rotate redis:100' 'without a release'

# A crash after the server took a password that the ledger has not.
stop_slugd
SLUGD_ADDON_DIR=$dir/addons/redis
call redis rotate "$id" redis:100 "{\"REDIS_URL\": \"$second\"}"
is "$status" 0 'a rotation that slugd does not get to see'
like "$(redis "$second")" '^-WRONGPASS' 'the app has no good password then'
start_slugd
ok "$(within 20 answers; echo $?)" 'slugd has the server take it back'

destroy redis
is "$code:$(newest)" '200:v5 Add-on remove redis:100' 'destroy'
is "$(servers)" '' 'ends the server'
ok "$(test ! -e "$folder"; echo $?)" 'and removes its folder'
stop_slugd

# --- by itself ---

SLUGD_ADDON_DIR=$scratch/state
mkdir "$SLUGD_ADDON_DIR"
one=00000000-0000-4000-8000-000000000001
conf="{\"PORTS\": \"$ports\"}"
call redis create $one redis:64 '{}' "$conf"
first=$(given REDIS_URL)
server=$(servers)
call redis create $one redis:64 '{}' "$conf"
is "$status:$(given REDIS_URL):$(servers)" "0:$first:$server" \
	'create, again: the same server, the same URL'
call redis rotate 00000000-0000-4000-8000-000000000002 redis:64 '{}' "$conf"
is "$status:$err" '1:it was never created' 'rotate of what is not there'
call redis destroy $one redis:64 '{}' "$conf"
is "$status:$(servers)" 0: 'destroy'
is "$(find "$SLUGD_ADDON_DIR" -mindepth 1 -not -name lock)" '' \
	'nothing is left'

finish
