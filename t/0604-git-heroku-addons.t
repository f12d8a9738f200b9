#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku addons, addons:create, addons:destroy, and info.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir '[addon redis]' 'plans = small:0, large:250.50' \
	'config.REDIS_URL = redis://127.0.0.1/' "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

newest() {
	git heroku releases -n 1 | sed -n '3s/ .*//p'
}

refused() {
	name=$1
	shift
	is "$status:$out" '1:' "$name: exit 1, nothing on standard output"
	is "$err" "$(printf ' !    %s\n' "$@")" "$name: the words"
}

# answer LINE COMMAND...: the same as run, with LINE on standard input.
answer() {
	line=$1
	shift
	printf '%s\n' "$line" | "$@" >"$scratch/.out" 2>"$scratch/.err"
	status=$?
	out=$(cat "$scratch/.out")
	err=$(cat "$scratch/.err")
}

warning=' !    WARNING: Destructive Action
 !    This command will affect the app: myapp
 !    To proceed, type "myapp" or re-run this command with --confirm myapp'

run git heroku addons
is "$status:$out" '0:myapp has no add-ons.' 'addons of a new app'
run git heroku addons --json
is "$out" '[]' 'addons --json of a new app'
run git heroku addons:create memcachier
is "$status:$err" '0:' 'addons:create: exit 0'
is "$out" 'Adding memcachier to myapp... done, v2 (free)' \
	'article: addons:create says the release and the price'
run git heroku addons
is "$status:$out" '0:memcachier:free' 'addons'
run git heroku addons --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; my $a = decode_json(<STDIN>)->[0];
	print "$a->{name} $a->{plan}{name} $a->{addon_service}{name}"')" \
	'memcachier memcachier:free memcachier' 'addons --json'

# Wrong input leaves no release.
for plan in memcachier memcachier:100 memcachier:nope nope nope:free :free; do
	run git heroku addons:create "$plan"
	is "$status" 1 "addons:create '$plan', a second time or unknown: exit 1"
	like "$out" '\.\.\. failed$' "addons:create '$plan': the line says so"
	like "$err" '^ !    ' "addons:create '$plan': words"
done
run git heroku addons:destroy nope --confirm myapp
is "$status:$out" '1:' 'addons:destroy of an unknown one: exit 1'
like "$err" '^ !    ' 'and words'
run git heroku addons:destroy ''
like "$err" '^ !    Invalid argument: ""$' 'addons:destroy of nothing'
run git heroku addons:destroy memcachier --confirm other
refused 'addons:destroy with another app' \
	'Confirmed app other did not match the selected app myapp.'
run git heroku addons:destroy memcachier
is "$status:$out" '1:> ' 'a closed standard input is no yes: exit 1'
is "$err" "$warning

 !    Confirmation did not match myapp. Aborted." 'and the words'
answer other git heroku addons:destroy memcachier
is "$status:$out" '1:> ' 'nor is another name: exit 1'
is "$err" "$warning

 !    Confirmation did not match myapp. Aborted." 'and the words'
is "$(newest)" v2 'none of them made a release'

answer myapp git heroku addons:destroy memcachier
is "$status" 0 'addons:destroy, with the name typed: exit 0'
is "$out" '> 
Removing memcachier from myapp... done, v3 (free)' \
	'article: removing an add-on makes a release'
run git heroku addons:create memcachier:100
# shellcheck disable=SC2016
is "$out" 'Adding memcachier:100 to myapp... done, v4 ($15/mo)' \
	'a plan that costs'
run git heroku addons:destroy memcachier --confirm myapp
# shellcheck disable=SC2016
is "$out" 'Removing memcachier from myapp... done, v5 ($15/mo)' \
	'addons:destroy --confirm'
like "$(git heroku releases -n 1)" '^v5    Add-on remove memcachier:100 ' \
	'described'
run git heroku config
is "$out" 'myapp has no config vars.' 'its config vars are gone'

# Another plan.
git heroku addons:create memcachier >/dev/null
run git heroku addons:upgrade memcachier memcachier:100
is "$status:$err" '0:' 'addons:upgrade: exit 0'
# shellcheck disable=SC2016
is "$out" 'Changing memcachier on myapp to memcachier:100... done, v7 ($15/mo)' \
	'addons:upgrade says the plan, the release and the price'
run git heroku addons
is "$out" 'memcachier:100' 'and the add-on has it'
run git heroku addons:downgrade memcachier free
is "$status:$out" \
	'0:Changing memcachier on myapp to memcachier:free... done, v8 (free)' \
	'addons:downgrade, to a plan without its service'
run git heroku addons:upgrade memcachier:100
# shellcheck disable=SC2016
is "$out" 'Changing memcachier on myapp to memcachier:100... done, v9 ($15/mo)' \
	'SERVICE:PLAN alone'
like "$(git heroku releases -n 1)" '^v9    Add-on change memcachier:100 ' \
	'each is a release'
run git heroku addons:upgrade redis:large
refused 'SERVICE:PLAN of a service without an add-on' \
	'myapp has no add-on of redis.'
run git heroku addons:upgrade memcachier
refused 'without a plan' 'Specify the new plan, as in memcachier:PLAN.'
run git heroku addons:upgrade '' memcachier:100
like "$err" '^ !    Invalid argument: ""$' 'of nothing'
run git heroku addons:upgrade
refused 'alone' 'Usage: git heroku addons:upgrade [NAME] PLAN' \
	'Must specify SERVICE:PLAN, or NAME and PLAN.'
run git heroku addons:upgrade nope 100
is "$status:$out" '1:' 'of an unknown add-on: exit 1'
like "$err" '^ !    .*nope' 'of an unknown add-on: words'
for plan in memcachier:nope nope:100 redis:small memcachier:100 memcachier:; do
	run git heroku addons:upgrade memcachier $plan
	is "$status" 1 "addons:upgrade memcachier $plan: exit 1"
	like "$out" '\.\.\. failed$' "addons:upgrade $plan: the line says so"
	like "$err" '^ !    ' "addons:upgrade $plan: words"
done
run git heroku addons:rotate nope
is "$status" 1 'addons:rotate of an unknown one: exit 1'
like "$err" '^ !    .*nope' 'and words'
is "$(newest)" v9 'none of them made a release'
run git heroku addons:rotate memcachier
is "$status" 0 'addons:rotate: exit 0'
like "$out" '^Rotating memcachier on myapp\.\.\. done, ' 'addons:rotate'

# What there is.
run git heroku addons:services
is "$status:$out" '0:Slug        Name        State
----------  ----------  -----
memcachier  memcachier  ga
redis       redis       ga' 'addons:services'
run git heroku addons:services --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; print join " ", map { $_->{name} } @{decode_json(<STDIN>)}')" \
	'memcachier redis' 'addons:services --json'
(cd "$scratch" && SLUGD_DIR=$dir git heroku addons:services >services 2>&1
	SLUGD_DIR=$dir git heroku addons:plans redis >plans 2>&1)
like "$(cat "$scratch/services")" '^redis  *redis  *ga$' \
	'addons:services asks for no app'
like "$(cat "$scratch/plans")" '^=== redis Plans$' 'nor does addons:plans'
(cd "$scratch" && env -u SLUGD_DIR git heroku addons:services >services 2>&1)
like "$(cat "$scratch/services")" '^ !    Cannot tell which slugd is meant\.$' \
	'but where slugd is must be known'
run git heroku addons:plans redis
# shellcheck disable=SC2016
is "$status:$out" '0:=== redis Plans
         Slug         Name   Price
-------  -----------  -----  ----------
default  redis:small  small  free
         redis:large  large  $250.50/mo' 'addons:plans'
run git heroku addons:plans redis --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/;
	print join " ", map { "$_->{name} $_->{price}{cents}" }
		@{decode_json(<STDIN>)}')" \
	'redis:small 0 redis:large 25050' 'addons:plans --json'
run git heroku addons:plans nope
refused 'addons:plans of an unknown service' \
	"Couldn't find that add-on service: nope"
run git heroku addons:plans ''
like "$err" '^ !    Invalid argument: ""$' 'addons:plans of nothing'
run git heroku addons:info memcachier
# shellcheck disable=SC2016
is "$(printf '%s\n' "$out" | grep -v ^Created)" '=== memcachier
Config Vars: MEMCACHIER_SERVERS
Owning App:  myapp
Plan:        memcachier:100
Price:       $15/mo
State:       provisioned' 'addons:info'
run git heroku addons:info memcachier --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; print decode_json(<STDIN>)->{plan}{name}')" memcachier:100 \
	'addons:info --json'
run git heroku addons:info nope
is "$status:$out" '1:' 'addons:info of an unknown one: exit 1'
like "$err" '^ !    .*nope' 'and words'

run git heroku info
is "$status:$err" '0:' 'info: exit 0'
like "$out" '^=== myapp$' 'info: its name'
like "$out" "^Git URL:     .*/repos/myapp.git$" 'info: its repository'
run git heroku info --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; my $a = decode_json(<STDIN>);
	print $a->{name}, exists $a->{web_url} ? " web_url" : ""')" \
	'myapp web_url' "info --json: the API's app"
# The apps of a server: no app need be named.
slugctl -d "$dir" init another >/dev/null
run git heroku apps
is "$status:$out" '0:=== My Apps
another
myapp' 'apps lists them all'
run git heroku apps --json
like "$out" '"name": "another"' 'apps --json'
(cd / && SLUGD_DIR=$dir git heroku apps >"$scratch/apps")
like "$(cat "$scratch/apps")" '^another$' 'SLUGD_DIR says of which slugd'
run git heroku apps extra
is "$status" 1 'apps takes no argument'
finish
