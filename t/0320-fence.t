#!/bin/sh
# SPDX-License-Identifier: ISC
# The sandbox of slugpack and of unpacking, from outside; what it is made of
# has a unit test. Whatever a repository is made of is read all the same.
. "$(dirname "$0")/lib/test.sh"

git init -q -b master work
head -c 9000000 /dev/urandom >work/large
echo hello >work/small
git -C work add . && git -C work commit -q -m 'large and small'
commit=$(git -C work rev-parse HEAD)
slugpack work HEAD >wanted.tzst
is "$(tar --zstd -tf wanted.tzst | xargs)" 'large small' 'a slug to compare with'

# packs NAME ARGS...: slugpack gives the same slug.
packs() {
	name=$1
	shift
	slugpack "$@" >got.tzst 2>err
	is "$? $(cat err)" '0 ' "$name"
	cmp -s got.tzst wanted.tzst
	ok $? 'which is the same slug'
}

field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}
# is_fenced PID NAME: nothing of its caller has come to it.
is_fenced() {
	if grep -q '^Seccomp:' /proc/self/status; then
		is "$(field "$1" NoNewPrivs) $(field "$1" Seccomp)" '1 2' \
			"$2 is behind a filter of system calls"
	else
		skip 1 'no seccomp in /proc'
	fi
	is "$(tr '\0' '\n' <"/proc/$1/environ" |
		grep -Ec 'canary|nowhere')" 0 \
		'the environment of its caller is gone'
	is "$(find "/proc/$1/fd" -lname '*/work/small' | wc -l)" 0 \
		'a descriptor of its caller is closed'
}

# --- a running slugpack, held up where it writes
mkfifo pipe
exec 8<>/dev/null 9<work/small
SECRET=canary GIT_DIR=/nowhere slugpack --report=8 work HEAD >pipe &
pid=$!
exec 7<pipe
within 20 pgrep -P $pid -x git
child=$(pgrep -P $pid -x git)
is_fenced $pid 'slugpack'
is_fenced "$child" 'its git'
is "$((0x$(field $pid CapPrm) & ~6)) $((0x$(field "$child" CapPrm) & ~6))" \
	'0 0' 'neither has a capability, as root, but to read and write files'
[ -e "/proc/$pid/fd/8" ]
ok $? 'but not the one of the report'
is "$(find "/proc/$child/fd" -name 8 -o -name 9 | wc -l)" 0 'git has neither'
limits() {
	sed -n "s/^$1  *\([^ ]*\) .*/\1/p" "/proc/$pid/limits"
}
is "$(limits 'Max core file size')" 0 'it leaves no core'
isnt "$(limits 'Max cpu time')" unlimited 'its time is limited'
isnt "$(limits 'Max file size')" unlimited 'the size of its files'
case $(nm -D "$(command -v slugpack)" 2>/dev/null) in
*__asan_init*) skip 1 'a sanitizer needs more than there is' ;;
*) isnt "$(limits 'Max address space')" unlimited 'and its memory' ;;
esac
cat <&7 >got.tzst
exec 7<&- 8>&- 9<&-
wait $pid
is $? 0 'and it goes on to its end'
cmp -s got.tzst wanted.tzst
ok $? 'with the same slug'

# --- what is outside
mkdir driver && cd driver || exit 1
make_dir '' && start_slugd
run slugctl -d "$dir" status
like "$out" '^sandbox: landlock ([1-9][0-9]*|none \(.*\)), seccomp( none)?$' \
	'slugctl status says what is live'
sandbox=$(printf '%s\n' "$out" | grep '^sandbox: ')
cd .. || exit 1
file=$(git -C work rev-parse HEAD:small | sed 's,^..,&/,')
cp -r work foreign
mkdir elsewhere
mv "foreign/.git/objects/$file" elsewhere/object
ln -s "$scratch/elsewhere/object" "foreign/.git/objects/$file"
run git -C foreign cat-file -p HEAD:small
is "$out" hello 'git follows an object that is a link'
case $sandbox in
*'landlock none'*)
	skip 2 "$sandbox"
	;;
*)
	slugpack foreign HEAD >got.tzst 2>err
	is $? 1 'slugpack does not read what lies outside of the repository'
	unlike "$(tar --zstd -xOf got.tzst small 2>&1)" hello \
		'and nothing of it is in a slug'
	;;
esac

# --- unpacking, held up where it reads its slug
uuid=01234567-89ab-4def-8123-456789abcdef
mkdir store
slugpack --store=store --slug=$uuid work HEAD
is $? 0 'a slug in a store'
cp -r store held
rm held/slugs/$uuid && mkfifo held/slugs/$uuid
mkdir apps
SECRET=canary "$SLUGD_EXEC_PATH/slugunpack" held $uuid apps/v1 1 \
	2>/dev/null 9<work/small &
pid=$!
grep -q '^Seccomp:' /proc/self/status &&
	within 10 grep -q '^Seccomp:.*2$' "/proc/$pid/status"
is_fenced $pid 'unpacking'
isnt "$(limits 'Max address space') $(limits 'Max cpu time')" \
	'unlimited unlimited' 'and there are limits'
kill $pid
wait $pid 2>/dev/null
run "$SLUGD_EXEC_PATH/slugunpack" store $uuid apps/v2 1
is "$status $(cat apps/v2/small)" '0 hello' 'it goes on well'
cmp -s work/large apps/v2/large
ok $? 'with large files, too'
segment=$(find store/segments -type f ! -name '*.page' | sort | head -n 1)
mv "$segment" elsewhere/segment
ln -s "$scratch/elsewhere/segment" "$segment"
case $sandbox in
*'landlock none'*) skip 2 "$sandbox" ;;
*)
	run "$SLUGD_EXEC_PATH/slugunpack" store $uuid apps/v3 1
	is "$status" 1 'it reads nothing outside of the store'
	is "$(echo apps/*)" apps/v2 'and leaves nothing'
	;;
esac

# --- but all that a repository is made of is read
git clone -q --bare work far.git
mkdir -p near/middle.git
git clone -q --bare -s far.git near/middle.git
git -C near/middle.git config --unset remote.origin.url
git clone -q --bare -s near/middle.git last.git
echo ../../near/middle.git/objects >last.git/objects/info/alternates
printf '# a comment\n%s/far.git/objects\n' "$scratch" \
	>near/middle.git/objects/info/alternates
is "$(find last.git/objects near/middle.git/objects -type f |
	grep -vc alternates)" 0 'repositories with alternates only'
packs 'alternates of a relative one' last.git HEAD
packs 'also in folders of objects' -O last.git/objects last.git "$commit"
mkdir empty
packs 'and behind an empty one' -O empty -O last.git/objects last.git "$commit"
echo "$scratch/near/middle.git/objects" >last.git/objects/info/alternates
packs 'absolute ones, too' last.git HEAD
chain=far.git
for i in 1 2 3 4 5; do
	git init -q --bare "chain$i.git"
	echo "$scratch/$chain/objects" >"chain$i.git/objects/info/alternates"
	chain=chain$i.git
done
echo "$commit" >chain5.git/refs/heads/master
run git -C chain5.git cat-file -t "$commit"
is "$out" commit 'as deep as git takes it'
packs 'slugpack does, too' chain5.git "$commit"
# One that leads back to itself.
echo ../objects >far.git/objects/info/alternates
packs 'and ends where they go round' far.git HEAD
rm far.git/objects/info/alternates
git -C work worktree add -q ../tree 2>/dev/null
packs 'a further work tree' tree HEAD
git init -q --separate-git-dir="$scratch/parted.git" parted
git -C parted pull -q ../work master
packs 'a repository apart from its work tree' parted HEAD
mkdir linked linked/.git
cp work/.git/HEAD linked/.git/
for part in config objects refs packed-refs; do
	[ ! -e "work/.git/$part" ] ||
		ln -s "../../work/.git/$part" "linked/.git/$part"
done
packs 'one that is made of links' linked HEAD
ln -s work link
packs 'and one behind a link' link HEAD
(cd work/.git && slugpack . HEAD) >got.tzst
cmp -s got.tzst wanted.tzst
ok $? 'and the one that one stands in'

# --- the settings of its owner
mkdir -p home/more home/.config/git
printf '[include]\n\tpath = more/inc\n[user]\n\tname = Ada\n' >home/.gitconfig
printf '[include] path = "~/more/again" ; and so on\n' >home/more/inc
printf '[core]\n\tquotePath = false\n' >home/more/again
printf '[includeIf "gitdir:~/x/"]\n\tpath = gone\n' >home/.config/git/config
HOME=$scratch/home
export HOME
packs 'a configuration that includes others' work HEAD
if [ "$(id -u)" -eq 0 ]; then
	cp -r far.git theirs && chown -R 65534 theirs
	run slugpack theirs HEAD
	like "$status $err" '^1  !    theirs belongs to another user' \
		"somebody else's repository is refused"
	printf '[safe]\n\tdirectory = %s\n' "$scratch/theirs" >>home/more/again
	packs 'but for safe.directory in what is included' theirs HEAD
else
	skip 3 'takes root'
fi
unset HOME
packs 'and none at all' work HEAD

# --- limits
# shellcheck disable=SC3045
(ulimit -f 10 && slugpack work HEAD) >got.tzst 2>err
is "$? $(cat err)" '1  !    cannot write the slug: File too large' \
	'a file that may not grow is an error in words'
run env PATH="$scratch/empty" "$(command -v slugpack)" work HEAD
is "$status $err" '1  !    cannot run git: No such file or directory' \
	'without git no other program is run'

# --- kernels that have less
# lacks CALL...: as if the kernel did not know these; then a command.
lacks() {
	calls=$1
	shift
	strace -f -qq -o trace -e "trace=$calls" \
		-e "inject=$calls:error=ENOSYS" "$@"
}
case $(nm -D "$(command -v slugpack)" 2>/dev/null) in
*__asan_init*) traced=1 ;;
*) lacks landlock_create_ruleset true 2>/dev/null && traced=0 || traced=1 ;;
esac
if [ "$traced" -eq 0 ]; then
	lacks landlock_create_ruleset slugpack work HEAD >got.tzst
	is "$? $(cmp got.tzst wanted.tzst)" '0 ' 'without Landlock it packs'
	like "$(cat trace)" 'INJECTED' 'and it was without'
	lacks seccomp slugpack work HEAD >got.tzst
	is "$? $(cmp got.tzst wanted.tzst)" '0 ' 'without seccomp it packs'
	like "$(cat trace)" 'INJECTED' 'and it was without'
	run lacks landlock_create_ruleset slugctl -d "$dir" status
	like "$out" '^sandbox: landlock none \(not in this kernel\), seccomp' \
		'slugctl status says that there is no Landlock'
	run lacks seccomp slugctl -d "$dir" status
	like "$out" '^sandbox: landlock .*, seccomp none$' 'or no seccomp'
else
	skip 6 'system calls cannot be traced'
fi

finish
