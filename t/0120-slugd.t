#!/bin/sh
# SPDX-License-Identifier: ISC
# slugd's start and end, and slugctl: folders, options, configuration,
# repositories that can be an app's and those that cannot.

# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck disable=SC2317 # within calls some of them

. "$(dirname "$0")/lib/test.sh"

# fails WORDS COMMAND...: exit status 1, one line of error.
fails() {
	words=$1
	shift
	run "$@"
	is "$status $out" '1 ' "fails: $*"
	like "$err" "^ !    $words" "and says: $words"
	is "$(printf '%s\n' "$err" | grep -c '^ !    ')" 1 'in a line'
}

# curl itself cannot connect to a path over 107 bytes.
api() {
	method=$1
	shift
	path=$1
	shift
	(cd "$dir" && curl -sS --unix-socket slugd.sock -X "$method" \
		"http://slugd$path" "$@")
}

gone() {
	! [ -e "$1" ] && ! [ -L "$1" ]
}

# --- options ---

for program in slugd slugctl; do
	run $program --help
	is "$status $err" '0 ' "$program --help"
	like "$out" "^usage: $program " 'shows how it is used'
	run $program --version
	like "$status $out" "^0 $program [0-9]+\\.[0-9]" "$program --version"
	for option in -z --nope; do
		fails "wrong option '$option'; see $program --help\$" \
			$program $option
	done
	fails "wrong option '-d'; see $program --help\$" $program -d
done
fails 'say where to keep everything: slugd -d DIR, or SLUGD_DIR$' slugd
fails 'say where to keep everything: slugd -d DIR, or SLUGD_DIR$' slugd -d ''
fails "unexpected argument 'more'\$" slugd -d dir more
fails 'say where slugd keeps everything: slugctl -d DIR, or SLUGD_DIR$' \
	slugctl fsck
fails 'say what to do; see slugctl --help$' slugctl -d .
fails "'nope' is not a slugctl command; see slugctl --help\$" \
	slugctl -d . nope
fails 'usage: slugctl \[-d DIR\] init \[--chain-hooks\] APP \[REPO\]$' \
	slugctl -d . init
fails '/nowhere: No such file or directory$' slugctl -d /nowhere fsck

# --- the folder ---

dir=$scratch/fresh
(
	umask 000
	exec slugd -d "$dir" 2>>slugd.log
) &
slugd_pid=$!
within 20 api GET /
ok $? 'DIR is made where it is not there'
is "$(stat -c %a "$dir")" 700 'with mode 0700'
is "$(stat -c %a "$dir/slugd.sock")" 660 'the socket has mode 0660'
is "$(stat -c '%n %a' "$dir"/*/ "$dir"/ledger.db* | sed "s:$dir/::")" \
	'apps/ 700
cache/ 700
log/ 700
repos/ 700
route/ 700
segments/ 700
slugs/ 700
ledger.db 600
ledger.db-shm 600
ledger.db-wal 600' 'nothing in it is for others'
fails "another slugd runs on $dir already\$" slugd -d "$dir"
run api GET /
like "$out" '"directory":"[^"]*/fresh"' 'which goes on'
stop_slugd
gone "$dir/slugd.sock"
ok $? 'SIGTERM removes the socket'
fails '/proc/nowhere: No such file or directory$' slugd -d /proc/nowhere
touch file
fails '.*/file/repos: Not a directory$' slugd -d file
mkdir locked
chmod 555 locked
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$scratch"
	mkdir theirs
	chmod 700 theirs
	alien='setpriv --reuid=65534 --regid=65534 --clear-groups'
else
	alien=
fi
# shellcheck disable=SC2086 # words, or none
{
	fails '.*/locked/repos: Permission denied$' $alien \
		"$(command -v slugd)" -d "$scratch/locked"
	fails '.*/locked/new: Permission denied$' $alien \
		"$(command -v slugd)" -d "$scratch/locked/new"
}

cat >stale.pl <<'EOF'
use IO::Socket::UNIX;
IO::Socket::UNIX->new(Local => shift, Listen => 1) or die;
EOF
perl stale.pl "$dir/slugd.sock"
[ -S "$dir/slugd.sock" ]
ok $? 'a socket that a killed slugd left'
fails "slugd is not running: nothing answers at $dir/slugd.sock\$" \
	slugctl -d "$dir" stop
start_slugd
ok $? 'is replaced'
stop_slugd KILL
start_slugd
ok $? 'slugd starts after kill -9'
stop_slugd INT
gone "$dir/slugd.sock"
ok $? 'SIGINT ends it, too'
start_slugd
kill -HUP $slugd_pid
run api GET /
like "$out" '"name":"slugd"' 'SIGHUP does not'
run slugctl -d "$dir" stop
is "$status $out" "0 slugd in $dir has ended" 'slugctl stop ends it'
wait $slugd_pid
is $? 0 'with status 0'
slugd_pid=
mkdir elsewhere
(
	cd elsewhere || exit 1
	SLUGD_DIR=../fresh exec slugd 2>>../slugd.log
) &
slugd_pid=$!
within 20 api GET /
ok $? 'SLUGD_DIR stands for -d'
export SLUGD_DIR="$dir"
run slugctl fsck
is "$status" 0 'for slugctl, too'
run slugctl -d "$scratch/locked" fsck
is "$status" 1 'and -d goes before it'
unset SLUGD_DIR
stop_slugd

# --- configuration ---

run slugd --print-config
is "$status" 0 '--print-config prints one'
printf '%s\n' "$out" >printed.ini
slugd -d "$dir" -c printed.ini 2>>slugd.log &
slugd_pid=$!
within 20 api GET /
ok $? 'which slugd -c accepts'
stop_slugd

# mistake LINE WORDS TEXT: slugd.ini of that text is refused.
mistake() {
	printf '%b' "$3" >"$dir/slugd.ini"
	fails "$dir/slugd.ini:$1: .*$2" slugd -d "$dir"
}

mistake 2 'nope' '[slugd]\nnope = 1\n'
mistake 1 'nope' '[nope]\nkey = 1\n'
mistake 3 'platform' '[slugd]\nplatform = a\nplatform = b\n'
mistake 2 'max_config' '[slugd]\nmax_config = much\n'
mistake 3 'driver' '\n[launch]\ndriver = magic\n'
mistake 2 'ports' '[launch]\nports = 9-1\n'
mistake 1 'section' 'nothing\n'
mistake 2 'longer than' "[slugd]\nplatform = $(printf '%0200d' 0)\n"
printf '[launch]\ndriver = none\n' >"$dir/slugd.ini"
fails '.*/nowhere.ini: No such file or directory$' slugd -d "$dir" -c nowhere.ini
gone "$dir/slugd.sock"
ok $? 'a slugd that does not start leaves no socket'
printf '[slugd]\nplatform = Here\n[launch]\ndriver = none\n' >other.ini
slugd -d "$dir" -c other.ini 2>>slugd.log &
slugd_pid=$!
within 20 api GET /
run api GET /
like "$out" '"platform":"Here"' '-c FILE is read instead'
stop_slugd

# --- slugctl init ---

fails "slugd is not running: .*$dir/slugd.sock" slugctl -d "$dir" init myapp
is "$(ls "$dir/repos")" '' 'without slugd nothing is made'
start_slugd || exit 1
run slugctl -d "$dir" init myapp
is "$status $out" "0 $dir/repos/myapp.git" 'init prints the repository'
is "$(git --git-dir="$out" rev-parse --is-bare-repository)" true \
	'which is bare'
fails 'Name myapp is already taken$' slugctl -d "$dir" init myapp
fails 'Name myapp is already taken$' \
	slugctl -d "$dir" init myapp "$scratch/again.git"
fails "$dir/repos/myapp.git is the repository of app myapp\$" \
	slugctl -d "$dir" init again "$dir/repos/myapp.git"
long=$(printf '%0200d' 0 | tr 0 a)
for name in / .. . -x Upper "$long" 'a b' ab 'a/b' 'ab-' 1app \
	'app.git' "it's"; do
	fails "app name '.*' must be 3 to 30 lower-case letters" \
		slugctl -d "$dir" init "$name"
done
is "$(ls "$dir/repos") $(ls -d "$scratch"/again.git 2>/dev/null)" \
	'myapp.git ' 'what is refused leaves nothing'

git init -q -b master work
echo hello >work/index.html
git -C work add .
git -C work commit -q -m first
git clone -q --bare work old.git
head=$(git -C work rev-parse HEAD)
run slugctl -d "$dir" init adopted old.git
is "$status $out" "0 $scratch/old.git" 'a repository with history is adopted'
like "$err" 'has master already. The next push to that is deployed;' \
	'and what comes next is said'
is "$(git --git-dir=old.git rev-parse master)" "$head" \
	'its branch is where it was'
is "$(git --git-dir=old.git config slugd.app)" adopted 'it knows its app'
echo more >>work/index.html
git -C work commit -q -a -m more
run git -C work push "$scratch/old.git" master
like "$err" 'Launching\.\.\. done, v2 deployed' 'a push to it is a release'

# The repository as it is, but for times.
picture() {
	(cd "$1" && find . -type f -exec cksum {} + | sort &&
		find . ! -type f -printf '%p %l\n' | sort)
}
# refused WORDS REPO [ARG...]: init fails, and changes nothing.
refused() {
	picture "$2" >before
	fails "$1" slugctl -d "$dir" init refused "$scratch/$2"
	picture "$2" >after
	cmp -s before after
	ok $? "nothing in $2 has changed"
	call=$(api GET /apps/refused)
	like "$call" not_found 'and there is no app'
}
git init -q --bare hooked.git
for hook in pre-receive reference-transaction post-receive; do
	printf '#!/bin/sh\n' >hooked.git/hooks/$hook
	refused "$scratch/hooked.git has a hook of its own: hooks/$hook" \
		hooked.git
	rm hooked.git/hooks/$hook
done
git init -q --bare paths.git
git --git-dir=paths.git config core.hooksPath /somewhere
refused "$scratch/paths.git has a core.hooksPath: /somewhere" \
	paths.git
git init -q --bare --object-format=sha256 sha256.git
refused "$scratch/sha256.git names its objects by SHA-256" \
	sha256.git
refused "$scratch/work/.git is not a bare repository" work/.git
refused "$scratch/work is not a git repository" work
mkdir empty
refused "$scratch/empty is not a git repository" empty
refused "$scratch/file is no folder" file
fails "$scratch/missing: No such file or directory\$" \
	slugctl -d "$dir" init refused "$scratch/missing/x.git"
gone missing
ok $? 'a folder that is missing is not made'
cp -a "$dir/repos/myapp.git" moved.git
run slugctl -d "$dir" init copied moved.git
is "$status" 0 'a copy of an app'"'"'s repository can be an app of its own'
is "$(git --git-dir=moved.git config slugd.app)" copied 'by its name'
cd elsewhere || exit 1
run slugctl -d ../fresh init relative ../relative.git
cd "$scratch" || exit 1
is "$status" 0 'the repository may be a relative path'
is "$(api GET /apps/relative | grep -o '"git_url":"[^"]*"')" \
	"\"git_url\":\"$scratch/relative.git\"" 'which is made absolute'
run slugctl -d "$dir" fsck
is "$status $out" '0 ledger ok: 4 apps, 5 releases, 1 slug' 'fsck with slugd'
stop_slugd
run slugctl -d "$dir" fsck
is "$status $out" '0 ledger ok: 4 apps, 5 releases, 1 slug' 'fsck without it'
fails 'slugd is not running' slugctl -d "$dir" stop
run git -C work push "$scratch/old.git" HEAD~1:refs/heads/main
is "$status" 1 'a push without slugd is refused'
like "$err" "slugd is not running: nothing answers at $dir/slugd.sock" \
	'by the hook, in words'

# --- apps end with slugd ---

driver=slugrun
dir=$scratch/slugd
make_dir
start_slugd || exit 1
rm -rf work
make_app
git -C work push -q heroku master 2>push.err
url=$(api GET /apps/myapp | sed 's/.*"web_url":"\([^"]*\)".*/\1/')
like "$(curl -sS "$url")" '^hello' 'an app runs'
stop_slugd
run curl -sS "$url"
isnt "$status" 0 'SIGTERM to slugd ends it'

# --- a path that is too long for a socket's address ---

driver=slugrun
dir=$scratch/$(printf '%0100d' 0)/$(printf '%0100d' 1)
mkdir -p "$dir"
cp "$scratch/slugd/slugd.ini" "$dir/"
start_slugd
ok $? 'slugd in a folder with a long path'
rm -rf work
make_app
is "$repo" "$dir/repos/myapp.git" 'slugctl init'
run git -C work push heroku master
like "$err" 'Launching\.\.\. done, v2 deployed to Heroku' 'the hooks'
url=$(printf '%s\n' "$err" | sed -n 's/^remote: *\(http:[^ ]*\).*/\1/p')
like "$(curl -sS "$url")" '^hello' 'slugrun'
run git -C work heroku releases
like "$out" '^v2 +Deploy ' 'and git heroku'
run slugctl -d "$dir" stop
is "$status" 0 'slugctl stop'
wait $slugd_pid
slugd_pid=

# --- two slugds that are root, and the uids of their apps ---

if [ "$(id -u)" -ne 0 ]; then
	skip 8 'needs root'
	finish
fi
dir=$scratch/slugd
start_slugd
first=$slugd_pid slugd_pid=
mkdir "$scratch/second"
cp "$dir/slugd.ini" "$scratch/second"
run slugd -d "$scratch/second"
is "$status" 1 'a slugd with the uids of another one does not start'
like "$err" "the slugd of $dir has uids 70000-79999 for its apps" \
	'and names the folder of that one'
sed -i '/^\[launch\]/a uids = 79000-80000' "$scratch/second/slugd.ini"
run slugd -d "$scratch/second"
like "$err" "79000-80000 overlaps them: set other 'uids'" 'nor with some of them'
sed -i 's/^uids.*/uids = 80000-80999/' "$scratch/second/slugd.ini"
log=$(wc -l <"$scratch/slugd.log")
dir=$scratch/second
start_slugd
ok $? 'with others it does'
like "$(tail -n +"$log" "$scratch/slugd.log")" \
	"ports $first_port-$last_port overlap those of the slugd of $scratch/slugd" \
	'ports that are the same are logged'
sed -i 's/^uids.*/uids = 70000-80999/' "$dir/slugd.ini"
kill -HUP "$slugd_pid"
within 20 grep -q 'was read again' "$scratch/slugd.log"
like "$(cat "$scratch/slugd.log")" 'uids stay 80000-80999' \
	'a configuration that is read again changes nothing of that'
kill -KILL "$first"
wait "$first" 2>/dev/null
stop_slugd
start_slugd
ok $? 'one that was killed has its uids no more'
stop_slugd
dir=$scratch/slugd
start_slugd
ok $? 'and one that ended neither'
finish
