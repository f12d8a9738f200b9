# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# For tests of launches, after test.sh: what a slugrun and the ledger say.

# slugrun [APP]: its state.
slugrun() {
	# shellcheck disable=SC2154 # test.sh set it
	curl -sS --unix-socket "$dir/apps/${1:-myapp}/slugrun.sock" \
		http://slugrun/
}

# status_of VERSION: of that release of myapp.
status_of() {
	api GET "/apps/myapp/releases/$1" | grep -o '"status":"[a-z]*"' |
		cut -d '"' -f 4
}

# has_status VERSION STATUS
has_status() {
	[ "$(status_of "$1")" = "$2" ]
}
