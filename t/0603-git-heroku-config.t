#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku config, config:get, config:set and config:unset.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

# newest: the newest release's name.
newest() {
	git heroku releases -n 1 | sed -n '3s/ .*//p'
}

run git heroku config
is "$status:$out" '0:myapp has no config vars.' 'config of a new app'
run git heroku config:set MYVAR=42
is "$status:$err" '0:' 'config:set: exit 0'
is "$out" 'Adding config vars:
  MYVAR => 42
Updating vars and restarting app... done, v2' \
	'article: config:set says the vars and the release'
run git heroku config:set MYVAR=42
is "$status:$err" '0:' 'what is set already: exit 0'
is "$out" 'Adding config vars:
  MYVAR => 42
Updating vars and restarting app... done, nothing changed' 'said in words'
is "$(newest)" v2 'and no release'

run git heroku config:set B= A=1=2 LONG_NAME='two words' A=3 \
	KEY=0123456789abcdefghijKLMNOPQRSTUVWXYZ
is "$out" 'Adding config vars:
  A         => 3
  B         => 
  KEY       => 0123456789abcdef...KLMNOPQRSTUVWXYZ
  LONG_NAME => two words
Updating vars and restarting app... done, v3' \
	'many vars, one release; long values are shortened on the screen'
run git heroku config:get KEY
is "$out" 0123456789abcdefghijKLMNOPQRSTUVWXYZ 'but not in the app'
run git heroku config:set D=x -a myapp -- E=-1 F=--json
is "$(git heroku config:get E)$(git heroku config:get F)" '-1--json' \
	'values that look like options'
git heroku config:set TWO="$(printf 'a\nb\033c')" >/dev/null
run git heroku config
is "$out" 'A         => 3
B         => 
D         => x
E         => -1
F         => --json
KEY       => 0123456789abcdefghijKLMNOPQRSTUVWXYZ
LONG_NAME => two words
MYVAR     => 42
TWO       => a\x0ab\x1bc' 'config: sorted, aligned, escaped'
run git heroku config:get TWO
is "$out" "$(printf 'a\nb\033c')" 'config:get: as it is'
run git heroku config:get NOPE
is "$status:$out:$err" '0::' 'config:get of what is not set: an empty line'
run git heroku config --json
is "$(printf '%s\n' "$out" | perl -MJSON::PP -e '
	local $/; my $c = decode_json(<STDIN>);
	print join ",", map { "$_=$c->{$_}" } sort grep { !/TWO|KEY/ } keys %$c')" \
	'A=3,B=,D=x,E=-1,F=--json,LONG_NAME=two words,MYVAR=42' \
	'config --json: one object of strings'
run git heroku config:get --json MYVAR
is "$out" '"42"' 'config:get --json'

last=$(newest)
run git heroku config:unset A B
is "$status:$err" '0:' 'config:unset: exit 0'
is "$out" "Unsetting A, B and restarting app... done, v$((${last#v} + 1))" \
	'config:unset of two vars: one release'
like "$(git heroku releases -n 1)" 'Config remove A, B ' 'described'

# Wrong input leaves no release.
last=$(newest)
run git heroku config:unset MYVAR A
is "$status:$out" '1:' 'config:unset of what is not set: exit 1'
is "$err" ' !    A is not set on myapp.' 'and words'
run git heroku config:set A-B=1
is "$status" 1 'config:set A-B=1: exit 1'
is "$out" 'Adding config vars:
  A-B => 1
Updating vars and restarting app... failed' 'the line says so'
like "$err" "^ !    .*'A-B'" 'and standard error why'
for bad in BAD =x '' 'A B=1' 1A=1 HEROKU_X=1 __X=1 PORT=1 "$(printf '\351')=1" \
	"A=$(printf '\351')"; do
	run git heroku config:set GOOD=1 "$bad"
	is "$status" 1 "config:set '$bad': exit 1"
	like "$err" '^ !    ' "config:set '$bad': words"
done
is "$(newest)" "$last" 'none of them made a release'
is "$(git heroku config:get GOOD)" '' 'and nothing was set'

# What an add-on provides is the add-on's.
git heroku addons:create memcachier >/dev/null
last=$(newest)
run git heroku config
like "$out" '^MEMCACHIER_SERVERS => 127.0.0.1:11211 \(memcachier\)$' \
	'config marks what an add-on provides'
run git heroku config:set MEMCACHIER_SERVERS=mine
is "$status" 1 'it cannot be set over: exit 1'
like "$err" '^ !    .*memcachier' 'words'
run git heroku config:unset MEMCACHIER_SERVERS
is "$status" 1 'nor unset: exit 1'
like "$err" '^ !    .*memcachier' 'words'
is "$(newest)" "$last" 'neither made a release'
finish
