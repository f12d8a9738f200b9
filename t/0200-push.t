#!/bin/sh
# SPDX-License-Identifier: ISC
# A push becomes a release: what is said, and what of branches, tags and
# histories deploys.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

# remote: the lines of the last push that came from the hooks.
remote() {
	printf '%s\n' "$err" | sed -n 's/ *$//; /^remote:/p'
}

# --- the words, to the letter, in a pipe
run git push heroku master
is "$status:$out" '0:' 'article: git push heroku master'
size=$(slug_size "$(newest slug.id)")
is "$(remote)" "remote: -----> Compressing... done, ${size}B
remote: -----> Launching... done, v2 deployed to Heroku" \
	'article: the lines of a push, without an address where none serves'
is "$(newest description)" "Deploy $(git rev-parse HEAD | cut -c 1-7)" \
	'article: Deploy and seven digits of the commit'
is "$(newest description | sed 's/Deploy //' | xargs git log -n 1 --format=%s)" \
	'A first page' 'article: which git log -n 1 finds'
is "$(newest slug.id)" "$(ls "$dir/slugs")" 'its slug is in the store'
is "$(newest status) $(newest current)" 'succeeded 1' 'it is the current one'
is "$(at)" "$(git rev-parse HEAD)" 'the branch is at the commit'

run git push heroku master
is "$status:$(versions)" '0:1 2' 'a push that is up to date makes no release'
like "$err" 'Everything up-to-date' 'and git says so'

mkdir -p sub/folder && echo x >sub/folder/x
git add . && git commit -q -m 'A folder'
cd sub/folder || exit 1
run git push -q heroku master
cd ../.. || exit 1
is "$status:$(newest version)" 0:3 'push from a folder of the work tree'
is "$(remote)" "remote: -----> Compressing... done, $(
	slug_size "$(newest slug.id)")B
remote: -----> Launching... done, v3 deployed to Heroku" \
	'--quiet quiets git, not the lines of the release'

# --- other branches and tags
commit 'a feature'
git branch feature
run git push heroku feature
is "$status:$(remote)" \
	'0:remote: Pushed to non-main branch, skipping build.' \
	'another branch is accepted, and said to be no deploy'
is "$(at refs/heads/feature)" "$(git rev-parse HEAD)" 'it is there'
is "$(versions)" '1 2 3' 'without a release'
run git push heroku feature:refs/heads/deep/er
is "$status:$(remote)" \
	'0:remote: Pushed to non-main branch, skipping build.' \
	'so is one with a slash'
run git push heroku :feature
is "$status:$(at refs/heads/feature)" 0:none 'it can be deleted'
git tag plain
git tag -a -m 'An annotated tag' v1.0
run git push heroku plain v1.0
is "$status:$(remote)" \
	'0:remote: Pushed to non-main branch, skipping build.' \
	'a tag and an annotated tag are accepted'
is "$(at refs/tags/plain):$(at 'refs/tags/v1.0')" \
	"$(git rev-parse plain):$(git rev-parse v1.0)" 'they are there'
run git push heroku :refs/tags/plain
is "$status:$(at refs/tags/plain)" 0:none 'and can be deleted'
is "$(versions)" '1 2 3' 'none of which made a release'

run git push heroku feature:master
is "$status:$(newest description)" \
	"0:Deploy $(git rev-parse --short=7 feature)" \
	'feature:master deploys'

commit 'several'
git tag several
run git push heroku master feature several HEAD:refs/heads/other
is "$status:$(newest version)" 0:5 'several refs at once: one release'
is "$(newest description)" "Deploy $(git rev-parse --short=7 HEAD)" \
	'of the deploy branch'
is "$(at refs/heads/other):$(at refs/heads/feature)" \
	"$(git rev-parse HEAD):$(git rev-parse feature)" 'the others moved, too'
unlike "$err" 'skipping build' 'and nothing is said to be skipped'

# --- other ways of history
git commit -q --amend -m 'written anew'
run git push heroku master
is "$status:$(newest version)" 1:5 'what is no fast forward, git refuses'
run git push --force heroku master
is "$status:$(newest version)" 0:6 'a force push deploys'
is "$(newest description)" "Deploy $(git rev-parse --short=7 HEAD)" \
	'what it brought'
run git push --force heroku HEAD~2:master
is "$status:$(newest description)" \
	"0:Deploy $(git rev-parse --short=7 HEAD~2)" \
	'an older commit, forced, deploys'
run git push heroku v1.0^0:master
is "$status:$(newest description)" \
	"0:Deploy $(git rev-parse --short=7 v1.0^0)" \
	'the commit of an annotated tag deploys'
git tag -a -m 'One to deploy' v2.0 HEAD
run git push heroku v2.0:master
is "$status:$(at)" "1:$(git rev-parse v1.0^0)" \
	'a tag is no commit: git refuses it for a branch'
run git push heroku v2.0^0:master
is "$status:$(newest description)" \
	"0:Deploy $(git rev-parse --short=7 HEAD)" 'its commit deploys'

# --- main, when the branch is called that
run git push heroku HEAD:main
is "$status:$(at refs/heads/main)" "0:$(git rev-parse HEAD)" \
	'main deploys as master does'
commit 'both'
before=$(versions)
run git push heroku HEAD:main HEAD:master
is "$status:$(versions)" "1:$before" 'main and master in one push are refused'
like "$err" '^remote:  !     main and master would both be deployed' \
	'by both names'
is "$(at refs/heads/main):$(at)" \
	"$(git rev-parse HEAD~1):$(git rev-parse HEAD~1)" 'neither moved'

# --- shallow clones
git push -q heroku master 2>/dev/null
git clone -q --depth 1 "file://$(pwd)" ../shallow 2>/dev/null
cd ../shallow || exit 1
git remote add heroku "$repo"
commit 'from a shallow clone'
before=$(newest version)
run git push heroku master
is "$status:$(newest version)" "0:$((before + 1))" \
	'a push from a clone of depth 1'
like "$(remote)" 'done, v[0-9]+ deployed to Heroku' 'deploys'
cd ../work || exit 1
git pull -q ../shallow master 2>/dev/null
commit 'from the full one'
run git push heroku master
is "$status:$(newest version)" "0:$((before + 2))" 'a full one goes on from it'
slugctl -d "$dir" init fresh >/dev/null
cd ../shallow || exit 1
run git push "$dir/repos/fresh.git" master
is "$status:$(newest version fresh)" 0:2 \
	'a shallow push into an empty repository deploys'
cd ../work || exit 1
run git push "$dir/repos/fresh.git" master
is "$status:$(newest version fresh)" 0:3 'and then a full one'

# --- what releases keep
all_refs='refs/releases/*:refs/releases/*'
within 10 all_kept
ok $? 'refs/releases/vN keeps the commit of each release with a slug'
run git fetch heroku "$all_refs"
is "$status:$(git rev-parse refs/releases/v7)" \
	"0:$(at refs/releases/v7)" 'which git fetch brings'
unlike "$(GIT_TRACE_PACKET=1 git push -n heroku master 2>&1)" \
	'refs/releases' 'a push is not told of them'
run git push heroku HEAD:refs/releases/v99
is "$status:$(at refs/releases/v99)" 1:none 'and cannot make one'

# --- another name of the platform
is_sound 'after all this'
stop_slugd
printf '[slugd]\nplatform = My Own Cloud\ndeploy_branches = live\n' \
	>>"$dir/slugd.ini"
start_slugd || exit 1
commit 'on our cloud'
run git push heroku HEAD:live
like "$(remote)" \
	'^remote: -----> Launching\.\.\. done, v[0-9]+ deployed to My Own Cloud$' \
	'the platform key names it, deploy_branches the branch'
run git push heroku master
is "$(remote)" 'remote: Pushed to non-live branch, skipping build.' \
	'then master is a branch as any other'
stop_slugd

# --- with an address
cd "$scratch" && rm -rf work slugd || exit 1
driver=slugrun
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
run git push heroku master
is "$(remote | sed '1s/[0-9.]*[KM]*B$/NB/')" \
	"remote: -----> Compressing... done, NB
remote: -----> Launching... done, v2 deployed to Heroku
remote:        http://127.0.0.1:$first_port/" \
	'article: where an app is launched, its address is said'
finish
