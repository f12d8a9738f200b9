#!/bin/sh
# SPDX-License-Identifier: ISC
# HEAD follows the branch that is deployed, and the other one can be deleted;
# a name that is a tag and a branch.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
repo=$dir/repos/myapp.git
cd work || exit 1

commit() {
	printf '%s\n' "$1" >index.html
	git commit -qam "$1"
}

head_of() {
	git -C "$repo" symbolic-ref HEAD
}

# refused NAME WORDS REFSPEC...
refused() {
	name=$1
	words=$2
	shift 2
	run git push heroku "$@"
	is "$status" 1 "$name: refused"
	like "$err" "^remote:  !     $words" 'in words'
}

git -C "$repo" symbolic-ref HEAD refs/heads/other
chmod 640 "$repo/HEAD"
run git push heroku master
is "$status:$(head_of)" 0:refs/heads/master 'HEAD follows the first push'
is "$(stat -c %a "$repo/HEAD")" 640 'it keeps its mode'
refused 'the only deploy branch' \
	'master cannot be deleted: it is the branch that is deployed' :master
git -C "$repo" symbolic-ref HEAD refs/heads/other
refused 'the only deploy branch, where HEAD is elsewhere' \
	'master cannot be deleted: .* no other deploy branch' :master

git push -q heroku master:feature 2>/dev/null
is "$(head_of)" refs/heads/other 'a push that deploys nothing leaves it'
commit second
run git push heroku master:main
is "$status:$(head_of)" 0:refs/heads/main 'main becomes the deployed branch'
ok "$([ ! -e "$repo/HEAD.lock" ]; echo $?)" 'no lock is left'
commit third
refused 'the deployed branch' 'main cannot be deleted: it is the branch' :main
refused 'with a push of the other one' 'main cannot be deleted' :main master
is "$(head_of)" refs/heads/main 'a refused push leaves HEAD'
git clone -q "$repo" "$scratch/clone" 2>/dev/null
is "$(cat "$scratch/clone/index.html")" second 'a clone shows what runs'

git push -q heroku HEAD~1:master 2>/dev/null
is "$(head_of)" refs/heads/master 'back to master'
run git heroku deploy
like "$(git heroku releases -n 1)" \
	"Deploy $(git rev-parse --short=7 HEAD~1) " 'deploy takes it'
git push -q heroku HEAD:main 2>/dev/null
run git heroku deploy
like "$(git heroku releases -n 1)" "Deploy $(git rev-parse --short=7 HEAD) " \
	'or main, which was pushed last'
last=$(git heroku releases -n 1 | sed -n '3s/ .*//p')
run git push heroku :master
is "$status" 0 'master can go'
like "$err" '^remote: Deleted branch master, skipping build\.' 'which is said'
run git -C "$repo" for-each-ref refs/heads/master
is "$out" '' 'and it is gone'
is "$(git heroku releases -n 1 | sed -n '3s/ .*//p')" "$last" \
	'without a release'
run git push heroku master
is "$status:$(head_of)" 0:refs/heads/master 'it can come back'
run git push heroku :main HEAD:refs/heads/x
is "$status" 0 'and main can go, with another push'

# A lock that somebody holds keeps HEAD, and no release, back.
commit fourth
: >"$repo/HEAD.lock"
run git push heroku HEAD:main
is "$status:$(head_of)" 0:refs/heads/master 'HEAD is locked: the push goes on'
like "$err" 'deployed to Heroku' 'and is a release'
rm -f "$repo/HEAD.lock"

# --- a tag and a branch of one name
git tag both HEAD~1
git branch both
run git heroku deploy both
is "$status" 0 'deploy of a name that is a tag and a branch'
is "$err" ' !    both is a tag and a branch: deploying the tag. The branch is refs/heads/both.' \
	'says which it takes'
like "$(git heroku releases -n 1)" "Deploy $(git rev-parse --short=7 HEAD~1) " \
	'and takes it'
run git heroku deploy refs/heads/both
is "$err" '' 'a full name says nothing'
like "$(git heroku releases -n 1)" "Deploy $(git rev-parse --short=7 HEAD) " \
	'and is the branch'
git push -q heroku refs/tags/both refs/heads/both 2>/dev/null
git tag -d both >/dev/null
git branch -q -D both
run git heroku deploy both
like "$err" '^ !    both is a tag and a branch: deploying the tag' \
	'of the repository, too'
like "$(git heroku releases -n 1)" "Deploy $(git rev-parse --short=7 HEAD~1) " \
	'which takes the tag'

finish
