#!/bin/sh
# SPDX-License-Identifier: ISC
# Repositories that others could change, and programs that a repository's
# settings name: slugd takes the first for no app, and runs none of the second.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir
chmod 755 "$scratch"
chmod 700 "$dir"
start_slugd || exit 1

# init NAME REPO: slugctl init.
init() {
	run slugctl -d "$dir" init "$@"
}

# --- folders that others may write to ---

mkdir -m 755 safe
git init -q --bare safe/open.git
chmod 770 safe/open.git
init open "$scratch/safe/open.git"
is "$status:$out" '1:' 'a repository that its group can change is refused'
like "$err" '^ !    .*/safe/open\.git can be written to by others .*mend with: chmod go-w ' \
	'in words that say how to mend that'
chmod 755 safe/open.git
chmod 777 safe
init open "$scratch/safe/open.git"
is "$status" 1 'and one in a folder that all can change'
like "$err" '^ !    .*/safe can be written to by others' 'which is named'
init fresh "$scratch/safe/fresh.git"
is "$status" 1 'none is made in such a folder'
ok "$([ ! -e safe/fresh.git ]; echo $?)" 'and nothing is left there'
chmod 1777 safe
init open "$scratch/safe/open.git"
is "$status" 0 'with the sticky bit nobody can swap it'
chmod 755 safe
git init -q --bare safe/hook.git
mkdir -p safe/hook.git/hooks
chmod 777 safe/hook.git/hooks
init hook "$scratch/safe/hook.git"
is "$status" 1 'hooks that others can change are refused'
chmod 755 safe/hook.git/hooks
echo '[core]' >elsewhere
mv safe/hook.git/config config
ln -s "$scratch/config" safe/hook.git/config
init hook "$scratch/safe/hook.git"
like "$status:$err" '^1: !    .*/config is no plain file' \
	'so is a config that is a link'
rm safe/hook.git/config
mv config safe/hook.git/config
ln -s "$scratch/stolen" safe/hook.git/slugd.alternates
init hook "$scratch/safe/hook.git"
ok "$([ "$status" = 1 ] && [ ! -e stolen ]; echo $?)" \
	'no file is written through a link'

rm safe/hook.git/slugd.alternates

# A link in the place of a folder of the repository.
mkdir -m 755 real && mkdir -m 777 real/open
mv safe/hook.git/objects real/open/objects
ln -s "$scratch/real/open/objects" safe/hook.git/objects
init hook "$scratch/safe/hook.git"
is "$status" 1 'a link to a folder that others can swap is refused'
like "$err" '^ !    .*/hook\.git/objects leads to .*/real/open can be written to' \
	'with its name, and that of the folder'
chmod 755 real/open
init hook "$scratch/safe/hook.git"
is "$status" 0 'one to a folder that nobody can swap is not'

# --- a repository whose settings name a program ---

repo=$(slugctl -d "$dir" init myapp)
printf '#!/bin/sh\nid >"%s/ran"; exit 1\n' "$scratch" >payload
chmod +x payload
git -C "$repo" config core.repositoryformatversion 1
git -C "$repo" config remote.origin.url "$scratch/safe/open.git"
git -C "$repo" config extensions.partialClone origin
git -C "$repo" config remote.origin.promisor true
git -C "$repo" config remote.origin.uploadpack "$scratch/payload"
git -C "$repo" config core.fsmonitor "$scratch/payload"
git -C "$repo" config core.pager "$scratch/payload"
git -C "$repo" config core.sshCommand "$scratch/payload"
git -C "$repo" config core.alternateRefsCommand "$scratch/payload"
run api POST /apps/myapp/builds \
	-d '{"source_blob": {"version": "1234567890123456789012345678901234567890"}}'
like "$out" 'no commit|cannot|not_found|failed' \
	'a commit that is missing is not there'
ok "$([ ! -e ran ]; echo $?)" 'and no program was run to fetch it'

# --- somebody else ---

if [ "$(id -u)" -ne 0 ]; then
	skip 8 'not root: there is no somebody else'
	finish
fi
eve='setpriv --reuid=6501 --regid=6590 --clear-groups'
mkdir -m 755 eve
chown 6501:6590 eve
$eve git init -q --bare eve/evil.git
init evil "$scratch/eve/evil.git"
is "$status" 1 "slugctl takes no repository of somebody else's"
init evil "$scratch/eve/fresh.git"
is "$status" 1 'and makes none in his folder'
like "$err" '^ !    .*/eve belongs to user 6501, who could put something else there' \
	'which is named'
ok "$([ ! -e eve/fresh.git ]; echo $?)" 'nothing is left there'
run api POST /apps -d "{\"name\": \"evil\", \"repository\": \"$scratch/eve/evil.git\"}"
like "$out" 'belongs to user 6501' 'nor does slugd, whoever asks'
chmod 711 "$dir"
chgrp 6590 "$dir/slugd.sock"
git init -q --bare safe/ours.git
code=$($eve curl -sS --unix-socket "$dir/slugd.sock" -w ' %{http_code}' \
	http://slugd/apps \
	-d "{\"name\": \"evil\", \"repository\": \"$scratch/safe/ours.git\"}")
is "${code##* }" 403 'who may use the socket makes no app'
like "$code" 'only root and slugd.s own account make apps' 'in words'
is "$($eve curl -sS --unix-socket "$dir/slugd.sock" -o /dev/null \
	-w '%{http_code}' http://slugd/apps)" 200 'but sees them'
finish
