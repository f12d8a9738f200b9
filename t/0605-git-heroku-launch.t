#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku waits for the launch of the release that it makes, and says how
# it ended.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
slugctl -d "$dir" init idle >/dev/null || exit 1
cd work || exit 1
cat >Procfile <<'EOF'
web: if [ "$MYVAR" = bad ]; then echo 'no such database' >&2; exit 3; fi; sleep "${SLOW:-0}"; exec perl server.pl
EOF
git commit -qam 'A web process that can fail'
run git push heroku master
is "$status" 0 'the push'
url=$(git heroku info --json | sed -n 's/.*"web_url": "\(.*\)".*/\1/p')
like "$(git heroku info)" "^Web URL:     $url\$" 'info has the address'

# page: what the app answers.
page() {
	curl -sS --max-time 5 "$url"
}

run git heroku config:set MYVAR=42
is "$status:$err" '0:' 'config:set: exit 0'
is "$out" 'Adding config vars:
  MYVAR => 42
Updating vars and restarting app... done, v3' 'article: config:set'
like "$(page)" 'MYVAR=42' 'article: the app runs with the var when it ends'
run git heroku addons:create memcachier
is "$out" 'Adding memcachier to myapp... done, v4 (free)' \
	'article: addons:create'
like "$(page)" 'MEMCACHIER_SERVERS=127.0.0.1:11211' \
	'the app runs with what the add-on provides'

run git heroku config:set MYVAR=bad
is "$status" 1 'a release that does not come up: exit 1'
is "$out" 'Adding config vars:
  MYVAR => bad
Updating vars and restarting app... failed, v5' 'the line says so'
like "$err" '^ !    .*no such database' 'standard error has its output'
is "$(printf '%s\n' "$err" | grep -v '^ !    ')" '' \
	'each line of it behind the mark'
like "$(git heroku releases)" '^v5    Config add MYVAR \(failed\)  ' \
	'releases marks it'
like "$(git heroku releases:info v5)" \
	'^Change:      Config add MYVAR \(failed\)$' 'so does releases:info'
like "$(page)" 'MYVAR=42' 'the old release goes on'

run git heroku config:set MYVAR=43
like "$out" 'done, v6$' 'the next one'
run git heroku rollback
is "$status:$out" '0:Rolled back to v4' 'article: rollback'
like "$(page)" 'MYVAR=42' 'article: to the config vars of then'

git heroku config:set SLOW=4 >slow &
within 10 sh -c 'git heroku releases -n 1 | grep -q "v8 .*(pending)"'
ok $? 'releases marks what is being launched'
wait $!
is "$(sed -n '3p' slow)" 'Updating vars and restarting app... done, v8' \
	'which config:set waits for'
unlike "$(git heroku releases)" pending 'and then it is not marked any more'

# At a terminal the waiting is counted; script(1) is one.
terminal() {
	script -qefc "$*" /dev/null >seen </dev/null
	status=$?
	tr '\b\r' '<>' <seen >told
}
if command -v script >/dev/null; then
	terminal git heroku config:set SLOW=2 B=1
	is "$status" 0 'at a terminal: exit 0'
	like "$(cat told)" 'restarting app\.\.\. 1 s<<<<    <<<<( 2 s.*)? done, v9' \
		'the seconds are counted, and rubbed out'
	terminal git heroku config:set -a idle B=1
	like "$(cat told)" 'restarting app\.\.\. done, v2' \
		'what takes no second is not counted'
	git heroku config:set B=2 >piped 2>&1
	is "$(sed -n '$p' piped)" 'Updating vars and restarting app... done, v10' \
		'nor is anything in a pipe'
	terminal 'git heroku deploy 2>/dev/null'
	unlike "$(cat told)" '<' 'nor where standard error is none'
else
	skip 5 'no script(1)'
fi

# What a release command says is shown as it comes.
cat >>Procfile <<'EOF'
release: echo one; sleep "${SLOW:-0}"; printf two; exit "${CODE:-0}"
EOF
git commit -qam 'A release command'
git push -q heroku master 2>/dev/null
git heroku config:set SLOW=4 >slow 2>slow.err &
within 20 sh -c 'grep -qx one slow.err && ! grep -q done slow'
ok $? 'config:set shows a release command before it ends'
wait $!
is "$(cat slow.err)" 'Running release command...
one
two' 'on standard error, by lines'
like "$(cat slow)" '^Updating vars and restarting app\.\.\. done, v' \
	'and the result on standard output'
git heroku config:set SLOW=0 >/dev/null 2>&1
run git heroku deploy
is "$status:$err" '0:' 'deploy of it: exit 0'
like "$(printf '%s\n' "$out" | tr '\n' '|')" \
	'\|-----> Running release command\.\.\.\|one\|two\|-----> Launching\.\.\. done, v' \
	'which shows what a push shows'
run git heroku config:set CODE=3
is "$status" 1 'a release command that fails: exit 1'
like "$err" '^one$' 'what it said is shown'
last=$(git heroku releases -n 1 | sed -n '3s/^v\([0-9]*\).*/\1/p')

git heroku config:set SLOW=3 >slow 2>slow.err &
next=v$((last + 1))
within 10 sh -c "git heroku releases -n 1 | grep -q '$next .*(pending)'"
stop_slugd KILL
wait $!
is $? 1 'slugd is killed during a launch: exit 1'
# It may die between the release and its answer to the client.
like "$(cat slow.err)" "^ !    ($next is recorded, but not how its launch ended: )?slugd went away before it answered\$" 'and the words'
start_slugd || exit 1
finish
