#!/bin/sh
# SPDX-License-Identifier: ISC
# The house rules that no compiler knows: who may include what, how long a
# function may be, what stands at the top of a file.

. "$(dirname "$0")/lib/test.sh"

top=$(dirname "$t")
cd "$top" || exit 1
rooms='hooks slugd slugpack slugrun git-heroku'

# none NAME: the claim holds where $bad, the list of offenders, is empty.
bad=$scratch/bad
none() {
	is "$(cat "$bad")" '' "$1"
}

# --- each library is known in one place ---

# known_in HEADER ROOM...: one file in each of them includes it, no other.
known_in() {
	header=$1
	shift
	# shellcheck disable=SC2086 # words
	who=$(grep -rl --include='*.[ch]' "^# *include <$header>" \
		common $rooms | sort | tr '\n' ' ')
	is "$(printf '%s' "$who" | sed 's:/[^ ]*::g')" "$(printf '%s ' "$@")" \
		"<$header> is included in one file of $*: $who"
}

known_in jansson.h common
known_in http_parser.h common
known_in microhttpd.h common
known_in ini.h common
known_in uuid/uuid.h common
known_in sqlite3.h slugd
known_in git2.h slugpack
known_in archive.h slugpack slugrun
known_in zstd.h slugpack
known_in zlib.h slugpack
known_in nettle/sha2.h common
known_in seccomp.h common

# What must not be called under a lock of ours has one caller, that checks.
# shellcheck disable=SC2086 # words
grep -rlE --include='*.c' 'MHD_(suspend|resume)_connection\(' common $rooms |
	grep -vx common/http-rest.c >"$bad"
none 'connections are suspended and resumed in common/http-rest.c alone'

# git is started with an environment from nothing, and can fetch nothing.
grep -rlE --include='*.c' 'GIT_PROGRAM \}|"git",$' slugd slugpack slugrun |
	grep -vxE 'slugd/repo\.c|slugpack/catfile\.c|slugd/api\.c' >"$bad"
for file in slugd/repo.c slugpack/catfile.c; do
	grep -q '"GIT_ALLOW_PROTOCOL=none"' $file || echo $file
done >>"$bad"
none 'git is started in two places, where it can fetch nothing'

# --- rooms do not look into each other ---

for room in common $rooms; do
	grep -rHn '^# *include "' "$room" --include='*.[ch]' |
		while IFS=: read -r file line include; do
			header=$(expr "$include" : '.*"\(.*\)"')
			[ -e "$room/$header" ] || [ -e "common/$header" ] ||
				echo "$file:$line: $header"
		done
done >"$bad"
none 'a program includes headers of its own room and of common/ alone'

for header in common/*.h; do
	for room in $rooms; do
		[ ! -e "$room/${header#common/}" ] || echo "$room: $header"
	done
done >"$bad"
none 'no room has a header of the name of one in common/'

for file in common/*.[ch]; do
	grep -q "$file" common/local.mk || echo "$file"
done >"$bad"
none 'libcommon.a is made of all that is in common/'

grep -n 'common/[a-z]*\.[ch]' ./*/local.mk | grep -v '^./common/' >"$bad"
none 'and no program lists a file of it'

# --- common/ decides nothing for its caller ---

calls='exit|_exit|quick_exit|err|errx|warn|warnx|perror|puts|putchar|printf'
grep -nE "(^|[^a-z_])($calls) ?\\(" common/*.c |
	grep -v '__attribute__' >"$bad"
none 'common/ neither exits nor prints'
grep -nE 'stdout|getopt' common/*.c | grep -v '^common/standard\.c:' >"$bad"
none 'nor does it know of options, and one file of standard output'

# --- SQL stands behind the ledger ---

# shellcheck disable=SC2086 # words
grep -rnE --include='*.[ch]' '"(SELECT|INSERT|UPDATE|DELETE FROM|CREATE) ' \
	common $rooms | grep -Ev '^slugd/ledger-sql(ite)?\.c:' >"$bad"
none 'SQL stands in the back end alone'

# --- every file ---

# shellcheck disable=SC2086 # words
find common $rooms t contrib .ci autogen.sh configure.ac Makefile.am \
	-type f | while read -r file; do
	case $file in
	*.[ch] | *.sh | *.t | *.ac | *.am) ;;
	*) head -n 1 "$file" | grep -aq '^#!' || continue ;;
	esac
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
		echo "$file"
done >"$bad"
none 'every source file has its SPDX line'

# shellcheck disable=SC2086 # words
find common $rooms t -name '*.h' | while read -r file; do
	guard=$(basename "$file" | tr 'a-z.-' 'A-Z__')
	grep -q "^#ifndef $guard\$" "$file" || echo "$file: $guard"
done >"$bad"
none 'every header has a guard that is its name'

# A function begins after the last line "{", and ends at "}".
# shellcheck disable=SC2086 # words
find common $rooms t -name '*.c' -exec awk '
	$0 == "{" { start = FNR }
	$0 == "}" && start {
		if (FNR - start - 1 > 80)
			print FILENAME ":" start ": " FNR - start - 1 " lines"
		start = 0
	}' {} + >"$bad"
none 'no function is longer than 80 lines'

# A prototype has a comment above it, with nothing but prototypes between.
awk '
	FNR == 1 { comment = 0 }
	/^\/\*/ { comment = 1 }
	/^$/ { comment = 0 }
	/^[a-z].*[a-z_]\(/ && !/^(typedef|static)/ && !comment {
		print FILENAME ":" FNR ": " $0
	}' common/*.h >"$bad"
none 'every prototype of common/ has a comment'

# --- each header stands alone ---

# shellcheck disable=SC2086 # words
for file in common/*.h $(find $rooms -name '*.h'); do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Werror -fsyntax-only \
		-Icommon -x c "$file" 2>&1 || echo "($file)"
done >"$bad"
none 'every header compiles alone'

finish
