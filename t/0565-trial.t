#!/bin/sh
# SPDX-License-Identifier: ISC
# A push is tried before its ref moves: what does not come up refuses it, and
# from the trial to the release nothing else makes one. Release commands.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
# shellcheck source=t/lib/launch.sh
. "$t/lib/launch.sh"

own_exec_path
driver=slugrun
launch='timeout = 8\nrelease_timeout = 4\ngrace = 1\n'
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
url=http://127.0.0.1:$(api GET /apps/myapp |
	grep -o '127.0.0.1:[0-9]*' | cut -d : -f 2)/

# deploy PROCFILE [WORDS]: a commit of it, pushed.
deploy() {
	printf '%b' "$1" >Procfile
	echo "${2:-}" >index.html
	git add Procfile index.html
	commit "${2:-a Procfile}"
	run git push heroku master
}
page() {
	curl -fsS -m 5 "$url" >"$scratch/page" && head -n 1 "$scratch/page"
}
has_trial() {
	slugrun | grep -q "\"trial\":$1[,}]"
}
# output_of PATH: of the newest of these builds, or of that release.
output_of() {
	api GET "$(api GET "/apps/myapp/$1" | perl -MJSON::PP -e 'local $/;
		my $v = decode_json(<STDIN>);
		$v = $v->[0] if ref $v eq "ARRAY";
		print $v->{output_stream_url}' | sed 's,^http://[^/]*,,')"
}
is_free() {
	! busy '.*'
}
no_page() {
	! page
}
logged() {
	grep -q -e "$1" "$scratch/slugd.log"
}
busy() {
	api GET /apps/myapp | grep -q "\"busy\":\"$1\""
}
good='web: exec perl server.pl\n'

# --- what comes up

deploy "$good" first
is "$status" 0 'a push that comes up'
is "$(printf '%s\n' "$err" | sed -n 's/^remote: \(-----> L.*[^ ]\) *$/\1/p')" \
	'-----> Launching... done, v2 deployed to Heroku' \
	'is one line, of two hooks'
is "$(page)" first 'it answers'
like "$(cat "$scratch/slugd.log")" 'slugrun: trying v2' 'it was tried'
is "$(grep -c 'launching v2' "$scratch/slugd.log")" 0 'and not launched again'

# --- what does not

# refused NAME WORDS: the push was, with these words, and nothing else is new.
refused() {
	is "$status" 1 "$1: the push is refused"
	like "$err" "$2" 'in words'
	like "$err" 'remote rejected.*pre-receive hook declined' 'by git'
	is "$(newest version) $(at)" "$version $kept" 'no release, no ref moved'
	is "$(page)" "$words" 'the one before answers'
	git reset -q --hard "$kept"
}
version=2 words=first kept=$(git rev-parse HEAD)
before=$(slugs)
deploy 'web: echo no good; exit 3\n' bad
refused 'a web process that exits' 'web\.1 exited with status 3'
like "$err" '^remote:  !     no good' 'with what it said last'
like "$err" '^remote: -----> Launching\.\.\. failed' 'the line says so'
deploy 'web: PORT=1 exec perl server.pl\n' bad
refused 'one that listens elsewhere' '^remote:  !     .*(8 seconds|exited)'
deploy 'web: exec sleep 100\n' bad
refused 'one that listens nowhere' '^remote:  !     .*8 seconds'
deploy 'web: exec ./none-such\n' bad
refused 'a command that is not there' 'none-such'
deploy 'web exec perl server.pl\n' bad
refused 'a Procfile with a bad line' 'Procfile'
deploy "${good}release: echo on its way; exit 4\n" bad
refused 'a release command that fails' \
	'^remote:  !     the release command exited with status 4'
is "$(printf '%s\n' "$err" | grep -c 'on its way')" 1 'its output is shown, once'
unlike "$err" 'Launching' 'nothing is launched'
like "$(output_of builds)" '^ !     .* exited with status 4' 'its build says why'
deploy "${good}release: sleep 100\n" bad
refused 'a release command without end' \
	'^remote:  !     the release command did not end within 4 seconds'
within 20 has_trial null
ok $? 'no trial is left'
within 20 no_leftovers
ok $? 'nor anything else'
is "$(slugs)" "$before" 'no slug either'

# --- a release command

deploy "${good}release: env | grep RELEASE_V; printf 'no end'\n" released
is "$status" 0 'a release command'
like "$err" '^remote: HEROKU_RELEASE_VERSION=v3' 'its output is shown'
like "$err" '^remote: no end *$' 'to its end'
like "$err" '^remote: -----> Launching\.\.\. done, v3 deployed' 'then the launch'
like "$(git heroku releases:output v3)" '^HEROKU_RELEASE_VERSION=v3$' \
	'it is kept'
is "$(output_of releases/v3)" "$(printf 'HEROKU_RELEASE_VERSION=v3\nno end')" \
	'as the output of the release alone'
like "$(git heroku releases:output v3 | tr '\n' ' ')" \
	'^-----> Comp.* done, .*-----> Running release command\.\.\. HERO.* no end $' \
	'releases:output has the build before it'
unlike "$(slugrun)" '"release"' 'it is no process'
run git heroku config:set A=1
is "$status" 0 'a change of config runs it, too'
like "$(git heroku releases:output v4)" '^HEROKU_RELEASE_VERSION=v4$' \
	'that output is the release'"'"'s'
deploy "${good}release: [ -z \"\$FAIL\" ] || { echo will not; exit 5; }\n" picky
is "$status" 0 'one that may fail'
run git heroku config:set FAIL=1
is "$status" 1 'it fails: so does the change'
like "$err" 'the release command exited with status 5' 'in words'
is "$(status_of v6) $(page)" 'failed picky' 'the release before it goes on'
like "$(git heroku releases:output v6)" '^will not$' 'its output is kept'
git heroku config:set B=2 >/dev/null
run git heroku releases:retry v6
is "$status" 1 'a retry fails as well'
is "$(newest description)" 'Retry of v6: Config add FAIL' 'it is a release'
api POST /apps/myapp/releases -d '{"retry":"v6"}' >"$scratch/out"
within 20 has_status v9 failed
is "$(api GET /apps/myapp/releases/v9/config-vars | tr -d '{}' |
	tr , '\n' | sort | tr -d '\n')" '"A":"1""B":"2""FAIL":"1"' \
	'with what v6 changed, on top of what is'
like "$(api POST /apps/myapp/releases -d '{"retry":"v5"}')" \
	'v5 did not fail' 'what did not fail is not retried'
slug=$(releases myapp slug.id | sed -n 3p)
api POST /apps/myapp/releases \
	-d "{\"slug\":\"$slug\",\"description\":\"By hand\"}" >"$scratch/out"
within 20 has_status v10 succeeded
is "$(newest description) $(page)" 'By hand released' 'any slug can be released'
like "$(api POST /apps/myapp/releases -d \
	'{"slug":"00000000-0000-4000-8000-000000000000"}')" \
	"Couldn't find that slug" 'but one that is there'
run git heroku rollback v5
is "$status" 0 'a rollback runs it, too'

# --- while a push is between trial and release

# tried WORDS: a push, until git asks whether the ref may move.
tried() {
	printf '%b' "$good" >Procfile
	echo "$1" >index.html
	git add Procfile index.html
	commit "$1"
	hold reference-transaction prepared
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	held reference-transaction || diag 'no reference-transaction'
	receive=$parent
	version=$(newest version)
}
ended() {
	wait "$pusher"
	status=$?
	out=$(cat "$scratch/push.out")
}

tried waiting
ok "$(has_trial 12; echo $?)" 'a push before its ref moves: v12 is on trial'
is "$(page)" picky 'the one before answers'
ok "$(busy "v12 is being launched for a push by $(id -un)"; echo $?)" \
	'the app says what it is busy with'
git heroku config:set WAITED=1 >"$scratch/set.out" 2>"$scratch/set.err" &
setter=$!
api POST /apps/myapp/addons -d '{"plan":"memcachier"}' >"$scratch/out" &
adder=$!
within 20 grep -q . "$scratch/set.err"
is "$(cat "$scratch/set.err")" \
	" !    Waiting: v12 is being launched for a push by $(id -un)" \
	'config:set waits, and says for what'
is "$(newest version)" 11 'neither it nor an add-on makes a release'
run slugctl -d "$dir" init another
is "$status" 0 'other apps do not wait'
run git heroku config
is "$status" 0 'nor does who reads'
let_go reference-transaction
ended
is "$status" 0 'the push ends well'
like "$out" 'done, v12 deployed to Heroku' 'as v12'
wait $setter
is $? 0 'then config:set does'
wait $adder
is "$(releases myapp description | tail -n +12 | sed 's/Deploy .*/Deploy/' |
	sort | tr '\n' ,)" 'Add-on add memcachier:free,Config add WAITED,Deploy,' \
	'and the add-on'
is "$(releases myapp description | sed -n 12p)" \
	"Deploy $(git rev-parse --short=7 HEAD)" 'after the push'

sed 's/^timeout = .*/timeout = 4/' "$dir/slugd.ini" >../ini &&
	mv ../ini "$dir/slugd.ini"
kill -HUP "$slugd_pid"
tried bounded
run api PATCH /apps/myapp/config-vars -m 30 -d '{"WAITED":"2"}'
like "$out" '"conflict".*v15 is being launched for a push by' \
	'who waits too long is told'
let_go reference-transaction
ended
is "$status" 0 'the push is none the worse'

# --- who ends a trial

sed 's/^timeout = .*/timeout = 8/' "$dir/slugd.ini" >../ini &&
	mv ../ini "$dir/slugd.ini"
kill -HUP "$slugd_pid"
printf '#!/bin/sh\necho not today >&2\nexit 1\n' >"$repo/hooks/update"
chmod +x "$repo/hooks/update"
run git push --force heroku HEAD~1:master
is "$status" 1 'git refuses what was tried'
like "$err" '^remote: not today' 'on a line of its own'
unlike "$err" Launching 'nothing is launched'
within 20 has_trial null
ok $? 'the trial is ended'
within 20 is_free
is "$(page)" bounded 'the one before answers'
is "$(newest version)" 15 'no number is used'
rm "$repo/hooks/update"

tried 'receive-pack is killed'
kill -KILL "$receive"
let_go reference-transaction
ended
within 20 has_trial null
ok $? 'git-receive-pack is killed: the trial is ended'
is "$(newest version) $(page)" '15 bounded' 'and nothing else happens'
run git heroku config:set FREE=1
is "$status:$err" '0:' 'the lane is free'
version=16

tried 'slugd is killed'
stop_slugd KILL
let_go reference-transaction
ended
is "$status" 0 'slugd is killed before the ref moves: git goes on'
start_slugd || exit 1
within 20 has_status v17 succeeded
ok $? 'the next slugd settles and launches it'
is "$(page) $(grep -c 'trying v17' "$scratch/slugd.log") $(
	grep -c 'launching v17' "$scratch/slugd.log")" \
	'slugd is killed 1 0' 'by the trial that is there'

tried 'slugd comes back'
stop_slugd KILL
start_slugd || exit 1
ok "$(busy 'v18 is being launched for a push by .*'; echo $?)" \
	'slugd comes back before the ref moves: the lane is taken again'
let_go reference-transaction
ended
like "$out" 'Launching\.\.\. done, v18 deployed to Heroku' 'the push ends well'
is "$(page)" 'slugd comes back' 'and its release answers'

hold slugpack
printf '%b' "web: sleep 2; exec perl server.pl\n" >Procfile
git add Procfile
commit 'killed during the trial'
git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
pusher=$!
held slugpack
let_go slugpack
within 20 logged 'trying v19'
stop_slugd KILL
ended
is "$status" 1 'slugd is killed during the trial: the push is refused'
start_slugd || exit 1
within 20 has_trial null
ok $? 'the next slugd ends the trial'
is "$(newest version) $(page)" '18 slugd comes back' 'and that is all'

tried 'slugrun is killed'
pkill -KILL -f "slugrun $dir/apps/myapp\$"
let_go reference-transaction
ended
is "$status" 0 'slugrun is killed after the trial: the push goes on'
like "$out" 'done, v19 deployed' 'and its release is launched'
is "$(page)" 'slugrun is killed' 'from nothing'

# --- nothing to try

printf 'worker: exec sleep 100\n' >Procfile
git add Procfile
commit 'no web'
run git push heroku master
is "$(printf '%s\n' "$err" | sed -n 's/^remote: \(-----> L.*[^ ]\) *$/\1/p')" \
	'-----> Launching... nothing to launch, v20 recorded' \
	'where no process is to run, the line says so'

# --- many changes in a row

: >"$scratch/slugd.log"
deploy "web: sleep 0.5; exec perl server.pl\n" slow
for i in 1 2 3 4 5 6 7 8 9 10; do
	api PATCH /apps/myapp/config-vars -d "{\"N\":\"$i\"}" >/dev/null
done
is "$(newest version)" 31 'ten changes are ten releases'
within 20 has_status v31 succeeded
ok $? 'the last one runs'
is "$(releases myapp status | tail -n 10 | sort -u)" succeeded \
	'none of them failed'
n=$(grep -c 'launching v' "$scratch/slugd.log")
ok "$([ "$n" -lt 10 ]; echo $?)" 'but not all were launched'
like "$(for v in 22 23 24 25 26 27 28 29 30; do
	git heroku releases:output "v$v"
done)" '^superseded by v[23][0-9]$' 'which is said'
api PATCH /apps/myapp/config-vars -d '{"N":"11"}' >/dev/null
api PATCH /apps/myapp/config-vars -d '{"N":"12"}' >/dev/null
api PATCH /apps/myapp/config-vars -d '{"PERL5OPT":"-MNo::Such"}' >/dev/null
within 20 has_status v34 failed
within 20 has_status v33 succeeded
ok $? 'where the last one fails, the one before it is launched after all'
like "$(slugrun)" '"version":33[,}]' 'and runs'
is_sound 'after all this'

# --- a machine that comes back

stop_slugd KILL
pkill -KILL -f "slugrun.* $dir/apps/" || :
find "$dir" -name haproxy.pid -exec sh -c 'kill -KILL "$(cat "$1")"' sh {} \;
within 20 no_page
start_slugd || exit 1
within 20 page
is "$(page) $(newest version)" 'slow 34' \
	'after the end of everything, the current release runs again'

# --- gc while a slug is on trial

# unpacking WORDS: a push, until its trial unpacks; then gc.
unpacking() {
	printf '%b' "$good" >Procfile
	echo "$1" >index.html
	head -c 100000 /dev/urandom >noise
	git add Procfile index.html noise
	commit "$1"
	hold slugunpack
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
	held slugunpack || diag 'no slugunpack'
	head -c 3000 /dev/zero >"$dir/segments/$(printf '%064d' 0)"
	run slugctl -d "$dir" gc
	is "$status:$out" '0:freed 2.9K, 0 releases expired' \
		"$1: gc goes on while its trial does"
}
within 20 has_status v34 failed
slugctl -d "$dir" gc >/dev/null
before=$(ls "$dir/slugs" "$dir/segments")
unpacking 'slugd is killed in a trial'
stop_slugd KILL
let_go slugunpack
ended
is "$status" 1 'the push is refused'
start_slugd || exit 1
slugctl -d "$dir" gc >/dev/null
is "$(ls "$dir/slugs" "$dir/segments")" "$before" \
	'the next slugd lets the slug go, and what only it had'
unpacking 'kept by gc'
let_go slugunpack
ended
is "$status:$(page)" '0:kept by gc' 'the push goes on, and its release runs'
is_sound 'at the end'

finish
