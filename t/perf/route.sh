# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# What the benchmarks of running apps share, beside lib.sh.
# shellcheck disable=SC2154 # which has $scratch

PATH=$PATH:/usr/sbin
export PATH

# Ports of our own: $first_port and the 99 after it. Further lines of
# slugd.ini as arguments; the last section is [launch].
serve() {
	first_port=$((20000 + $$ % 100 * 100))
	mkdir "$scratch/slugd"
	{
		printf '[route]\ndriver = haproxy\n'
		printf '[launch]\nports = %d-%d\n' \
			"$first_port" $((first_port + 99))
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$scratch/slugd/slugd.ini"
	slugd -d "$scratch/slugd" 2>"$scratch/slugd.log" &
	slugd_pid=$!
	until api GET / >/dev/null 2>&1; do
		kill -0 "$slugd_pid" || {
			cat "$scratch/slugd.log" >&2
			exit 1
		}
		sleep 0.05
	done
}

# api METHOD PATH [CURL OPTION...]
api() {
	method=$1
	path=$2
	shift 2
	curl -sS --unix-socket "$scratch/slugd/slugd.sock" -X "$method" \
		"http://slugd$path" "$@"
}

# The stable port of an app.
port_of() {
	api GET "/apps/$1" | sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/'
}

# until_says PORT REGEXP: wait for such a line, 20 seconds at most.
until_says() {
	perl "$here/until-says.pl" "$1" "$2" || {
		echo "no '$2' on port $1" >&2
		cat "$scratch/slugd.log" >&2
		exit 1
	}
}
