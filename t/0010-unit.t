#!/bin/sh
# SPDX-License-Identifier: ISC
# The unit tests of common/: each function of each t/unit/test-NOUN is one
# claim.

. "$(dirname "$0")/lib/test.sh"

[ -x "$TOP_BUILDDIR/t/unit/test-err" ] ||
	skip_all 'built without cmocka'

# The claims of one program, from its own TAP.
report() {
	while IFS= read -r line; do
		case $line in
		'ok '*' - '*)
			ok 0 "$1: ${line#* - }"
			;;
		'not ok '*' - '*)
			ok 1 "$1: ${line#* - }"
			;;
		'#'*)
			printf '%s\n' "$line" >&2
			;;
		esac
	done
}

for source in "$t"/unit/test-*.c; do
	name=$(basename "$source" .c)
	CMOCKA_MESSAGE_OUTPUT=TAP run "$TOP_BUILDDIR/t/unit/$name"
	claims=$tests
	report "${name#test-}" <<-EOF
	$out
	EOF
	[ "$status" -eq 0 ] || diag "$err"
	[ "$tests" -gt "$claims" ]
	is "$status $?" '0 0' "${name#test-}: the program ends well"
done

finish
