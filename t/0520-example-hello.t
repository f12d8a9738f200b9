#!/bin/sh
# SPDX-License-Identifier: ISC
# The example app hello, as slugrun runs it.

# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
trap 'stop_hello; end_test' EXIT

hello_pid=
pick_ports
address=http://127.0.0.1:$first_port
top=$(dirname "$t")

# hello NAME=VALUE...: the Procfile's command with that environment.
hello() {
	command=$(sed -n 's/^web: exec //p' "$top/contrib/examples/hello/Procfile")
	# shellcheck disable=SC2086 # words
	(cd "$top/contrib/examples/hello" && exec env -i PATH="$PATH" \
		PORT="$first_port" "$@" $command) >"$scratch/hello.out" 2>&1 &
	hello_pid=$!
	within 20 curl -sS "$address/healthz"
}

stop_hello() {
	[ -n "$hello_pid" ] || return 0
	kill "$hello_pid" 2>/dev/null
	wait "$hello_pid"
	hello_status=$?
	hello_pid=
}

hello GREETING='Good <b>morning' HEROKU_RELEASE_VERSION=v7 \
	HEROKU_SLUG_COMMIT=de63889c20a96347679af2c5160c390727fa6749 \
	MEMCACHIER_SERVERS=secret:11211
ok $? 'it answers on its port'
run curl -sS "$address/"
like "$out" '<p class="release">v7</p>' 'with its release'
like "$out" '<h1>Good &lt;b&gt;morning</h1>' 'the greeting, escaped'
like "$out" '<code>de63889</code>' 'the commit'
like "$out" 'MEMCACHIER_SERVERS</dt><dd>is set<' 'and whether there is a cache'
unlike "$out" 'secret' 'but not its value'
run curl -sSi "$address/style.css"
like "$out" 'Content-Type: text/css' 'the style sheet'
run curl -sS -o /dev/null -w '%{http_code}' "$address/../server.pl"
is "$out" 404 'no other file'
stop_hello
is "$hello_status" 0 'SIGTERM ends it cleanly'
like "$(cat hello.out)" '^[0-9:]+ GET / HTTP/1.1 200$' 'requests are logged'

hello
run curl -sS "$address/"
like "$out" '<h1>Hello!</h1>' 'with no config: a greeting all the same'
like "$out" 'is not set' 'and no cache'

finish
