# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154
# One slugrun by itself, in an app's folder $app, which the test makes.

slugrun=$SLUGD_EXEC_PATH/slugrun
app=$scratch/apps/myapp
slugrun_pid=
pick_ports

# slugrun in $app, once it answers.
start_slugrun() {
	"$slugrun" "$app" 2>>"$scratch/slugrun.log" &
	slugrun_pid=$!
	within 20 ask GET /
}

stop_slugrun() {
	[ -n "$slugrun_pid" ] || return 0
	kill -"${1:-TERM}" "$slugrun_pid" 2>/dev/null
	wait "$slugrun_pid" 2>/dev/null
	slugrun_pid=
}

# ask METHOD PATH [CURL OPTION...]: sets nothing, prints the answer.
ask() {
	ask_method=$1
	ask_path=$2
	shift 2
	curl -sS --unix-socket "$app/slugrun.sock" -X "$ask_method" \
		"http://slugrun$ask_path" "$@"
}

# process TYPE QUANTITY COMMAND: as an order has it.
process() {
	printf '{"type": "%s", "quantity": %s, "command": "%s"}' "$@"
}

# What the app's address answers.
page() {
	curl -sS "http://127.0.0.1:$first_port/"
}

# state NAME WANTED
state() {
	ask GET / | grep -q "\"name\":\"$1\",[^}]*\"state\":\"$2\""
}

# restarted NAME PID: is it up, as another process than PID?
restarted() {
	restarted=$(ask GET / | sed -n "s/.*\"name\":\"$1\",\"pid\":\\([0-9]*\\),[^}]*\"state\":\"up\".*/\\1/p")
	[ -n "$restarted" ] && [ "$restarted" != "$2" ]
}

pid_of() {
	ask GET / | sed "s/.*\"name\":\"$1\",\"pid\":\\([0-9]*\\).*/\\1/"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}
