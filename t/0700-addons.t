#!/bin/sh
# SPDX-License-Identifier: ISC
# Add-ons of a program: what it is told, and what becomes of it where the
# program fails.
# shellcheck disable=SC2016 # what stands in single quotes is for the program
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/addons.sh
. "$t/lib/addons.sh"

# The provider: it notes each call, does what the file of the action's name
# says, and answers.
mkdir ctl
cat >provider <<EOT
#!/bin/sh
ctl=$scratch/ctl
action=\$1
cat >"\$ctl/order"
id=\$(sed 's/.*"addon": *{"id": *"\([^"]*\)".*/\1/' "\$ctl/order")
plan=\$(sed 's/.*"plan": *"\([^"]*\)".*/\1/' "\$ctl/order")
echo "\$action \$plan \$id" >>"\$ctl/calls"
answer="{\"config\": {\"BOX_URL\": \"box://\$plan/\$action\"}}"
[ ! -e "\$ctl/\$action" ] || . "\$ctl/\$action"
echo "\$answer"
EOT
chmod +x provider

make_dir '[addon box]' 'plans = free:0, big:20' \
	"provider = exec:$scratch/provider" 'timeout = 5' \
	'config.BOX_REGION = here' \
	'[addon slow]' 'plans = free:0' "provider = exec:$scratch/provider" \
	'timeout = 30' \
	'[addon gone]' 'plans = free:0' "provider = exec:$scratch/nowhere" \
	'[addon plain]' 'plans = free:0' "provider = exec:$scratch/calls"
touch calls
start_slugd || exit 1
make_app myapp >/dev/null || exit 1

# calls: the calls since the last look, without ids
calls() {
	cut -d' ' -f1,2 ctl/calls 2>/dev/null | tr '\n' ',' | sed 's/,$//'
	rm -f ctl/calls
}

# when ACTION LINE...: what the provider then does
when() {
	action=$1
	shift
	printf '%s\n' "$@" >"ctl/$action"
}

for file in "$t"/../contrib/addons/*; do
	is "$(perl -I"$t/../contrib/addons" -wc "$file" 2>&1)" \
		"$file syntax OK" "${file##*/}: perl has no complaint"
done

# --- what a program is told, and what it gives ---

when create 'pwd >$ctl/pwd; env | sort >$ctl/env; umask >$ctl/umask' \
	'ls -ld . >$ctl/ls; ls -l /proc/self/fd | grep -c "[>]" >$ctl/fds'
create box
is "$code" 201 'create'
is "$(newest)" 'v2 Add-on add box:free' 'is a release'
is "$(var BOX_URL)" 'box://box:free/create' 'with what the program gave'
is "$(var BOX_REGION)" '(none)' 'and not with what it was given'
state=$dir/addons/box
is "$(cat ctl/pwd)" "$state" 'its folder is DIR/addons/SERVICE'
like "$(cat ctl/ls)" '^drwx------' 'which nobody else can read'
is "$(grep -v -e '^_=' -e '^PWD=' -e '^OLDPWD=' -e '^SHLVL=' ctl/env |
	tr '\n' ' ')" \
	"HOME=/ LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SLUGD_ADDON_DIR=$state " \
	'its environment is no other than that'
is "$(perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>);
	print join " ", $o->{action}, $o->{app}{name}, $o->{addon}{name},
		$o->{addon}{plan}, $o->{defaults}{BOX_REGION},
		length $o->{addon}{id}, length $o->{app}{id},
		scalar keys %{$o->{config}}' <ctl/order)" \
	'create myapp box box:free here 36 36 0' 'its order'
is "$(calls)" 'create box:free' 'it was called once'
is "$(find "$dir/addons" -name '*.pid')" '' 'no record of its run is left'
rm ctl/create

# --- change and rotate are releases ---

change box big
is "$code:$(newest)" '200:v3 Add-on change box:big' 'an upgrade is a release'
is "$(var BOX_URL)" 'box://box:big/change' 'with its new values'
is "$(perl -MJSON::PP -e 'local $/; print decode_json(<STDIN>)->{config}{BOX_URL}' \
	<ctl/order)" 'box://box:free/create' 'the order has what it gave last'
change box box:free
is "$code:$(newest)" '200:v4 Add-on change box:free' 'and so is a downgrade'
rotate box
is "$code:$(newest)" '200:v5 Add-on rotate box:free' 'and so is rotate'
is "$(var BOX_URL)" 'box://box:free/rotate' 'rotate gives new values'
is "$(calls)" 'change box:big,change box:free,rotate box:free' \
	'one call each'

change box free
is "$code:$(message)" '409:box has the plan box:free already' \
	'the same plan is refused'
change box gone:free
is "$code:$(message)" '422:box is an add-on of box, not of gone' \
	'another service is refused'
change box huge
is "$code:$(message)" "404:Couldn't find that add-on plan: box:huge" \
	'an unknown plan is refused'
change nope free
is "$code" 404 'so is an unknown add-on'
rotate nope
is "$code" 404 'rotate, too'
addon PATCH box '{}'
is "$code:$(message)" '422:plan is missing' 'a request without a plan'
is "$(newest)/$(calls)" 'v5 Add-on rotate box:free/' \
	'and the program was not called'

# A change or a rotation that fails: the program is to put back what was.
when change 'echo no room >&2; exit 3'
change box big
is "$code:$(message)" \
	'503:The provider of box failed: it exited with 3: no room' \
	'a change that fails, in words'
is "$(calls)" 'change box:big,resume box:free' \
	'the program is told to put things back'
rm ctl/change
when rotate 'answer="{\"config\": {\"MINE\": \"x\"}}"'
api PATCH /apps/myapp/config-vars -H 'Content-Type: application/json' \
	-d '{"MINE": "1"}' >/dev/null
rotate box
is "$code:$(message)" \
	'409:MINE is set already; unset it first: git heroku config:unset MINE' \
	'a rotation that gives a key of the user'
is "$(calls)" 'rotate box:free,resume box:free' \
	'the program is told to put things back then, too'
is "$(perl -MJSON::PP -e 'local $/; my $o = decode_json(<STDIN>);
	print $o->{config}{BOX_URL}' <ctl/order)" 'box://box:free/rotate' \
	'as the app has them'
is "$(newest)/$(var BOX_URL)" 'v6 Config add MINE/box://box:free/rotate' \
	'and there is no release'
rm ctl/rotate

# Rolling back keeps today's values of add-ons.
(cd work && git push -q heroku master 2>/dev/null)
api PATCH /apps/myapp/config-vars -H 'Content-Type: application/json' \
	-d '{"MINE": "2"}' >/dev/null
rotate box
when rotate 'answer="{\"config\": {\"BOX_URL\": \"box://today\"}}"'
rotate box
api POST /apps/myapp/releases -H 'Content-Type: application/json' \
	-d '{"release": "v7"}' >/dev/null
is "$(newest)" 'v11 Rollback to v7' 'a rollback'
is "$(var MINE)/$(var BOX_URL)" '1/box://today' \
	"takes the user's values of then, and the add-on's of today"
rm ctl/rotate ctl/calls

# --- destroy ---

when destroy 'echo stuck >&2; exit 1'
destroy box
is "$code:$(message)" \
	'503:The provider of box failed: it exited with 1: stuck' \
	'destroy that fails, in words'
is "$(newest)/$(var BOX_URL)" 'v11 Rollback to v7/box://today' \
	'no release then, and the values stay'
addon GET
like "$body" '"state":"provisioned"' 'and it is as it was'
stop_slugd && start_slugd
within 20 grep -q '^resume' ctl/calls
is "$(calls | grep -c '^destroy')" 1 'the next start does not destroy it'
is "$(newest)/$(var BOX_URL)" 'v11 Rollback to v7/box://today' \
	'nor forget it'
rm ctl/destroy
destroy box
is "$code:$(newest)" '200:v12 Add-on remove box:free' 'destroy, again'
is "$(var BOX_URL)" '(none)' 'the values are gone'
addon GET
is "$body" '[]' 'and the add-on'
when destroy 'answer="no JSON"'
rm -f ctl/calls
create box && destroy box
is "$code:$(newest)" '200:v14 Add-on remove box:free' \
	'destroy need not answer'
rm ctl/destroy ctl/calls

# --- create that fails leaves nothing ---

# refused NAME WORDS: no add-on, no release, and destroy was called
refused() {
	is "$(message)" "$2" "$1: the words"
	like "$code" '^(409|422|503)$' "$1: the status"
	addon GET
	is "$body/$(newest)" '[]/v14 Add-on remove box:free' \
		"$1: neither add-on nor release"
}

# fails NAME WORDS LINE...: create, while the program does that
fails() {
	name=$1
	words=$2
	shift 2
	when create "$@"
	create box
	is "$(cut -d' ' -f3 ctl/calls | sort -u | wc -l)" 1 \
		"$name: create and destroy have one id"
	is "$(calls)" 'create box:free,destroy box:free' \
		"$name: destroy was called"
	refused "$name" "$words"
	rm ctl/create
}

failed='The provider of box failed:'
fails 'exit 1' "$failed it exited with 1: out of boxes" \
	'echo first >&2; echo out of boxes >&2; exit 1'
like "$(cat slugd.log)" 'addon=box app=myapp create: first' \
	'what it says on standard error is kept'
fails 'exit 1 with an answer' "$failed it exited with 1" \
	'echo "$answer"; exit 1'
fails 'no JSON' "$failed its answer is no JSON" 'answer="BOX_URL=1"'
fails 'two answers' "$failed its answer is no JSON" 'echo "$answer"'
fails 'no answer' "$failed its answer is no JSON" 'answer='
fails 'a list' "$failed its answer has no \"config\"" 'answer="[]"'
fails 'no config' "$failed its answer has no \"config\"" 'answer="{}"'
fails 'config that is none' "$failed its answer has no \"config\"" \
	'answer="{\"config\": [\"A\"]}"'
fails '10 MB' "$failed it answered with more than 65536 bytes" \
	'head -c 10485760 /dev/zero'
fails '10 MB of complaint, and exit 2' "$failed it exited with 2: the end" \
	'yes | head -c 10485760 >&2; echo the end >&2; exit 2'
is "$(grep -c 'create: y' slugd.log | awk '{ print $1 < 2100 }')" 1 \
	'of which the end is kept'
fails 'it hangs' "$failed it did not end within 5 seconds" "sleep 100.$$"
fails 'it closes everything and hangs' \
	"$failed it did not end within 5 seconds" "exec >&- 2>&- <&-; sleep 101.$$"
fails 'it dies by a signal' "$failed it was ended by signal 9" 'kill -9 $$'
fails 'it dies, and a child of it lives on' \
	"$failed it was ended by signal 9" "sleep 102.$$ &" 'kill -9 $$'
ok "$(within 20 sh -c "! pgrep -fx 'sleep 10[012]\\.$$'"; echo $?)" \
	'nothing of these is left running'
fails 'terminal escapes' "$failed it exited with 1: \\x1b[31mred" \
	'printf "\033[31mred\n" >&2; exit 1'
fails 'a bad key' \
	"$failed config var '1BAD' must be letters, digits and underscores, and not begin with a digit" \
	'answer="{\"config\": {\"1BAD\": \"x\"}}"'
fails 'a number' "$failed BOX_URL of its answer is not a string" \
	'answer="{\"config\": {\"BOX_URL\": 1}}"'
fails 'null' "$failed BOX_URL of its answer is not a string" \
	'answer="{\"config\": {\"BOX_URL\": null}}"'
fails 'NUL' "$failed its answer is no JSON" \
	"answer='{\"config\": {\"BOX_URL\": \"a\\\\u0000b\"}}'"
fails 'not UTF-8' "$failed its answer is no JSON" \
	"answer=\$(printf '{\"config\": {\"BOX_URL\": \"\\\\377\"}}')"
fails "the user's key" \
	'MINE is set already; unset it first: git heroku config:unset MINE' \
	'answer="{\"config\": {\"MINE\": \"theirs\"}}"'
is "$(var MINE)" 1 "the user's value stays"
create gone
refused 'a program that is not there' \
	"The provider of gone failed: cannot run $scratch/nowhere: No such file or directory"
create plain
refused 'a program that is not executable' \
	"The provider of plain failed: cannot run $scratch/calls: Permission denied"
when create 'exit 1'
when destroy 'exit 1'
create box
like "$(message)" "$failed it exited with 1" \
	'a program whose destroy fails, too: the words'
like "$(message)" 'half made .*starts, or by: git heroku addons:destroy box' \
	'and what becomes of it'
like "$(cat slugd.log)" 'what was half made, of the id [0-9a-f-]{36}, may be left' \
	'its id is kept in the log'
addon GET
like "$body" '"state":"provisioning"' 'and a row, of what is not whole'
is "$(newest)/$(var BOX_URL)" 'v14 Add-on remove box:free/(none)' \
	'no release, and no values'
# ids: of the calls since the last look
ids() {
	cut -d' ' -f1,3 ctl/calls
}
half=$(ids | sed -n 's/^create //p')
rm ctl/calls
create box
like "$code:$(message)" '^503:What was half made before could not be destroyed' \
	'it is destroyed before another one is created'
destroy box
is "$code:$(message)" "503:$failed it exited with 1" 'or by the user'
is "$(ids)" "destroy $half
destroy $half" 'by its id'
rm ctl/calls
stop_slugd && start_slugd
within 20 test -s ctl/calls
is "$(ids)" "destroy $half" 'and by the next start'
rm ctl/create ctl/destroy
within 20 create box
is "$code:$(newest)" '201:v15 Add-on add box:free' 'then there is another one'
is "$(ids | sed -n "s/^destroy $half/half/p" | sort -u)" half \
	'and the half one is gone'
# shellcheck disable=SC2119 # of all
destroy box
when create 'exit 1'
when destroy 'exit 1'
create box
rm ctl/create ctl/destroy ctl/calls
destroy box
addon GET
is "$code:$body:$(newest)" '200:[]:v16 Add-on remove box:free' \
	'the user destroys what is half made, which makes no release'

# --- destroyed, and the release cannot be written ---

create box
sqlite3 slugd/ledger.db "CREATE TRIGGER no_addon_release BEFORE INSERT ON
	release WHEN NEW.kind = 'addon' BEGIN SELECT RAISE(ABORT, 'no'); END"
destroy box
isnt "$code" 200 'the provider has destroyed it, and the ledger fails'
when destroy 'exit 1'
rm ctl/calls
destroy box
addon GET box
like "$body" '"state":"deprovisioning"' 'it does not come back'
ok "$(test ! -e ctl/calls; echo $?)" 'its provider is not asked again'
sqlite3 slugd/ledger.db 'DROP TRIGGER no_addon_release'
destroy box
is "$code:$(newest)" '200:v18 Add-on remove box:free' 'the ledger follows'
ok "$(test ! -e ctl/calls; echo $?)" 'without the provider'
# Nor does what was perhaps destroyed before slugd was killed.
rm ctl/destroy
create box
sqlite3 slugd/ledger.db "UPDATE addon SET state = 'deprovisioning'
	WHERE destroyed_at IS NULL"
when destroy 'exit 1'
destroy box
addon GET box
like "$body" '"state":"deprovisioning"' \
	'what was perhaps destroyed is not whole again'
rm ctl/destroy
destroy box
is "$code:$(newest)" '200:v20 Add-on remove box:free' 'until it is gone'
rm -f ctl/calls

# A key that another add-on gives; and a child that keeps standard output.
when create 'answer="{\"config\": {\"MEMCACHIER_SERVERS\": \"x\"}}"'
create memcachier
create box
is "$code:$(message)" \
	'409:MEMCACHIER_SERVERS is provided by the add-on memcachier' \
	'a key of another add-on'
is "$(calls)" 'create box:free,destroy box:free' 'destroy was called'
when create 'sleep 103 &' 'echo $! >$ctl/child'
create box
is "$code:$(newest)" '201:v22 Add-on add box:free' \
	'a child that keeps standard output does not hold it up'
ok "$(kill "$(cat ctl/child)" 2>/dev/null; echo $?)" 'and is left alone'
create box
is "$code:$(message)" '409:box is already added (box:free)' 'create, again'
destroy box
rm ctl/create

# --- two clients at a time ---

rm -f ctl/calls
when create 'echo >$ctl/waiting; until [ -e $ctl/go ]; do sleep 0.02; done'
id=$(api GET /apps/myapp | perl -MJSON::PP -e 'local $/;
	print decode_json(<STDIN>)->{id}')
for app in myapp myapp "$id"; do
	api POST "/apps/$app/addons" -H 'Content-Type: application/json' \
		-d '{"plan": "slow"}' -o "body.$app" -w '%{http_code}\n' \
		>>codes &
	clients="${clients-} $!"
done
ok "$(within 20 test -s ctl/waiting; echo $?)" 'one is at work'
addon GET slow
like "$body" '"state":"provisioning"' 'the add-on is seen coming'
touch ctl/go
# shellcheck disable=SC2086 # words
wait $clients
is "$(sort codes | tr '\n' ' ')" '201 409 409 ' 'one of three creates'
is "$(calls)" 'create slow:free' 'by one call'
destroy slow
is "$(newest)" 'v25 Add-on remove slow:free' 'it goes'
rm -f ctl/calls ctl/go ctl/waiting

# The app's id is no second way in.
rm ctl/create
create slow
when rotate 'echo >$ctl/waiting; echo >$ctl/busy' \
	'until [ -e $ctl/go ]; do sleep 0.02; done; rm $ctl/busy'
when destroy '[ ! -e $ctl/busy ] || echo >$ctl/clash'
api POST /apps/myapp/addons/slow/actions/rotate >/dev/null &
clients=$!
within 20 test -s ctl/waiting
api DELETE "/apps/$id/addons/slow" >/dev/null &
clients="$clients $!"
within 1 test -e ctl/clash
touch ctl/go
# shellcheck disable=SC2086 # words
wait $clients
is "$(calls):$(ls ctl/clash 2>/dev/null)" \
	'create slow:free,rotate slow:free,destroy slow:free:' \
	'one call at a time for an app, by whichever of its names'
is "$(newest)" 'v28 Add-on remove slow:free' 'in their order'
rm -f ctl/rotate ctl/destroy ctl/go ctl/waiting

# --- slugd is killed ---

# killed METHOD PATH JSON: while the program is at work; sets $orphan
killed() {
	rm -f ctl/waiting ctl/go ctl/late
	api "$1" "/apps/myapp/addons$2" -H 'Content-Type: application/json' \
		-d "$3" >/dev/null 2>&1 &
	client=$!
	within 20 test -s ctl/waiting
	stop_slugd KILL
	wait "$client"
}

waits='echo $$ >$ctl/waiting; until [ -e $ctl/go ]; do sleep 0.02; done;
	echo >$ctl/late'
# shellcheck disable=SC2317 # within calls it
settled() {
	addon GET
	! printf '%s' "$body" | grep -q 'provisioning"'
}

when create "$waits"
killed POST '' '{"plan": "slow"}'
ok "$(kill -0 "$(cat ctl/waiting)"; echo $?)" \
	'slugd is killed while the program creates'
start_slugd
ok "$(within 20 settled; echo $?)" 'after a start there is no half add-on'
is "$(calls)" 'create slow:free,destroy slow:free' 'the program undid it'
touch ctl/go
is "$(ps -o stat= -p "$(cat ctl/waiting)" | grep -v Z)" '' \
	'after the one that was at work had been ended'
ok "$(test ! -e ctl/late; echo $?)" 'so it did nothing more'
addon GET
unlike "$body" slow 'it is not listed'
is "$(newest)" 'v28 Add-on remove slow:free' 'and there is no release'
rm -f ctl/create
create slow
is "$code:$(newest)" '201:v29 Add-on add slow:free' 'it can be created again'

when destroy "$waits"
killed DELETE /slow '{}'
rm -f ctl/calls ctl/destroy
start_slugd
ok "$(within 20 settled; echo $?)" \
	'slugd is killed while the program destroys'
is "$(newest)" 'v30 Add-on remove slow:free' 'which is finished at its start'
ok "$(within 20 test -s ctl/calls; echo $?)" 'by a further call'
is "$(calls)" 'destroy slow:free' 'of destroy'
is "$(var BOX_URL)" '(none)' 'the values are gone'

create slow
when rotate "$waits"
killed POST /slow/actions/rotate '{}'
rm -f ctl/calls ctl/rotate
start_slugd
ok "$(within 20 test -s ctl/calls; echo $?)" \
	'slugd is killed while the program rotates'
is "$(calls)" 'resume slow:free' 'at its start it puts back what was'
like "$(cat ctl/order)" '"BOX_URL": *"box://slow:free/create"' \
	'as the app has it'
is "$(newest)" 'v31 Add-on add slow:free' 'there is no release'

# --- every start resumes; who cannot, is only noted ---

when resume 'echo unknown action >&2; exit 1'
stop_slugd
start_slugd
# shellcheck disable=SC2317 # within calls it
noted() {
	grep -q 'app=myapp addon=slow: cannot be resumed: The provider of slow failed: it exited with 1: unknown action' \
		slugd.log
}
ok "$(within 20 noted; echo $?)" 'a program that cannot resume is noted'
addon GET slow
like "$body" '"state":"provisioned"' 'and its add-on stays'
rm -f ctl/resume

# --- a service that left slugd.ini ---

stop_slugd
sed '/^\[addon slow\]/,/^timeout/d' slugd/slugd.ini >ini &&
	mv ini slugd/slugd.ini
start_slugd
rm -f ctl/calls
rotate slow
is "$code:$(message)" "404:Couldn't find that add-on service: slow" \
	'rotate where the service left slugd.ini'
change slow slow:free
is "$code" 404 'change'
destroy slow
is "$code:$(newest)" '200:v32 Add-on remove slow:free' 'destroy goes through'
is "$(calls)" '' 'with nobody to ask'

# --- config_file ---

stop_slugd
printf '[addon file]\nplans = free:0\nconfig_file = %s\n' "$scratch/file.env" \
	>>slugd/slugd.ini
run slugd -d "$dir"
is "$status" 1 'a config_file that is not there: slugd does not start'
like "$err" "config_file: $scratch/file.env: No such file" 'and says so'
printf 'GOOD=1\nnonsense\n' >file.env
run slugd -d "$dir"
is "$status" 1 'a mistake in it: neither'
like "$err" "slugd.ini.*config_file: $scratch/file.env: line 2: expected KEY=VALUE" \
	'with file and line'
printf 'GOOD=1\nBAD="open\n\n' >file.env
run slugd -d "$dir"
like "$err" "$scratch/file.env: line 2: the quotes are not closed" \
	'quotes that are not closed'
printf 'FILE_CERT="one\ntwo"\n' >file.env
start_slugd
create file
is "$(var FILE_CERT)" "$(printf 'one\ntwo')" 'a value of two lines'
destroy file
stop_slugd
run slugctl -d "$dir" fsck
is "$status" 0 'slugctl fsck is content'

finish
