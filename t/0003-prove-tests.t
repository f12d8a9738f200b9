#!/bin/sh
# SPDX-License-Identifier: ISC
# How the tests are run: one that fails now and then is told of, one that
# fails twice fails.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

PROVE=$(command -v prove) || skip_all 'no prove'
STATE=$PWD/state
export PROVE STATE
unset SLUGD_FLAKY PROVE_FLAGS

# make_test NAME COMMAND: one claim, which is right where COMMAND succeeds.
make_test() {
	cat >"$1" <<-EOF
	if $2; then echo 'ok 1'; else echo 'not ok 1'; fi
	echo 1..1
	EOF
}
make_test good.t true
make_test bad.t false
make_test 'flaky.t' '[ -e again ] || ! touch again'

run "$t/lib/prove-tests" good.t
is "$status" 0 'tests that pass'
run "$t/lib/prove-tests" good.t flaky.t
is "$status" 1 'a test that fails fails'
rm again
export SLUGD_FLAKY="$PWD/list"
run "$t/lib/prove-tests" good.t flaky.t
is "$status" 0 'where that is wanted, it is run once more'
is "$(printf '%s\n' "$out" | tail -n 1)" \
	'FLAKY: flaky.t failed, and passed when it was run again' \
	'and the last line says so'
is "$(cat list)" "$(printf '%s\n' "$out" | tail -n 1)" 'in the file, too'
is "$(printf '%s\n' "$out" | grep -c '^Files=')" 2 'of all, that one alone'
rm again
run "$t/lib/prove-tests" bad.t flaky.t good.t
is "$status" 1 'one that fails twice fails'
like "$out" '^FLAKY: flaky\.t ' 'another one is still told of'
unlike "$out" '^FLAKY: bad' 'it is not called flaky'
like "$err" 'Failed|' 'prove says what failed'
finish
