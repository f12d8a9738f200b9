#!/bin/sh
# SPDX-License-Identifier: ISC
# Repositories that were there before slugd: their hooks, their settings, what
# they borrow and what they have, and slugctl check and repair of them.

# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck disable=SC2317 # within calls some
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir
chmod 700 "$dir"
start_slugd || exit 1
git init -q -b master work
cd work || exit 1
printf 'hello\n' >index.html
git add . && git commit -q -m first
cd "$scratch" || exit 1

# init ARG...: slugctl init.
init() {
	run slugctl -d "$dir" init "$@"
}

# A bare repository with the work tree's history.
bare() {
	rm -rf "$1"
	git clone -q --bare work "$1"
	mkdir -p "$1/hooks"
	rm -f "$1"/hooks/*
}

# hook FILE [LINES]: a hook that notes how it was called, and what with.
hook() {
	printf '%s\n' '#!/bin/sh' \
		"{ echo \"\$0 \$*\"; cat; } >>'$scratch/hooks.log'" \
		"${2:-:}" >"$1"
	chmod +x "$1"
}

# push REPO [REFSPEC]: a new commit.
push() {
	(cd work && commit >/dev/null) || return
	commits=$((commits + 1))
	run git -C work push "$scratch/$1" "${2:-HEAD:master}"
}

# findings: what check says of the app, without the mending.
findings() {
	slugctl -d "$dir" check | sed -n "s/^app $1: \(.*\); mend with.*/\1/p"
}

# --- hooks of the admin's own ---

bare own.git
hook own.git/hooks/pre-receive '[ ! -e refuse ] || exit 3'
hook own.git/hooks/post-receive
hook own.git/hooks/update
init own "$scratch/own.git"
is "$status" 1 'hooks of the admin'"'"'s own are not replaced'
like "$err" 'hook of its own: hooks/pre-receive.*--chain-hooks' \
	'and init says what keeps them'
init --chain-hooks own "$scratch/own.git"
is "$status:$out" "0:$scratch/own.git" 'init --chain-hooks keeps them'
is "$(slugctl -d "$dir" check | grep '^app')" '' 'and check finds no fault'
head=$(git -C work rev-parse HEAD)
push own.git
is "$status:$(newest version own)" 0:2 'a push to it is a release'
now=$(git -C work rev-parse HEAD)
is "$(sed "s:$scratch/own.git/::" hooks.log)" "hooks/pre-receive.chained 
$head $now refs/heads/master
hooks/update refs/heads/master $head $now
hooks/post-receive.chained 
$head $now refs/heads/master" 'their hooks run with their lines and arguments'
: >own.git/refuse
push own.git
is "$status:$(newest version own)" 1:2 \
	'a pre-receive that fails refuses the push'
like "$err" '! +hooks/pre-receive.chained exited with 3' 'and is named'
rm own.git/refuse
hook own.git/hooks/post-receive.chained 'exit 1'
push own.git
is "$status:$(newest version own)" 0:3 'a post-receive that fails does not'

hook own.git/hooks/reference-transaction.chained \
	"[ \"\$1\" != prepared ] || [ ! -e refuse ]"
: >hooks.log
push own.git
is "$status:$(newest version own)" 0:4 'a reference-transaction is chained, too'
is "$(grep -c '^hooks/reference-transaction.chained prepared' hooks.log)" \
	"$(grep -c '^hooks/reference-transaction.chained committed' hooks.log)" \
	'for each state'
: >own.git/refuse
sed 's/\[ ! -e refuse \].*/:/' own.git/hooks/pre-receive.chained >hook.new
cat hook.new >own.git/hooks/pre-receive.chained
push own.git
is "$status:$(newest version own)" 128:4 'where it refuses, no release is made'
rm own.git/refuse
hook own.git/hooks/reference-transaction.chained "[ \"\$1\" != committed ]"
push own.git
is "$status:$(newest version own)" 0:5 \
	'where it fails too late, the release is made'

init --chain-hooks again "$scratch/own.git"
is "$status" 1 'one repository is of one app'
bare both.git
hook both.git/hooks/pre-receive
hook both.git/hooks/pre-receive.chained
init --chain-hooks both "$scratch/both.git"
like "$status:$err" '1: !    .*has both hooks/pre-receive and' \
	'two hooks for one place are refused'

# --- a folder of hooks elsewhere ---

mkdir theirs
hook theirs/pre-receive
hook theirs/update
bare paths.git
hook paths.git/hooks/pre-receive 'exit 1'
hook paths.git/hooks/update 'exit 1'
git --git-dir=paths.git config core.hooksPath ../theirs
init paths "$scratch/paths.git"
like "$status:$err" '1: !    .*has a core.hooksPath: .*theirs.*--chain-hooks' \
	'core.hooksPath is refused by name'
init --chain-hooks paths "$scratch/paths.git"
is "$status" 0 '--chain-hooks keeps it'
: >hooks.log
push paths.git
is "$status:$(newest version paths)" 0:2 'a push is a release'
is "$(grep -c "theirs/pre-receive" hooks.log):$(grep -c 'theirs/update' hooks.log)" 1:1 \
	'and its hooks run, those in hooks/ do not'
hook theirs/post-update
hook theirs/post-receive
: >hooks.log
push paths.git
is "$(grep -c 'post-update\|theirs/post-receive' hooks.log)" 2 \
	'so do those that come later'
is "$(git --git-dir=paths.git config slugd.hooksPath)" \
	../theirs 'where they are is remembered'
rm -f paths.git/hooks/update
run slugctl -d "$dir" repair paths
: >hooks.log
push paths.git
is "$status:$(grep -c "theirs/pre-receive" hooks.log):$(grep -c 'theirs/update' hooks.log)" \
	0:1:1 'after repair they are run, still'
bare tilde.git
tilde='~'
git --git-dir=tilde.git config core.hooksPath "$tilde/hooks"
init --chain-hooks tilde "$scratch/tilde.git"
like "$status:$err" '1: !    .*core.hooksPath: ~/hooks. Write it as an absolute path' \
	'one that begins with ~ is refused'

git config --file other.ini core.hooksPath "$scratch/nothing"
export GIT_CONFIG_GLOBAL="$scratch/other.ini"
push paths.git
export GIT_CONFIG_GLOBAL=/dev/null
is "$status:$(newest version paths)" 0:5 \
	'a core.hooksPath of the user'"'"'s own settings hides no hook'

# --- objects of another repository ---

(cd work && commit >/dev/null)
commits=$((commits + 1))
git clone -q --bare work lender.git
git clone -q --bare --reference lender.git lender.git middle.git
git clone -q --bare --shared middle.git borrower.git
rm -rf middle.git/objects/pack middle.git/objects/??
init borrower "$scratch/borrower.git"
is "$status" 0 'a repository that borrows objects is adopted'
is "$(sort borrower.git/slugd.alternates)" "$scratch/lender.git/objects
$scratch/middle.git/objects" 'from whom is recorded'
push borrower.git
is "$status:$(newest version borrower)" 0:2 'a push is packed with them'
is "$(findings borrower)" '' 'check finds no fault'
git init -q --bare stranger.git
# tell FOLDER: what slugd says of a push whose objects are there.
tell() {
	sh -c 'curl -sS --unix-socket "$1" http://slugd/pushes -d "$2"; :' sh \
		"$dir/slugd.sock" "{\"repository\": \"$scratch/borrower.git\",
		\"objects\": \"$1\", \"refs\": [{\"name\": \"refs/heads/main\",
		\"old\": \"$(printf '%040d' 0)\",
		\"new\": \"$(printf '%040d' 1)\"}]}"
}
like "$(tell "$scratch/stranger.git/objects")" "not a folder of borrower's" \
	'slugd reads no objects of strangers'
like "$(tell "$scratch/lender.git/objects")" '"output_stream_url"' \
	'but those of a lender that was recorded'
echo "$scratch/stranger.git/objects" >>borrower.git/objects/info/alternates
is "$(findings borrower)" 'objects/info/alternates has changed' \
	'but does where there are others'
run slugctl -d "$dir" repair borrower
is "$status:$(findings borrower)" 0: 'repair records them'
git clone -q --bare --shared lender.git orphan.git
echo "$scratch/gone/objects" >>orphan.git/objects/info/alternates
init orphan "$scratch/orphan.git"
like "$status:$err" '1: !    .*borrows objects from .*gone.* not there' \
	'one that is not there is refused by name'

# --- formats ---

git init -q --bare --object-format=sha256 sha256.git
init sha "$scratch/sha256.git"
like "$status:$err" '1: !    .*SHA-256' 'SHA-256 is refused in words'
for extension in refStorage=reftable partialClone=origin unheardOf=1; do
	rm -rf format.git && git init -q --bare format.git
	printf '[core]\n\trepositoryformatversion = 1\n\tbare = true\n' \
		>format.git/config
	printf '[extensions]\n\t%s\n' "$extension" >>format.git/config
	init format "$scratch/format.git"
	like "$status:$err" "1: !    .*cannot read: extensions\\.$(
		echo "${extension%=*}" | tr '[:upper:]' '[:lower:]')" \
		"the extension $extension is refused by name"
done
printf '[core]\n\trepositoryformatversion = 1\n\tbare = true\n' \
	>format.git/config
printf '[extensions]\n\tobjectFormat = sha1\n' >>format.git/config
init format "$scratch/format.git"
is "$status" 0 'objectFormat=sha1 is none'

no_fault() {
	! slugctl -d "$scratch/others" check | grep -q '^app'
}

# Root makes what slugd's account can use.
root_makes() {
	mkdir others
	printf '[launch]\nports = %d-%d\n' "$((last_port - 4))" "$last_port" \
		>others/slugd.ini
	chown -R 65534 others
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		slugd -d "$scratch/others" 2>others.log &
	other=$!
	within 20 curl -sS --unix-socket others/slugd.sock http://slugd/
	run slugctl -d "$scratch/others" init byroot
	is "$status:$(find others/repos ! -user 65534)" 0: \
		'what root makes belongs to the owner of DIR'
	like "$(curl -sS --unix-socket others/slugd.sock \
		http://slugd/apps/byroot/releases)" '"email":"root"' \
		'and is by root'
	# HAProxy may still be about to listen on the app's port.
	within 10 no_fault
	run slugctl -d "$scratch/others" check
	is "$(echo "$out" | grep '^app')" '' 'check by root finds no fault'
	bare mine.git
	run slugctl -d "$scratch/others" init mine "$scratch/mine.git"
	like "$status:$err" '1: !    .*belongs to user 0.*chown' \
		"what is root's is not adopted"
	kill "$other"
	wait "$other"
}
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$scratch"
	root_makes
	bare foreign.git
	chown -R 65534 foreign.git
	init foreign "$scratch/foreign.git"
	like "$status:$err" '1: !    .*belongs to user 65534.*chown' \
		"another user's is refused in words"
else
	skip 5 'only root can give files away'
fi

# --- what it has ---

bare deployed.git
init deployed "$scratch/deployed.git"
is "$status" 0 'a deploy branch that is there stays'
like "$err" 'has master already.* git heroku deploy master$' \
	'and init says how to deploy it'
is "$(git --git-dir=deployed.git rev-parse master)" \
	"$(git -C work rev-parse HEAD)" 'its history is kept'
is "$(releases deployed version)" 1 'without a release'

git clone -q --bare --depth 1 "file://$scratch/work" shallow.git
init shallow "$scratch/shallow.git"
is "$status" 0 'a shallow repository is adopted'
push shallow.git
is "$status:$(newest version shallow)" 0:2 'and pushed to'

bytes() {
	perl -e 'print pack "H*", shift' "$1"
}

# As some old history has it: git itself writes 40000.
old_history() {
	blob=$(echo 'web: x' | git -C work hash-object -w --stdin)
	{ printf '100644 a\0' && bytes "$blob"; } >tree
	inner=$(git -C work hash-object -w --literally -t tree "$scratch/tree")
	{
		printf '100644 Procfile\0' && bytes "$blob"
		printf '040000 folder\0' && bytes "$inner"
	} >tree
	outer=$(git -C work hash-object -w --literally -t tree "$scratch/tree")
	git -C work commit-tree -m 'An old one' "$outer"
}
old=$(old_history)
like "$(git -C work fsck 2>&1)" zeroPaddedFilemode \
	'a history with zero-padded modes'
new=$(git -C work commit-tree -p "$old" -m 'A new one' "$(
	git -C work rev-parse 'HEAD^{tree}')")
init fresh
run git -C work push "$dir/repos/fresh.git" "$new:refs/heads/master"
is "$status:$(newest version fresh)" 0:2 'can be pushed'
git init -q --bare padded.git
git --git-dir=padded.git fetch -q work "$new:refs/heads/master"
init padded "$scratch/padded.git"
is "$status" 0 'and adopted'
run git -C work push "$scratch/padded.git" "$(
	git -C work commit-tree -p "$new" -m 'Old again' "$old^{tree}"
):refs/heads/master"
is "$status:$(newest version padded)" 0:2 'and its old trees are packed'
is "$(slug_cat "$(newest slug.id padded)" | zstd -dc | tar -tf - |
	tr '\n' ' ')" 'Procfile folder/ folder/a ' 'with all their files'

# --- check and repair ---

is "$(slugctl -d "$dir" check | grep -v 'app borrower\|disk')" \
	"$(slugctl -d "$dir" check | grep 'set-up ok')" 'check has no fault to find'
repo=$scratch/deployed.git
rm "$repo/slugd.hooks/pre-receive"
sed -i 's:^hook=.*:hook=/elsewhere/post-receive:' \
	"$repo/slugd.hooks/post-receive"
git --git-dir="$repo" config core.fsync none
git --git-dir="$repo" config --unset receive.fsckObjects
git --git-dir="$repo" config receive.maxInputSize 5g
git --git-dir="$repo" config slugd.app other
git --git-dir="$repo" config core.hooksPath /somewhere
ln -sfn /nowhere "$repo/slugd.sock"
run slugctl -d "$dir" check
is "$status" 1 'check fails where there is a fault'
is "$(findings deployed)" "slugd.hooks/pre-receive is missing
slugd.hooks/post-receive is of another installation of slugd
its link slugd.sock does not lead to slugd
its setting core.fsync is none, not all
its setting receive.fsckObjects is missing
its setting core.hooksPath is /somewhere, not slugd.hooks
its setting slugd.app is other, not deployed" 'and names each'
like "$out" "pre-receive is missing; mend with: slugctl -d $dir repair deployed" \
	'with what mends it'
git --git-dir="$repo" config core.hooksPath "$repo/hooks"
run slugctl -d "$dir" repair deployed
is "$status:$(findings deployed)" 0: 'repair mends all of them'
push deployed.git
is "$status:$(newest version deployed)" 0:2 'a push works again'
is "$(git --git-dir="$repo" config receive.maxInputSize)" 5g \
	'what may be chosen stays'
hook "$repo/hooks/pre-receive"
is "$(findings deployed)" \
	"hooks/pre-receive is not run: slugd's hooks are in slugd.hooks" \
	'a hook put in the place of ours is found'
run slugctl -d "$dir" repair deployed
like "$status:$err" '1:.*--chain-hooks' 'and not removed'
run slugctl -d "$dir" repair --chain-hooks deployed
is "$status:$(findings deployed)" 0: 'but chained, if told to'
: >hooks.log
push deployed.git
is "$status:$(newest version deployed):$(grep -c chained hooks.log)" 0:3:1 \
	'and both run'
run slugctl -d "$dir" repair nothere
like "$status:$err" '1: !    ' 'repair of an app that is not there'

finish
