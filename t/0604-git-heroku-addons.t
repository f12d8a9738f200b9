#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku addons, addons:create, addons:destroy, and info.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir "$@"
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
for plan in memcachier memcachier:100 memcachier:nope nope nope:free '' :free; do
	run git heroku addons:create "$plan"
	is "$status" 1 "addons:create '$plan', a second time or unknown: exit 1"
	like "$out" '\.\.\. failed$' "addons:create '$plan': the line says so"
	like "$err" '^ !    ' "addons:create '$plan': words"
done
run git heroku addons:destroy nope --confirm myapp
is "$status:$out" '1:' 'addons:destroy of an unknown one: exit 1'
like "$err" '^ !    ' 'and words'
run git heroku addons:destroy ''
refused 'addons:destroy of nothing' "Must specify an add-on's NAME."
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

run git heroku info
is "$status:$err" '0:' 'info: exit 0'
like "$out" '^=== myapp$' 'info: its name'
like "$out" "^Git URL:    .*/repos/myapp.git$" 'info: its repository'
run git heroku info --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; my $a = decode_json(<STDIN>);
	print $a->{name}, exists $a->{web_url} ? " web_url" : ""')" \
	'myapp web_url' "info --json: the API's app"
finish
