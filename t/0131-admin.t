#!/bin/sh
# SPDX-License-Identifier: ISC
# An admin's day: status, backup, reading slugd.ini again, and what goes wrong
# with disks, ledgers, repositories and clocks.

# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck disable=SC2317 # run calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir
chmod 700 "$dir"
chmod 755 "$scratch"

# Heroku's words on stderr, and exit status 1: says REGEXP NAME.
says() {
	like "$status:$err" "^1: !    .*$1" "$2"
}

logged() {
	grep -Eq -e "$1" "$scratch/slugd.log"
}

set_var() {
	api PATCH /apps/myapp/config-vars -d "{\"$1\": \"$2\"}"
}

# --- before slugd's first start ---

for fresh in "$scratch/none" "$dir"; do
	run slugctl -d "$fresh" check
	is "$status:$out" "0:set-up ok: no slugd has run in $fresh yet; start one with: slugd -d $fresh" \
		'check before the first start'
done
run slugctl -d "$scratch/none/none" check
is "$status:$out" "1:$scratch/none: No such file or directory" \
	'which would fail there'
echo '[slug' >bad.ini && mkdir -m 700 bad && cp bad.ini bad/slugd.ini
run slugctl -d bad check
like "$status:$out" '^1:.*/bad/slugd.ini:1: ' 'as it would with mistakes'
run slugctl help
is "$status:$out" "0:$(slugctl --help)" 'help is --help'
run slugctl help fsck
is "$status:$out" '0:usage: slugctl [-d DIR] fsck [--dry-run]

check the ledger and the slugs, and mend these' 'help of a command'
run slugctl help nope
says "'nope' is not a slugctl command" 'help of another word'
run slugctl -d "$dir" reload
says 'slugd is not running: nothing answers at ' 'reload without slugd'

# --- status ---

run slugctl -d "$dir" status
is "$status:$out" \
	"3:slugd is not running: nothing answers at $dir/slugd.sock" \
	'status without slugd'
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
git -C work push -q heroku master 2>/dev/null
slugctl -d "$dir" init idle >/dev/null
run slugctl -d "$dir" status
is "$status" 0 'status with slugd'
like "$out" "^slugd [0-9.]+ in $dir\$" 'its version and folder'
like "$out" "^pid $slugd_pid, started .* ago, driver none\$" \
	'its pid, since when, and its driver'
size=$(slug_size "$(newest slug.id)")
all=$(cat "$dir"/slugs/* "$dir"/segments/* | wc -c | awk '{
	if ($1 < 1024) print $1 "B"; else printf "%.1fK\n", $1 / 1024 }')
like "$out" "^2 apps, slugs of ${size}B, stored in $all\$" 'what is stored'
like "$out" "^myapp +v2 +recorded +${size}B +$all *\$" \
	'an app, its release and what its slugs take'
like "$out" '^idle +v1 +nothing pushed *$' 'and one without a push'

# --- what it says is written, or that is an error ---

for what in --help status fsck gc; do
	slugctl -d "$dir" "$what" 2>err >/dev/full
	is "$?:$(cat err)" "1: !    cannot write to standard output: $(:
		)No space left on device" "slugctl $what, its output lost"
done
slugctl -d "$dir" status >&- 2>err
is "$?:$(cat err)" 0: 'standard output closed is one that nobody reads'
slugd --print-config 2>err >/dev/full
is "$?:$(cat err)" "1: !    cannot write to standard output: $(:
	)No space left on device" 'slugd --print-config, its output lost'

# --- what is to be typed is fit for a shell ---

mkdir -m 755 'my slugd'
run slugctl -d 'my slugd' check
like "$out" "mend with: chmod 700 '$scratch/my slugd'\$" \
	'check quotes a path with a blank'
run slugctl -d 'my slugd' init blank
says "Start it with: slugd -d '$scratch/my slugd'\$" \
	'so does what finds no slugd'
run slugctl -d "$dir" backup ''
is "$status:$err" '1: !    usage: slugctl [-d DIR] backup FILE' \
	'an argument that is empty is none'

# --- slugctl looks at the ledger while slugd writes to it ---

slugctl -d "$dir" fsck >/dev/null
[ -e "$dir/ledger.db-wal" ]
ok $? 'slugctl fsck leaves slugd its write-ahead log'
set_var AFTER fsck >/dev/null
stop_slugd KILL
start_slugd || exit 1
is "$(newest description)" 'Config add AFTER' \
	'so that what is written after it is there after a kill'

# --- backup ---

run slugctl -d "$dir" backup "$scratch/backup"
is "$status" 0 'backup while slugd runs'
like "$out" "does not have the slugs \\($dir/slugs\\), the repositories" \
	'says what it does not hold'
is "$(stat -c %a backup):$(ls backup*)" 600:backup \
	'the file is for its owner alone, and nothing else is left'
run slugctl -d "$dir" backup "$scratch/backup"
says "$scratch/backup exists" 'a file that is there is not replaced'
run slugctl -d "$dir" backup "$scratch/nowhere/backup"
says 'nowhere/backup.tmp: No such file' 'a folder that is not there'
: >other.tmp
run slugctl -d "$dir" backup "$scratch/other"
says 'other.tmp exists' 'one that goes on already'
# Writers meanwhile: each copy is of some moment, and sound.
(
	i=0
	while [ ! -e enough ]; do
		i=$((i + 1))
		set_var BUSY "$i" >/dev/null
	done
) &
writer=$!
for i in 1 2 3 4 5; do
	slugctl -d "$dir" backup "$scratch/busy.$i" >/dev/null
done
: >enough
wait $writer
for i in 1 2 3 4 5; do
	mkdir "restored.$i"
	cp "busy.$i" "restored.$i/ledger.db"
	cp -a "$dir/slugs" "$dir/segments" "restored.$i/"
	slugctl -d "restored.$i" fsck
done >fsck.out 2>&1
is "$(sed 's/:.*//' fsck.out | sort | uniq -c | tr -s ' ')" ' 5 ledger ok' \
	'copies made while slugd writes are sound'
stop_slugd
run slugctl -d "$dir" backup "$scratch/stopped"
is "$status" 0 'backup without slugd'

# --- a ledger that is gone ---

mv "$dir/ledger.db" kept.db
run slugd -d "$dir"
says "ledger.db is gone, but there are apps in $dir/repos" \
	'slugd makes no new ledger in the place of one that is gone'
: >"$dir/ledger.db"
chmod 600 "$dir/ledger.db"
run slugd -d "$dir"
says "ledger.db is empty, but" 'or empty'
is "$(stat -c %s "$dir/ledger.db")" 0 'and does not touch it'
cat stopped >"$dir/ledger.db"
start_slugd || exit 1
is "$(api GET /apps | grep -o '"name":"myapp"')" '"name":"myapp"' \
	'a backup in its place serves'
echo x >>work/index.html
git -C work commit -q -a -m again
run git -C work push -q heroku master
is "$status" 0 'and goes on'
is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' 'soundly'

# --- SIGHUP ---

cp "$dir/slugd.ini" good.ini
printf '[slugd]\nplatform = Shed\nmax_config = 1K\n' >>"$dir/slugd.ini"
kill -HUP "$slugd_pid"
within 10 logged 'configuration was read again'
ok $? 'SIGHUP has slugd.ini read again'
like "$(api GET /)" '"platform":"Shed"' 'and what it says holds'
like "$(set_var BIG "$(printf '%01000d' 0)$(printf '%01000d' 0)")" invalid_params \
	'for limits, too'
echo x >>work/index.html
git -C work commit -q -a -m shed
run git -C work push heroku master
like "$err" 'deployed to Shed' 'a push says so'
printf '[slug]\nlevel = 77\nnonsense\n' >>"$dir/slugd.ini"
kill -HUP "$slugd_pid"
within 10 logged 'configuration stays what it was'
ok $? 'a bad one does not replace it'
logged 'slugd.ini:[0-9]+: level: .77. is not' &&
	logged "slugd.ini:[0-9]+: neither"
ok $? 'each mistake is logged with its line'
like "$(api GET /)" '"platform":"Shed"' 'the old one stays'
sed 's/driver = none/driver = slugrun/' good.ini >"$dir/slugd.ini"
: >slugd.log
kill -HUP "$slugd_pid"
within 10 logged 'configuration was read again'
logged "driver stays 'none' until slugd is started again"
ok $? 'what cannot change is said'
like "$(api GET /)" '"platform":"Heroku".*|"driver":"none"' 'and stays'
rm "$dir/slugd.ini"
: >slugd.log
kill -HUP "$slugd_pid"
within 10 logged 'configuration was read again'
ok $? 'without a file the defaults hold'
cp good.ini "$dir/slugd.ini"
run slugctl -d "$dir" reload
is "$status:$out" "0:slugd in $dir has read $dir/slugd.ini" 'slugctl reload'
echo 'platform = None' | cat - good.ini >"$dir/slugd.ini"
run slugctl -d "$dir" reload
is "$status:$out" \
	"1:$dir/slugd.ini:1: 'platform' stands before the first [section]" \
	'of a bad one it says each mistake'
is "$err" ' !    the configuration has mistakes: slugd keeps the one that it has' \
	'and that nothing changed'
cp good.ini "$dir/slugd.ini"

# --- check ---

run slugctl check good.ini
is "$status:$out" '0:good.ini: ok' 'check of a good slugd.ini'
printf '[slug]\nlevel = 77\n[nope]\nx = 1\nnonsense\n[launch]\nports = 1\n' \
	>bad.ini
run slugctl check bad.ini
is "$status:$out" "1:bad.ini:2: level: '77' is not a number from 1 to 19
bad.ini:3: unknown section [nope]
bad.ini:5: neither [section] nor 'key = value'
bad.ini:7: ports: '1' is not a range such as 5100-5999" \
	'check of a bad one: every mistake with its line'
run slugctl check nowhere.ini
is "$status:$out" '1:nowhere.ini: No such file or directory' 'and of none'
run slugctl check
says 'say where slugd keeps everything' 'without a file it needs the folder'
run slugctl -d "$dir" check
case $out in
*'of disk are free'*) skip 1 'there is too little room on this disk' ;;
*) is "$out" 'set-up ok: 2 apps' 'check of the set-up' ;;
esac
low=$(cut -f 1 /proc/sys/net/ipv4/ip_local_port_range)
sed "/^ports/d; /^driver/d; /^\[launch\]/a driver = slugrun\\
ports = $((low - 3))-$((low + 3))" good.ini >"$dir/slugd.ini"
run slugctl -d "$dir" check
if [ -n "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)" ]; then
	skip 1 'ports are reserved here'
else
	like "$out" "^port $low of \[launch\] ports is one that the kernel gives to connections; mend by .*ip_local_reserved_ports=$((low - 3))-$((low + 3))$" \
		'check of ports that the kernel gives to connections'
fi
cp bad.ini "$dir/slugd.ini"
chmod 755 "$dir"
chmod 644 "$dir/ledger.db"
rm "$repo/slugd.hooks/pre-receive"
rm -rf "$dir/log"
run slugctl -d "$dir" check
is "$status:$(echo "$out" | grep -v 'of disk are free')" \
	"1:$dir/slugd.ini:2: level: '77' is not a number from 1 to 19
$dir/slugd.ini:3: unknown section [nope]
$dir/slugd.ini:5: neither [section] nor 'key = value'
$dir/slugd.ini:7: ports: '1' is not a range such as 5100-5999
$dir can be read by others; mend with: chmod 700 $dir
$dir/ledger.db can be read by others; mend with: chmod 600 $dir/ledger.db
$dir/log: No such file or directory; slugd makes it when it starts
app myapp: slugd.hooks/pre-receive is missing; mend with: slugctl -d $dir repair myapp" \
	'finds all at once, and says what mends each'
cp good.ini "$dir/slugd.ini"
mkdir "$dir/log"
chmod 700 "$dir"
chmod 600 "$dir/ledger.db"
slugctl -d "$dir" repair myapp >/dev/null
run env SLUGD_EXEC_PATH="$scratch/empty" slugctl -d "$dir" check
like "$out" 'empty/slugpack: No such file' 'programs that are missing'
like "$out" 'app idle: slugd.hooks/post-receive is of another installation' \
	'hooks of another installation'
stop_slugd
sed 's/driver = none/driver = slugrun/' good.ini >"$dir/slugd.ini"
# HAProxy would have the address before anybody else can.
printf '[route]\ndriver = direct\n' >>"$dir/slugd.ini"
start_slugd || exit 1
slugctl -d "$dir" init served >/dev/null
port=$(api GET /apps/served | sed 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/')
perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalAddr =>
	"127.0.0.1", LocalPort => shift, Listen => 1, ReuseAddr => 1) or die;
	open my $f, ">", "listens"; close $f; sleep 60' "$port" &
thief=$!
within 10 test -e listens
run slugctl -d "$dir" check
like "$out" "app served: its address 127.0.0.1:$port is another program's" \
	'an address that another program has'
kill $thief
stop_slugd
cp good.ini "$dir/slugd.ini"

# --- an app whose repository was removed by hand ---

mv "$dir/repos/idle.git" removed.git
: >slugd.log
start_slugd
ok $? 'slugd starts without the repository of an app'
within 5 logged 'app=idle.*idle\.git'
ok $? 'and says which'
unlike "$(cat slugd.log)" 'app=myapp' 'of that one only'
echo x >>work/index.html
git -C work commit -q -a -m 'without idle'
run git -C work push -q heroku master
is "$status" 0 'other apps go on'
like "$(api GET /apps/idle/releases)" 'Initial release' \
	'its releases are there'
like "$(api PATCH /apps/idle/config-vars -d '{"A": "1"}')" '"A":"1"' \
	'and its config can change'
run slugctl -d "$dir" check
is "$status:$(echo "$out" | grep '^app')" \
	"1:app idle: its repository $dir/repos/idle.git is gone; mend with: slugctl -d $dir repair idle" \
	'check names it'
run slugctl -d "$dir" repair idle
like "$status:$out" "0:$dir/repos/idle.git was gone, and is a new one now" \
	'repair makes a new one'
run git -C work push -q "$dir/repos/idle.git" master
is "$status:$(newest version idle)" 0:3 'that can be pushed to'
is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' 'all is sound'

# --- two apps of one name, at once ---

for i in 1 2 3 4 5 6; do
	slugctl -d "$dir" init twin >"twin.$i" 2>&1 &
	eval "twin$i=\$!"
done
won=0
for i in 1 2 3 4 5 6; do
	eval "wait \$twin$i" && won=$((won + 1))
done
is "$won" 1 'of six inits of one name at once, one makes the app'
is "$(cat twin.* | grep -v "^$dir/repos/twin.git\$" | grep -vc '^ !    ')" 0 \
	'the others say why not'
run git -C work push -q "$dir/repos/twin.git" master
is "$status:$(newest version twin)" 0:2 'and its repository is whole'

# --- a clock that was set back ---

stop_slugd
export SLUGD_TEST_NOW=1400000000
start_slugd || exit 1
n=$(newest version)
set_var CLOCK back >/dev/null
is "$(newest version):$(newest created_at)" "$((n + 1)):2014-05-13T16:53:20Z" \
	'a clock set back: the next release has the next number'
is "$(newest current)" 1 'and is the current one'
stop_slugd
unset SLUGD_TEST_NOW
start_slugd || exit 1
set_var CLOCK right >/dev/null
stop_slugd
SLUGD_TEST_NOW=1400000005 slugd -d "$dir" 2>>slugd.log &
slugd_pid=$!
within 20 api GET /
cd work || exit 1
run env SLUGD_TEST_NOW=1400000005 git heroku releases
cd ..
is "$(echo "$out" | sed -n '3,4p' | sed 's/ .*  / /')" "v$((n + 2)) 0 seconds ago
v$((n + 1)) 5 seconds ago" 'a release that lies ahead was 0 seconds ago'
is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' 'all is sound'
stop_slugd

# --- DIR that cannot be written to ---

# as_nobody COMMAND...: without root's rights.
as_nobody() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
mkdir shut
chmod 555 shut
run as_nobody slugd -d "$scratch/shut/new"
says 'shut/new: Permission denied' 'DIR that cannot be made'
run as_nobody slugd -d "$scratch/shut"
says 'shut/repos: Permission denied' 'DIR that is not writable'
is "$(ls -A shut)" '' 'and nothing is left in it'

# Where a file system can be mounted: full, and read-only.
disk() {
	mkdir -p disk
	[ "$(id -u)" -eq 0 ] && mount -t tmpfs -o "size=$1" none disk 2>/dev/null
}
if disk 8m; then
	trap 'end_test; umount -l "$scratch/disk" 2>/dev/null; rm -rf "$scratch"' EXIT
	dir=$scratch/disk/slugd
	mkdir "$dir"
	cp good.ini "$dir/slugd.ini"
	start_slugd || exit 1
	repo=$(slugctl -d "$dir" init myapp)
	git -C work remote set-url heroku "$repo"
	run git -C work push -q heroku master
	is "$status" 0 'a small disk'
	head -c 20000000 /dev/zero >disk/filling 2>/dev/null
	: >slugd.log
	like "$(set_var FULL 1; for i in 1 2 3 4 5 6 7 8; do
		set_var FULL "$i$(printf '%04000d' 0)"; done)" \
		'"message":"[^"]*(full|space)' 'a disk that is full, in words'
	full=$(versions)
	perl -e 'srand 1; print map chr rand 256, 1 .. 3e5' >work/big
	git -C work add big
	git -C work commit -q -m big
	run git -C work push heroku master
	isnt "$status" 0 'a push is refused'
	like "$err" '[Nn]o space|full' 'in words, too'
	is "$(versions)" "$full" 'no release is made of it'
	run git -C work heroku deploy
	like "$status:$err" '^1: !    .*(full|No space)' \
		'nor of a deploy, in words'
	unlike "$err" 'find that build' 'which are about that'
	run slugctl -d "$dir" check
	like "$out" 'of disk are free' 'check says so'
	run slugctl -d "$dir" backup "$scratch/disk/backup"
	says 'disk is full|No space' 'a backup that does not fit'
	is "$(ls disk)" "filling
slugd" 'leaves nothing'
	rm disk/filling
	run git -C work push -q heroku master
	is "$status" 0 'with room again it goes on, without a new start'
	is "$(versions)" "$full $(($(echo "$full" | wc -w) + 1))" \
		'with the next number'
	is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' \
		'all is sound'
	stop_slugd

	sum=$(cksum <"$dir/ledger.db")
	# What a slugd leaves may write for a moment more.
	within 10 mount -o remount,ro disk
	run timeout 20 slugd -d "$dir"
	says 'Read-only file system' 'DIR on a read-only file system'
	is "$(cksum <"$dir/ledger.db")" "$sum" 'touches nothing'
	run timeout 20 slugd -d "$scratch/disk/new"
	says 'new: Read-only file system' 'nor is one made'
	mount -o remount,rw disk
	start_slugd || exit 1
	mount -o remount,ro disk 2>/dev/null || :
	is "$(newest version)" "$(echo "$full" | wc -w | xargs expr 1 +)" \
		'what is there is read'
	mount -o remount,rw disk
	stop_slugd
	umount disk
else
	skip 15 'needs root, and the right to mount a file system'
fi

finish
