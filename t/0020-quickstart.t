#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/quickstart, with the programs of this build: it goes through, twice,
# and leaves the app running.

. "$(dirname "$0")/lib/test.sh"

quickstart=$(dirname "$t")/contrib/quickstart
export SLUGD_QUICKSTART_PATH=yes
export SLUGD_QUICKSTART_DIR="$scratch/here and there"
unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
dir="$SLUGD_QUICKSTART_DIR/slugd"

trap 'slugctl -d "$dir" stop >/dev/null 2>&1; end_test' EXIT

# Ports of the test's own; all else is what the default is.
pick_ports
mkdir -p "$dir"
slugd --print-config |
	sed "s/^ports = .*/ports = $first_port-$last_port/" >"$dir/slugd.ini"

# What the app's page has for a release, after the command $2.
page_after() {
	printf '%s\n' "$1" | sed -n "/^\\\$ $2/,\$p" |
		sed -n 's/^<p class="release">\(v[0-9]*\)<.*/\1/p' | head -n 1
}

run "$quickstart"
is "$status" 0 'the first run goes through'
[ "$status" -eq 0 ] || diag "$out$err"
like "$out" '^\$ slugd -d .*here and there' 'it shows each command'
is "$(page_after "$out" 'git push')" v2 'the page is of the release pushed'
is "$(page_after "$out" 'git heroku config:set')" v3 \
	'then of the one with the new config'
is "$(page_after "$out" 'git heroku addons:create')" v4 \
	'then of the one with the add-on'
is "$(page_after "$out" 'git heroku rollback')" v6 'then of the rollback'
like "$out" '^v5    Config add GREETING ' 'it lists the releases'
like "$out" '^=== Release v5$' 'and shows one'
like "$out" '^Rolled back to v4$' 'it goes back past the mistake'

url=$(printf '%s\n' "$out" | sed -n 's/^The app runs at \([^,]*\),.*/\1/p')
like "$(curl -s "$url")" 'Good morning' 'it leaves the app running'
stop=$(printf '%s\n' "$out" | sed -n 's/^	\(slugctl .* stop\)$/\1/p')
isnt "$stop" '' 'it says how to stop it'

run "$quickstart"
is "$status" 0 'a second run goes through'
[ "$status" -eq 0 ] || diag "$out$err"
like "$out" 'slugd is running .* already' 'it finds slugd running'
like "$out" 'has the add-on memcachier already' 'and the add-on there'
is "$(page_after "$out" 'git push')" v7 'it pushes a new commit'
is "$(page_after "$out" 'git heroku rollback')" v10 'and goes on from there'

run sh -c "$stop"
is "$status" 0 'what it says to stop it does'
run curl -s "$url"
isnt "$status" 0 'and the app has ended, too'

run sh -c "$stop"
like "$err" 'slugd is not running' 'and slugd'

finish
