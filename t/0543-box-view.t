#!/bin/sh
# SPDX-License-Identifier: ISC
# The box of an app's process: what it sees of the machine's files, and what
# of that it can write to.

# shellcheck disable=SC2016 # the other shell expands these
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/store.sh
. "$t/lib/store.sh"
# shellcheck source=t/lib/box.sh
. "$t/lib/box.sh"
trap 'stop_slugrun; umount "$top/open/before" "$top/open/later" 2>/dev/null
	rm -rf "$top"; end_test' EXIT
[ "$top" != "$scratch/box" ] || skip_all 'no folder outside of /tmp to look at'

# mounts TEST: those whose options pass a test of awk's, and that are not
# hidden; devices are left out.
mounts() {
	inside "awk '\$4 $1 { print \$2 }' /proc/self/mounts |
		while read -r path; do [ ! -d \$path ] || echo \$path; done" |
		sort | tr '\n' ' '
}

# The mounts of the box that can be written to.
writable() {
	mounts '~ /^rw/'
}

# Those that honour setuid programs.
setuid() {
	mounts '!~ /nosuid/'
}

# Folders and files that are anybody's to write to.
mkdir -p "$top/open/before" "$top/open/later"
echo one >"$top/open/file"
chmod -R a+rwX "$top/open"
mount -t tmpfs -o mode=1777 before "$top/open/before" 2>/dev/null
mkdir -p "$top/home/.rbenv/bin" "$top/home/git/b.git/hooks" "$top/repo.git" \
	"$top/closed/home"
echo secret >"$top/home/.bashrc"
echo ruby >"$top/home/.rbenv/bin/ruby"
echo secret >"$top/home/git/b.git/HEAD"
echo secret >"$top/repo.git/HEAD"
echo secret >"$top/closed/home/key"
ln -s home "$top/link"
chmod -R a+rwX "$top/home" "$top/repo.git" "$top/closed"
chmod 700 "$top/closed"

# --- nothing but its own can be written to ---

start_slugrun
launch "$web"
is "$(writable)" '/app /dev/pts /dev/shm /proc /tmp /var/tmp ' \
	'the mounts that can be written to are its own'
is "$(setuid)" '' 'no mount has setuid programs'
inside "echo x >>$top/open/file; echo x >$top/open/new; rm $top/open/file
	mkdir $top/open/folder; chmod 700 $top/open/file" >/dev/null
is "$(ls "$top/open"; cat "$top/open/file")" 'before
file
later
one' 'what anybody may write to stays as it is'
like "$(inside "echo x >$top/open/new")" 'Read-only file system' 'in words'
if mountpoint -q "$top/open/before"; then
	like "$(inside "echo x >$top/open/before/new")" 'Read-only' \
		'nor can what is mounted in there'
	mount -t tmpfs -o mode=1777 later "$top/open/later"
	inside "echo x >$top/open/later/new" >/dev/null
	is "$(ls "$top/open/later")" '' 'nor what is mounted later'
	umount "$top/open/later"
else
	skip 2 'no mounts here'
fi
is "$(inside 'for f in /tmp /var/tmp /dev/shm /app; do
	echo x >$f/new && cat $f/new; done' | tr '\n' ' ')" 'x x x x ' \
	'/app, /tmp, /var/tmp and /dev/shm can be'

# --- devices ---

is "$(inside 'ls /dev' | xargs)" \
	'fd full null ptmx pts random shm stderr stdin stdout tty urandom zero' \
	'/dev has what every program may expect, and nothing else'
is "$(inside 'echo x >/dev/null; head -c 3 /dev/zero | wc -c
	head -c 3 /dev/urandom | wc -c; echo x >/dev/full || echo full' |
	grep -v error)" '3
3
full' 'which works'
is "$(inside 'echo x | cat /dev/stdin /dev/fd/0')" x 'by other names, too'
is "$(inside 'perl -e "open(F, q(+<), q(/dev/ptmx)) or die; system q(ls /dev/pts)"')" \
	'0
ptmx' 'a terminal that it makes is its own'
like "$(inside 'touch /dev/x; rm /dev/null')" 'Read-only' \
	'and there is nothing to change'

# --- what is hidden ---

is "$(inside 'for f in /run/user /run/lock /run/dbus /var/mail /var/log/journal
	do ls -A $f 2>/dev/null; done; test -S /run/docker.sock || echo none')" \
	none 'ways to what acts for the user outside'
hide="[\"$top/link\", \"$top/repo.git\", \"$top/home/git/b.git\",
	\"$top/closed/home\", \"/nowhere/at/all\", \"/tmp/x\", \"/\"]"
launch "$web" hide "$hide"
is "$(inside "ls -A $top/home $top/repo.git; ls -A $top/link/")" "$top/home:

$top/repo.git:" 'what the order names is empty'
like "$(inside "echo x >$top/home/.bashrc")" 'Read-only' \
	'and cannot be written to'
is "$(cat "$top/home/.bashrc")" secret 'the files behind it are as they were'
chmod 755 "$top/closed"
is "$(inside "cat $top/closed/home/key")" \
	"cat: $top/closed/home/key: No such file or directory" \
	'what was closed to it at first is hidden, too'
chmod 700 "$top/closed"
is "$(inside 'cat a; echo x >>a; cat a')" 'one
one
x' 'its own files are there'

launch "$web" hide "$hide" show "[\"$top/link/.rbenv\", \"$top/home/git\",
	\"$store\", \"$app/run\", \"/dev/loop-control\", \"/nowhere\"]"
is "$(inside "cd $top/home; ls -A; cat .rbenv/bin/ruby; ls git git/b.git")" \
	'.rbenv
git
ruby
git:
b.git

git/b.git:' 'what it names to be shown is there, but for what is hidden below'
like "$(inside "echo x >$top/home/.rbenv/bin/ruby")" 'Read-only' \
	'to be read'
is "$(inside "ls $store")" '' "slugd's folder is never shown"
is "$(inside '[ ! -e /dev/loop-control ] || echo there')" \
	"$([ ! -e /dev/loop-control ] || echo there)" 'a device can be'

run ask POST /restart -d "{\"name\": null, \"fences\":
	{\"namespaces\": true, \"seccomp\": true, \"hide\": [\"$top/open\"]}}"
is "$(inside "ls $top/open; cat $top/home/.bashrc")" secret \
	'a restart takes what is hidden from then on'
for bad in '"x"' '["x"]' '[1]'; do
	launch "$web" hide "$bad"
	like "$out" 'hide (is no array|has what is no absolute path)' \
		"hide $bad is refused"
done
stop_slugrun TERM

# --- a kernel that seals one mount at a time ---

if strace -o /dev/null true 2>/dev/null; then
	# What looks for leaks does not work under strace.
	export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
	strace -f --seccomp-bpf -qq -e trace=mount_setattr -e signal=none \
		-o calls -e inject=mount_setattr:error=ENOSYS "$slugrun" \
		"$app" 2>>slugrun.log &
	strace_pid=$!
	within 20 ask GET /
	slugrun_pid=$(pgrep -P "$strace_pid")
	launch "$web" hide "$hide"
	like "$(cat calls)" 'mount_setattr.*ENOSYS .*INJECTED' 'an older kernel'
	is "$(writable)" '/app /dev/pts /dev/shm /proc /tmp /var/tmp ' \
		'the same mounts can be written to'
	is "$(setuid)" '' 'and none has setuid programs'
	like "$(inside "ls $top/home; echo x >$top/open/file")" 'Read-only' \
		'and the same is hidden'
	stop_slugrun TERM
	wait "$strace_pid"
else
	skip 4 'no strace'
fi

finish
