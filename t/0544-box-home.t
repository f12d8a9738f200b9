#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd of an ordinary user, with all that is its in that user's home folder:
# an app gets at nothing that is the user's.

# shellcheck disable=SC2016 # the other shell expands these
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# Not in /tmp, where no process in a box would see it anyway.
top=$(mktemp -d /var/lib/slugd-box.XXXXXX 2>/dev/null) ||
	skip_all 'no folder outside of /tmp to look at'
trap 'umount "$top/again" "$top/inner" 2>/dev/null; end_test; rm -rf "$top"' EXIT
home=$top/home/ada
mkdir -p "$home/build" "$home/git" "$top/git" "$top/etc" "$top/again" "$top/inner"
echo PASSWORD=secret >"$top/etc/redis"
chmod 755 "$top"
# Its programs are there, too, as those that contrib/quickstart builds.
cp -RL "$TOP_BUILDDIR/stage/bin" "$TOP_BUILDDIR/stage/libexec" "$home/build"
ln -s ada "$top/home/link"

if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid=65533 --regid=65533 --clear-groups'
	$as true 2>/dev/null || skip_all 'no other users here'
	chown -R 65533:65533 "$home" "$top/git" "$top/etc"
else
	as=
fi
# shellcheck disable=SC2086 # words
$as unshare -Ur true 2>/dev/null || skip_all 'no user namespaces here'
# ada COMMAND...: as that user, in its home folder.
ada() {
	(
		cd "$home" || exit 1
		# shellcheck disable=SC2086 # words
		HOME=${ada_home-$top/home/link} PATH=$home/build/bin:$PATH \
			SLUGD_EXEC_PATH=$home/build/libexec exec $as "$@"
	)
}

# The same a second time: all of it, and what is in it.
mount --bind "$top/home" "$top/again" 2>/dev/null &&
	mount --bind "$home/git" "$top/inner"

pick_ports
dir=$home/slugd
ada mkdir -m 700 slugd
cat >"$top/etc/slugd.ini" <<-END
	[launch]
	ports = $first_port-$last_port
	show = $home/.rbenv
	[route]
	driver = direct
	[addon redis]
	plans = free:0
	config_file = $top/etc/redis
END
ada sh -c 'echo mine >.bashrc; mkdir .ssh .rbenv; echo key >.ssh/id
	echo ruby >.rbenv/ruby'
start_ada() {
	rm -f "$home/slugd.pid"
	ada sh -c 'echo $$ >slugd.pid; exec slugd -d slugd -c "$0" 2>>slugd.log' \
		"$top/etc/slugd.ini" &
	within 20 api GET / || {
		diag "$(cat "$home/slugd.log")"
		exit 1
	}
	slugd_pid=$(cat "$home/slugd.pid")
}
start_ada
ada slugctl -d "$dir" init first "$home/git/first.git" >/dev/null
ada slugctl -d "$dir" init second "$top/git/second.git" >/dev/null
ada sh -c 'git clone -q git/first.git work 2>/dev/null; cat >work/shell.pl' \
	<"$t/lib/shell.pl"
ada sh -c 'cd work && echo "web: exec perl shell.pl" >Procfile && git add . &&
	git commit -qm one && git push -q origin HEAD:master' 2>push
status=$?
is $status 0 'an app is pushed'
[ $status -eq 0 ] || diag "$(cat push)"
port=$(api GET /apps/first | sed -n 's/.*"web_url":"[^"]*:\([0-9]*\).*/\1/p')
inside() {
	curl -sS --data-binary "$1" "http://127.0.0.1:$port/"
}
is "$(inside 'echo $HOME; id -u')" "/app
$(ada id -u)" 'it runs as that user'
is "$(inside 'grep -c . shell.pl; head -c 5 /proc/self/status')" \
	"$(grep -c . "$home/work/shell.pl")
Name:" 'and has its own files'

inside "echo x >>$home/.bashrc; echo x >$home/.profile
	echo x >$top/git/second.git/hooks/post-update
	chmod 777 $top/git/second.git/hooks
	rm -rf $home/work $home/slugd $top/git/second.git" >/dev/null
is "$(cat "$home/.bashrc"; ls "$home/.profile" 2>/dev/null)" mine \
	"it writes nothing into the user's home folder"
ok "$([ -e "$home/work/.git" ] && [ -e "$home/slugd/ledger.db" ]; echo $?)" \
	'and removes nothing there'
ok "$([ -e "$top/git/second.git/HEAD" ] &&
	[ ! -s "$top/git/second.git/hooks/post-update" ]; echo $?)" \
	'nor in a repository elsewhere'
is "$(inside "ls -A $home $top/home/link/; ls -A $top/git/second.git")" "$home:
.rbenv

$top/home/link/:
.rbenv" 'it does not see what is there'
if mountpoint -q "$top/inner"; then
	is "$(inside "ls -A $top/again/ada $top/inner")" "$top/again/ada:

$top/inner:" 'nor where that is mounted a second time'
	is "$(ls "$top/again/ada/git" "$top/inner")" "$top/again/ada/git:
first.git

$top/inner:
first.git" 'as it is outside'
else
	skip 2 'no mounts here'
fi
is "$(inside "cat $home/.rbenv/ruby")" ruby 'but for what slugd.ini shows'
is "$(inside "cat $top/etc/slugd.ini $top/etc/redis 2>/dev/null")" '' \
	'nor the settings of slugd and of add-ons'
like "$(inside "ls $dir/slugd.sock")" 'No such file' "nor slugd's socket"

# What comes about later is hidden from what is started later.
ada slugctl -d "$dir" init third "$top/git/third.git" >/dev/null
api DELETE /apps/first/dynos >/dev/null
# shellcheck disable=SC2317 # called by within
hides_third() {
	[ "$(inside "ls -A $top/git/third.git; echo listed")" = listed ]
}
ok "$(within 20 hides_third; echo $?)" \
	'a restart hides a repository that is new'

# --- homes that are none ---

# shellcheck disable=SC2317 # called by within
gone() {
	! kill -0 "$1" 2>/dev/null
}
# shellcheck disable=SC2317
answers() {
	[ "$(inside 'pwd; ls -d /usr/bin /etc/passwd; echo x >/tmp/x && cat /tmp/x' \
		2>/dev/null | tr '\n' ' ')" = '/app /etc/passwd /usr/bin x ' ]
}
for ada_home in / /nonexistent '' relative /usr/bin /app /tmp /dev; do
	kill "$slugd_pid"
	within 20 gone "$slugd_pid"
	start_ada
	api DELETE /apps/first/dynos >/dev/null
	ok "$(within 20 answers; echo $?)" "HOME=$ada_home: the app runs"
done

finish
