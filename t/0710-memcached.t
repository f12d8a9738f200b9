#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/addons/memcached, with a real memcached.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

command -v memcached >/dev/null || skip_all 'memcached is not installed'

pick_ports
ports=$((last_port - 9))-$((last_port - 5))
make_dir '[addon cache]' 'plans = free:0, 100:15' \
	"provider = exec:$(cd "$t/.." && pwd)/contrib/addons/memcached" \
	'config.MEMORY = 10' "config.PORTS = $ports"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1

# The servers of this test, by the ports that they listen at.
servers() {
	pgrep -f "^memcached -l 127.0.0.1 -p ($(seq -s '|' "${ports%-*}" \
		"${ports#*-}")) " | tr '\n' ' '
}

# Whatever happens, none of them stays.
end_servers() {
	for pid in $(servers); do
		kill -9 "$pid"
	done
}
trap 'end_servers; end_test' EXIT

# limit PORT: megabytes that the server may take
limit() {
	tell "$1" stats quit | sed -n 's/^STAT limit_maxbytes //p' |
		awk '{ print $1 / 1048576 }'
}

# --- by slugd ---

create cache
is "$code:$(newest)" '201:v2 Add-on add cache:free' 'create'
port=${ports%-*}
is "$(var MEMCACHIER_SERVERS)" "127.0.0.1:$port" 'its address'
is "$(tell "$port" 'set a 0 0 5' hello 'get a' quit | tr '\n' ' ')" \
	'STORED VALUE a 0 5 hello END ' 'it stores, and gives back'
is "$(limit "$port")" 10 'with the memory of slugd.ini'
server=$(servers)
like "$server" '^[0-9]+ $' 'it is one server'
id=$(printf '%s' "$body" | perl -MJSON::PP -e 'local $/;
	print decode_json(<STDIN>)->{id}')
folder=$dir/addons/cache/$id
is "$(stat -c %a "$folder" "$folder/port" "$folder/pid" | tr '\n' ' ')" \
	'700 600 600 ' 'nobody else can read its files'

change cache 100
is "$code:$(newest)" '200:v3 Add-on change cache:100' 'upgrade'
is "$(limit "$port")" 100 'gives it more memory'
is "$(var MEMCACHIER_SERVERS)" "127.0.0.1:$port" 'at the same port'
isnt "$(servers)" "$server" 'by a new server'
like "$(servers)" '^[0-9]+ $' 'instead of the old one'
rotate cache
is "$code:$(message)" \
	'503:The provider of cache failed: it exited with 1: memcached has no password that could be rotated' \
	'rotate says that there is no password'

# The machine is started again: neither slugd nor memcached is there.
stop_slugd
server=$(servers)
kill -9 "${server% }"
ok "$(within 10 sh -c "! kill -0 ${server% } 2>/dev/null ||
	ps -o stat= -p ${server% } | grep -q Z"; echo $?)" \
	'the server is gone'
start_slugd
# shellcheck disable=SC2317 # within calls it
answers() {
	[ "$(limit "$port")" = 100 ]
}
ok "$(within 20 answers; echo $?)" 'when slugd starts, it comes up again'
is "$(newest)" 'v3 Add-on change cache:100' 'without a release'
server=$(servers)
stop_slugd && start_slugd
destroy cache
is "$code:$(newest)" '200:v4 Add-on remove cache:100' 'destroy'
is "$(servers)" '' 'ends the server'
ok "$(test ! -e "$folder"; echo $?)" 'and removes its folder'
is "$(var MEMCACHIER_SERVERS)" '(none)' 'the app has no address of it'
stop_slugd

# --- by itself ---

SLUGD_ADDON_DIR=$scratch/state
mkdir "$SLUGD_ADDON_DIR"
one=00000000-0000-4000-8000-000000000001
two=00000000-0000-4000-8000-000000000002
conf="{\"PORTS\": \"$ports\"}"

call memcached create $one cache:64 '{}' "$conf"
is "$status:$err:$(given MEMCACHIER_SERVERS)" "0::127.0.0.1:$port" 'create'
server=$(servers)
call memcached create $one cache:64 '{}' "$conf"
is "$status:$(given MEMCACHIER_SERVERS)" "0:127.0.0.1:$port" \
	'create, again: the same'
is "$(servers)" "$server" 'by the same server'
call memcached create $two cache:64 '{}' "$conf"
is "$status:$(given MEMCACHIER_SERVERS)" "0:127.0.0.1:$((port + 1))" \
	'another add-on has another port'
call memcached resume $one cache:64 '{}' "$conf"
is "$status:$(servers | wc -w)" 0:2 'resume of what runs does nothing'

# Its port is taken by somebody else while it is down.
server=$(cut -d' ' -f1 "$SLUGD_ADDON_DIR/$two/pid")
kill -9 "$server"
perl -MIO::Socket::INET -e 'my $s;
	until ($s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$ARGV[0]",
		Listen => 5, ReuseAddr => 1)) { select undef, undef, undef, 0.02 }
	open my $f, ">", "listening"; close $f; sleep 60' \
	$((port + 1)) &
other=$!
within 10 test -e listening
call memcached resume $two cache:64 '{}' "$conf"
is "$status" 1 'resume where its port is taken: exit 1'
like "$err" '^memcached does not come up: .*(listen|bind|use)' 'and says so'
kill "$other"
wait "$other" 2>/dev/null
call memcached resume $two cache:64 '{}' "$conf"
is "$status" 0 'and works later'
call memcached destroy $two cache:64 '{}' "$conf"
is "$status:$(servers | wc -w)" 0:1 'destroy of one leaves the other'
call memcached destroy $two cache:64 '{}' "$conf"
is "$status" 0 'destroy, again, is no mistake'
call memcached resume $two cache:64 '{}' "$conf"
is "$status:$err:$(servers | wc -w)" '1:it was never created:1' \
	'what was destroyed does not come up again'

# A pid that is another's by now.
sleep 60 &
other=$!
echo "$other 1" >"$SLUGD_ADDON_DIR/$one/pid"
call memcached destroy $one cache:64 '{}' "$conf"
is "$status" 0 'destroy where the pid is not its own any more'
ok "$(kill "$other"; echo $?)" 'ends nobody else'
wait "$other" 2>/dev/null
end_servers

# refused NAME WORDS
refused() {
	is "$status:$out" 1: "$1: exit 1, nothing on standard output"
	is "$err" "$2" "$1: the words"
}

call memcached create $one cache:64 '{}' '{"PORTS": "5"}'
refused 'PORTS that are none' \
	"config.PORTS in slugd.ini: '5' is not FIRST-LAST"
call memcached create $one cache:free '{}' '{"MEMORY": "a lot"}'
refused 'MEMORY that is none' \
	"config.MEMORY in slugd.ini: 'a lot' is not a number from 1 to 999999"
call memcached create ../../etc cache:64
refused 'an id that is none' "the add-on's id is no uuid"
call memcached frob $one cache:64
refused 'an action that is none' 'unknown action: frob'
run env SLUGD_ADDON_DIR="$SLUGD_ADDON_DIR" \
	"$t/../contrib/addons/memcached" create
refused 'no order' 'the order is no JSON'
call memcached destroy $one cache:64
is "$(servers):$(find "$SLUGD_ADDON_DIR" -mindepth 1 -not -name lock)" : \
	'nothing is left'

finish
