#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku and what goes wrong around it: nothing to go back to, odd names,
# closed streams, a repository that is gone, a clock that was set back.
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

# Nothing to go back to.
run git heroku rollback
is "$status:$out" '1:' 'rollback of a new app: exit 1'
like "$err" '^ !    .*roll back' 'and words'
git push -q heroku master 2>/dev/null
run git heroku rollback
is "$status:$out" '1:' 'rollback with a single deploy: exit 1'
like "$err" '^ !    .*roll back' 'and words'
run git heroku rollback v1
like "$err" '^ !    Cannot roll back to v1' 'v1 has no code to go back to'
is "$(newest)" v2 'neither makes a release'

# Names from outside.
last=$(newest)
export SLUGD_USER
SLUGD_USER=$(printf 'Ada \342\200\256live')
run git heroku config:set A=1
is "$status:$out" '1:' 'a user with a bidirectional override is refused'
like "$err" 'Ada \\xe2\\x80\\xaelive' 'and shown escaped'
SLUGD_USER=$(printf 'a\033[31mb')
run git heroku config:set A=2
is "$status:$out" '1:' 'a user with an escape code is refused: exit 1'
like "$err" '^ !    ' 'and words'
unlike "$err" "$(printf '\033')" 'which do not have it'
SLUGD_USER=$(printf 'Zo\303\253')
run git heroku config:set A=3
is "$status" 0 'a user in UTF-8'
like "$(git heroku releases -n 1)" ' Zoë  *[0-9]' 'is shown as it is'
SLUGD_USER=$(printf '\351')
run git heroku releases
refused 'a user that is not UTF-8' 'SLUGD_USER is not UTF-8'
unset SLUGD_USER
last=$(newest)
run git heroku config:set "A=$(printf '\351')"
refused 'a value that is not UTF-8' 'A is not valid UTF-8.'
run git heroku addons:create "$(printf '\351')"
refused 'an add-on that is not UTF-8' "The add-on's name is not UTF-8."
run git heroku rollback "$(printf '\351')"
refused 'a release that is not UTF-8' "The release's name is not UTF-8."
run git heroku addons:destroy "$(printf 'a\033[31mb')"
is "$status:$out" '1:' 'an add-on with an escape code: exit 1'
unlike "$err" "$(printf '\033')" 'which is not shown'
is "$(newest)" "$last" 'none of them made a release'

# Closed streams.
git heroku addons:create memcachier >/dev/null
last=$(newest)
git heroku addons:destroy memcachier <&- >../got 2>../said
is "$?:$(cat ../got)" '1:> ' 'standard input closed at a question: exit 1'
like "$(cat ../said)" '^ !    Confirmation did not match myapp. Aborted\.$' \
	'which is no yes'
is "$(newest)" "$last" 'nothing is removed'
git-heroku releases >&- 2>../said
is "$?:$(cat ../said)" 0: 'standard output closed is one that nobody reads'
git-heroku releases 2>&- >../got
is "$?:$(wc -l <../got)" '0:6' 'standard error closed: no harm'
git-heroku relases 2>&- >../got
is "$?:$(cat ../got)" '1:' 'nor with an error'
i=0
while [ $i -lt 60 ]; do
	i=$((i + 1))
	printf 'LONG%d=%01000d\n' $i 0
done | git heroku config:set - >/dev/null
# reader COMMAND...: its exit status where nobody reads; what it said is said.
reader() {
	{ { "$@" 2>../said; echo $? >../code; } | true; } 3>&-
	cat ../code
}
for by in git-heroku 'git heroku'; do
	# shellcheck disable=SC2086 # words
	is "$(reader $by config)" 141 "$by config, and nobody reads: SIGPIPE"
	is "$(cat ../said)" '' 'in silence'
done
is "$(trap '' PIPE; reader git-heroku config)" 141 \
	'also where SIGPIPE is ignored'
is "$(cat ../said)" '' 'in silence'
last=$(newest)
is "$(reader git-heroku config:set Z=1)" 141 'a change that nobody reads'
api GET /apps/myapp/config-vars >../got
grep -q '"Z"' ../got
made=$?
case $(newest) in
"$last") is $made 1 'is made with a release, or not at all' ;;
*) is $made 0 'is made with a release, or not at all' ;;
esac

# A clock that was set back: slugd's, and the reader's.
stop_slugd
export SLUGD_TEST_NOW=1284330737
start_slugd || exit 1
last=$(newest)
run git heroku config:set BACK=1
is "$status" 0 'config:set with the clock set back'
is "$(newest)" "v$((${last#v} + 1))" 'is the next release'
run git heroku releases -n 2
like "$out" "^v$((${last#v} + 1)) .* 0 seconds ago\$" 'on top'
like "$out" "^$last .* 0 seconds ago\$" 'above one that lies ahead'
run git heroku rollback
is "$status" 0 'rollback goes by the numbers, not by the time'
like "$out" "^Rolled back to $last\$" 'to the release before'
unset SLUGD_TEST_NOW
stop_slugd
start_slugd || exit 1

# The app's repository was removed by hand.
rm -rf "$dir/repos/myapp.git"
run git heroku releases
refused 'a repository that is gone' \
	"remote 'heroku': there is no repository at $dir/repos/myapp.git"
export SLUGD_DIR="$dir"
run git heroku releases -a myapp -n 1
is "$status:$err" '0:' 'its releases are there'
for cmd in 'config:set GONE=1' 'config:unset GONE' info \
	releases:info releases:output 'releases:diff v2'; do
	# shellcheck disable=SC2086 # words
	run git heroku $cmd -a myapp
	is "$status:$err" '0:' "$cmd goes on"
done
run git heroku deploy -a myapp
is "$status:$out" '1:' 'deploy does not: exit 1'
like "$err" "^ !    .*$dir/repos/myapp.git" 'and says which folder is gone'
run git heroku deploy -a myapp HEAD
is "$status:$out" '1:' 'deploy of a commit: exit 1'
like "$err" "^ !    .*$dir/repos/myapp.git" 'and says so, too'
run git push heroku master
isnt "$status" 0 'a push fails'
run git heroku releases -a myapp
is "$status" 0 'slugd goes on'
stop_slugd
start_slugd
is $? 0 'and starts again'
finish
