#!/bin/sh
# SPDX-License-Identifier: ISC
# Where git or the disk could not tell, nobody is told "it is not there".
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

# deploy [REV]: what the API says, and with which status.
deploy() {
	api POST /apps/myapp/builds -w ' %{http_code}' \
		-d "{\"source_blob\": {${1:+\"version\": \"$1\"}}}" | tr '\n' ' '
}

make_dir "$@"
start_slugd
make_app myapp >/dev/null
repo=$dir/repos/myapp.git
like "$(deploy)" 'nothing was pushed yet.* 404$' 'nothing was pushed yet'
git -C work push -q heroku master
is $? 0 'a push'
tree=$(git --git-dir="$repo" rev-parse 'master^{tree}')
for rev in nope 1234567812345678123456781234567812345678 "$tree"; do
	like "$(deploy "$rev")" "has no commit $rev.* 404\$" "no commit $rev"
done

# --- the repository is none for git ---

mv "$repo/HEAD" HEAD.away
for rev in '' master nope; do
	said=$(deploy $rev)
	like "$said" 'not a git repository|HEAD.* 500$' \
		"a repository that git cannot read: ${rev:-no version}"
	unlike "$said" 'nothing was pushed|has no commit' \
		'is not told as one without a commit'
done
mv HEAD.away "$repo/HEAD"

# --- a ref that cannot be read ---

cp "$repo/refs/heads/master" master.away
: >"$repo/refs/heads/master"
said=$(deploy)
like "$said" 'broken ref refs/heads/master.* 500$' \
	'a ref that cannot be read is told as such'
unlike "$said" 'nothing was pushed' 'not as one that is not there'
cp master.away "$repo/refs/heads/master"

# --- an object that cannot be read ---

commit=$(cat master.away)
object=$repo/objects/$(echo "$commit" | sed 's,^..,&/,')
mv "$object" object.away && : >"$object"
said=$(deploy master)
like "$said" 'object file.* 500$' 'an object that cannot be read is told as such'
unlike "$said" 'has no commit' 'not as one that is not there'
rm -f "$object" && mv object.away "$object"
echo 2 >>work/index.html
git -C work commit -q -a -m 2
run git -C work push heroku master
is "$status" 0 'then all goes on'

# --- alternates ---

git init -q --bare own.git
mkdir own.git/objects/info/alternates
run slugctl -d "$dir" init own "$scratch/own.git"
like "$status:$err" '^1: !    .*alternates: Is a directory' \
	'alternates that cannot be read are not none'
rmdir own.git/objects/info/alternates

# --- the ledger ---

stop_slugd
if ! strace -o /dev/null true 2>/dev/null; then
	skip 15 'strace cannot trace here'
	finish
fi
for n in 1 2 3 4 5 6 7 8; do
	run strace -f -P "$dir/ledger.db" -o trace -e trace=pread64 \
		-e inject=pread64:error=EIO:when="$n" \
		slugctl -d "$dir" fsck --dry-run
	said="$status:$(echo "$err" | grep -c 'Input/output error')"
	is "$said:$(printf '%s' "$err$out" | grep -c malformed)" 1:1:0 \
		"a read that the disk fails is not a malformed ledger ($n)"
done

# --- slugpack ---

packs=$dir/repos/myapp.git/objects
commit=$(git --git-dir="$repo" rev-parse master)
loose=$packs/$(echo "$commit" | sed 's,^..,&/,')
# pack CALL PATH WHEN: with a disk that fails that call for that path.
pack() {
	run strace -f -P "$2" -o trace -e trace="$1" \
		-e inject="$1:error=EIO:when=$3" \
		"$SLUGD_EXEC_PATH/slugpack" "$repo" "$commit"
}
pack access "$loose" 1+
like "$status:$err" "^1: !    cannot read $loose: Input/output error" \
	'slugpack: a commit that the disk does not give is not missing'
pack access "$loose" 1
is "$status:$err" 0: 'one that it does not give once, is read'
pack openat "$loose" 1+
like "$status:$err" "^1: !    cannot read .*Input/output error" \
	'nor is it told as no commit'
pack %%stat "$repo/HEAD" 1
is "$status" 0 'so is the repository'
git --git-dir="$repo" rev-parse -q --verify 'master^{tree}' >tree
loose=$packs/$(sed 's,^..,&/,' tree)
pack access "$loose" 1+
like "$status:$err" '^1: !    .*Input/output error' 'and its tree'
run "$SLUGD_EXEC_PATH/slugpack" "$repo" 1234567812345678123456781234567812345678
like "$status:$err" "^1: !    no commit '1234" 'what is not there is said to be'

# --- git heroku ---

ln -s "$dir/repos/loop" "$dir/repos/loop"
git -C work remote add loop "$dir/repos/loop"
cd work || exit 1
run git heroku releases -r loop
like "$status:$err" 'loop.*Too many levels of symbolic links' \
	'git heroku: a repository that cannot be looked at is not missing'
cd ..
finish
