#!/bin/sh
# SPDX-License-Identifier: ISC
# A push of which nothing runs says so, and gives no address; and what a tree
# lacks is named.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
make_dir
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
url=http://127.0.0.1:$first_port/

# What a push of such a Procfile says.
push_procfile() {
	printf '%b' "$1" >Procfile
	git add -A && git commit -q --allow-empty -m "Procfile: $1"
	run git push heroku master
}

# Nobody says that it runs, or where.
says_idle() {
	unlike "$err" 'done, v|http://' "$1: no push says that it is deployed"
	run slugctl -d "$dir" status
	like "$out" "^myapp  .*nothing runs" "$1: status says so"
	unlike "$out" "^myapp  .*http://" "$1: status has no address"
	run git heroku open
	is "$status:$out" 1: "$1: nothing is opened"
	like "$err" 'myapp has no address. Nothing of it runs' "$1: open says why"
	run git heroku info
	unlike "$out" '^Web URL:' "$1: info has no address"
}

push_procfile 'Web: exec perl server.pl\n'
is "$status" 0 'Web: the push is accepted'
like "$err" '^remote: -----> Launching\.\.\. nothing to launch, v2 recorded *$' \
	'Web: the line of the launch'
like "$err" '^remote:  !     .*Procfile declares types -> Web, and no web\. Did you mean web instead of Web\?' \
	'Web: and what is meant'
like "$err" '^remote:        Procfile declares types -> Web *$' \
	'Web: in the words of Heroku, too'
says_idle Web
run git heroku ps
is "$out" 'No dynos on myapp.' 'Web: ps'

push_procfile 'clock: sleep 100\nrelease: true\n'
is "$status" 0 'no web: the push is accepted'
like "$err" '^remote:  !     .*types -> .*clock.* ps:scale clock=1' \
	'no web: how to start the other type'
says_idle 'no web'
run git heroku deploy
is "$status" 0 'no web: deploy'
like "$out" '^-----> Launching\.\.\. nothing to launch, v4 recorded$' \
	'no web: deploy says the same'
like "$err" '^ !    Nothing of it runs' 'no web: and why'
unlike "$out" 'http://' 'no web: without an address'

run git heroku ps:scale clock=1
is "$status" 0 'another type is scaled up'
run slugctl -d "$dir" status
like "$out" '^myapp  .* running  ' 'then it runs'
unlike "$out" 'http://' 'without an address'
run git heroku open
like "$err" 'myapp has no address. No web process' 'which open says'

git heroku ps:scale clock=0 >/dev/null
push_procfile 'web: exec perl server.pl\nclock: sleep 100\n'
like "$err" '^remote: -----> Launching\.\.\. done, v5 deployed to Heroku' \
	'web: the push says that it is deployed'
like "$err" "^remote:        $url" 'web: and where'
run git heroku ps:scale web=0 clock=0
push_procfile 'web: exec perl server.pl\nclock: true\n'
like "$err" '^remote:  !     .*scaled to 0 .*ps:scale web=1' \
	'scaled to 0: the push says so'
says_idle 'scaled to 0'
run git heroku ps:scale web=1
run git heroku open
is "$out" "$url" 'scaled up again, it has its address'

git rm -q Procfile
git commit -q -m 'No Procfile'
run git push heroku master
like "$err" '^remote:  !     Nothing of it runs: it has no Procfile' \
	'no Procfile: the push says so'
says_idle 'no Procfile'

# --- what the tree lacks
printf 'web: exec perl server.pl\n' >procfile
printf '{"dependencies": {"express": "4"}}\n' >package.json
printf '# nothing\n\n' >requirements.txt
printf "source 'x'\ngem 'sinatra'\n" >Gemfile
mkdir vendor && echo x >vendor/gem
printf 'module m\n' >go.mod
git add -A && git commit -q -m 'What is not built'
run git push heroku master
like "$err" '^remote:        package\.json, but no node_modules: slugd does not build; commit the packages' \
	'package.json without node_modules is named'
like "$err" '^remote:        go\.mod, but no bin' 'and go.mod'
like "$err" '^remote:        procfile is not read: name it Procfile' \
	'and a Procfile of another name'
unlike "$err" 'requirements|Gemfile' 'but not what asks for nothing, or is there'
git mv -f procfile Procfile
printf '{"devDependencies": {"jest": "1"}}\n' >package.json
git rm -q --cached go.mod && rm go.mod
git add -A && git commit -q -m 'Mended'
run git push heroku master
unlike "$err" 'does not build|not read' 'a tree that lacks nothing has no such line'
like "$err" 'deployed to Heroku' 'and runs'

finish
