#!/bin/sh
# SPDX-License-Identifier: ISC
# slugrun's trees: which releases share one, what a client sees of a change,
# and whose they are.

# shellcheck disable=SC2317 # within calls some of the functions
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/slugrun.sh
. "$t/lib/slugrun.sh"
trap 'stop_slugrun; umount "$scratch/apps" 2>/dev/null; end_test' EXIT

store=$scratch/store
uid=null
# shellcheck disable=SC2016 # for the process
web=$(process web 1 'exec python3 -m http.server --bind 127.0.0.1 $PORT')

# The folder of trees of the user whose processes slugrun's are.
mine=$app/trees/$(id -u)

# launch VERSION SLUG [PROCESSES]
launch() {
	cat >order.json <<-END
	{"app": "myapp", "version": $1, "commit": null,
	 "created_at": $((1500000000 + $1)), "store": "$store",
	 "slug": "$(uuid "$2")", "config": {}, "processes": [${3:-$web}],
	 "listen": $first_port, "ports": [$first_port, $last_port],
	 "timeout": 20, "grace": 2, "uid": $uid, "namespaces": true}
	END
	run ask POST /launch -d @order.json
}

# slug N: what is in the work tree.
slug() {
	git -C work add -A && git -C work commit -q -m "$1" &&
		slugpack --store="$store" --slug="$(uuid "$1")" work HEAD
}

trees() {
	(cd "$mine" && echo v*)
}

# get FILE [CURL OPTION...]: the status and the page.
get() {
	get_file=$1
	shift
	curl -s -o got -w '%{http_code}' "$@" \
		"http://127.0.0.1:$first_port/$get_file"
}

mkdir -p "$app" "$store" work/sub
git init -q work
echo one >work/page
echo same >work/sub/same
slug 1
echo two >work/page
slug 2
echo one >work/page
slug 3
echo gone >work/more
slug 4
start_slugrun
launch 10 1
like "$out" '"up"' 'a release'
# The client that asked v10 asks again: the same size, another content.
get page -D head >/dev/null
is "$(cat got)" one 'is served'
launch 11 2
is "$(trees)" 'v10 v11' 'another slug has a tree of its own'
is "$(get page -z "$(sed -n 's/\r$//; s/^[Ll]ast-[Mm]odified: //p' head)")" \
	200 'a changed file of the same size is newer'
is "$(cat got)" two 'and is served'
is "$(stat -c '%Y %h' "$mine/v11/sub/same")" '1500000010 2' \
	'what did not change keeps its time, and its room'
launch 12 2
like "$out" '"up"' 'a change of the config'
is "$(trees)" 'v10 v11' 'makes no tree'
launch 13 1
is "$(trees)" 'v10 v11' 'nor does a rollback'
get page >/dev/null
is "$(cat got)" one 'to what was before'
launch 14 3
is "$(trees)" 'v10 v11 v14' 'a slug of the same files, by another name'
is "$(stat -c %i "$mine/v10/page")" \
	"$(stat -c %i "$mine/v14/page")" 'shares them all'
launch 15 4
launch 16 2
launch 17 4
is "$(get more)" 200 'the next ones'
for n in 18 19 20 21; do
	launch $n $((n % 4 + 1))
done
like "$out" '"up"' 'go on'
within 10 sh -c "[ \$(ls '$mine' | wc -l) -le 3 ]"
ok $? 'three trees at most are kept'
is "$(find "$app/trees" -name '*.tmp')" '' 'none of them half made'
launch 22 5
like "$out" 'is missing' 'a slug that is not there'
is "$(get page)" 200 'and the old release goes on'
launch 23 1 "$(process web 1 'echo x >>page; rm -r sub; exec sleep 9 </nope')"
launch 24 1
get page >/dev/null
is "$(cat got)" one 'what a failed one did to its files is not seen'
is "$(stat -c %a "$app/trees")" 700 'nobody else gets into the trees'

if [ "$(id -u)" -eq 0 ]; then
	# --- a user of its own ---
	chmod 711 "$scratch" "$scratch/apps" "$app"
	uid=23456
	launch 25 4
	like "$out" '"up"' 'the app gets a user of its own'
	is "$(stat -c '%u %a' "$app/trees" "$app/trees/23456")" '0 700
23456 700' 'whose folder of trees lies where it does not get'
	is "$(find "$app/trees/23456/v25" ! -uid 23456)" '' \
		'all in the new one is that user'"'"'s'
	uid=23457
	launch 26 4
	like "$out" '"up"' 'and then another one'
	is "$(find "$app/trees/23457/v26" ! -uid 23457 2>&1)" '' \
		'who has other trees'
	launch 25 1
	like "$out" '"up"' 'of any version'
	is "$(find "$app/trees/23457/v25" ! -uid 23457 2>&1)" '' 'it is there'
	is "$(get page)" 200 'and is served'
	launch 27 2
	launch 28 4
	within 10 test ! -e "$app/trees/23456"
	ok $? 'no folder of the first user is left'
	stop_slugrun

	# --- trees as slugrun laid them once ---
	uid=23456
	mkdir "$app/v3" "$app/trees/v4"
	start_slugrun
	launch 29 1
	within 10 test ! -e "$app/trees/v4" -a ! -e "$app/v3"
	ok $? 'what an older slugrun left is removed'
	stop_slugrun
	rm -rf "$app/trees"
	mkdir "$app/trees" "$app/trees/v30"
	ln -s /etc "$app/trees/23456"
	chown -R 23456:23456 "$app/trees"
	start_slugrun
	launch 30 1
	like "$out" '"up"' 'and what an app could change'
	is "$(cd "$app/trees" && find . -maxdepth 2 | sort)" '.
./23456
./23456/v30' 'is not used'
	stop_slugrun

	# --- no room ---
	rm -rf "$app"
	if mount -t tmpfs -o size=1m none "$scratch/apps" 2>/dev/null; then
		uid=null
		mkdir -p "$app"
		start_slugrun
		launch 10 1
		like "$out" '"up"' 'on a small disk'
		head -c 2000000 /dev/urandom >work/large
		slug 6
		launch 11 6
		like "$out" 'No space left' 'a release too large: said'
		is "$(trees)" v10 'nothing is left of it'
		is "$(get page)" 200 'the old one goes on'
		launch 12 2
		like "$out" '"up"' 'and so does the next one'
		stop_slugrun
	else
		skip 5 'cannot mount here'
	fi
else
	skip 17 'not root'
fi

finish
