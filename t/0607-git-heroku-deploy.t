#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku deploy, releases:output, releases:diff, and rollback of one half.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
launch='timeout = 20\ngrace = 2\ntrial = off\n'
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
cat >Procfile <<'END'
web: printf 'starting\033[31m %s\n' "$MYVAR"; if [ "$MYVAR" = bad ]; then exit 3; fi; exec perl server.pl
END
git commit -qam 'A web process that can fail'

newest() {
	git heroku releases -n 1 | sed -n '3s/ .*//p'
}

page() {
	curl -sS --max-time 5 "$url"
}

# member PATH: of the JSON in $out, as in code/commits/0/subject.
member() {
	printf '%s\n' "$out" | perl -MJSON::PP -e '
		local $/;
		my $v = decode_json(<STDIN>);
		$v = ref $v eq "ARRAY" ? $v->[$_] : $v->{$_}
			for split m{/}, $ARGV[0];
		print ref $v ? JSON::PP->new->canonical->encode($v)
			: $v // "null"' "$1"
}

# Before there is anything.
run git heroku deploy
is "$status" 1 'deploy, and the repository has no commit: exit 1'
like "$err" '^ !    ' 'and words'
run git heroku releases:output
is "$status:$out" '0:v1 has no output.' 'releases:output says that it has none'
run git heroku releases:diff v1
is "$status:$out" '0:=== Commits: none..none
=== Config: no change
=== Add-ons: no change' 'releases:diff without code'

git push -q heroku master 2>/dev/null
first=$(git rev-parse --short=7 HEAD)
url=$(git heroku info --json | sed -n 's/.*"web_url": "\(.*\)".*/\1/p')

# deploy.
run git heroku deploy
is "$status:$err" '0:' 'deploy: exit 0'
like "$out" '^-----> Compressing\.\.\. done, [0-9.]+[BKM]+$' 'as a push: packing'
like "$out" '^-----> Launching\.\.\. done, v3 deployed to Heroku$' \
	'as a push: the release'
like "$out" "^       $url\$" 'as a push: the address'
like "$(git heroku releases -n 1)" "^v3    Deploy $first " 'it is a release'
printf 'second\n' >index.html
mkdir site
printf 'x\n' >site/x
printf 'y\n' >site/y
git add . && git commit -qm "$(printf 'A second\033[31m page')"
git tag -a -m 'a tag' two
run git heroku deploy HEAD
is "$status" 1 'a commit that the repository lacks: exit 1'
like "$err" "^ !    .* no commit $(git rev-parse HEAD)" 'is named'
run git heroku deploy nosuchthing
like "$err" '^ !    .*nosuchthing' 'so is one that neither has'
for rev in '' -x --output=x 'a b' ../x master~99 'HEAD^{tree}'; do
	run git heroku deploy -- "$rev"
	is "$status" 1 "deploy '$rev': exit 1"
	like "$err" '^ !    ' "deploy '$rev': words"
done
is "$(newest)" v3 'none of them made a release'
git push -q heroku two 2>/dev/null
run git heroku deploy two
is "$status" 0 'an annotated tag: exit 0'
second=$(git rev-parse --short=7 HEAD)
like "$(git heroku releases -n 1)" "^v4    Deploy $second " 'is its commit'
is "$(page | head -1)" "$(cat index.html)" 'which the app answers with' ||
	diag "$(page)"
git tag -d two >/dev/null
cd "$scratch" || exit 1
run git heroku -a myapp deploy two
like "$err" 'Cannot tell which slugd' 'outside a repository'
run env SLUGD_DIR="$dir" git heroku -a myapp deploy two
is "$status" 0 'a name that the app alone knows'
run env SLUGD_DIR="$dir" git heroku -a myapp deploy
like "$out" 'Launching... done, v6 deployed' 'deploy alone'
cd work || exit 1
like "$(git heroku releases -n 1)" "^v6    Deploy $first " \
	'is the branch that is deployed'
git push -q heroku master 2>/dev/null

# A launch that fails, and what was said.
git heroku config:set MYVAR=good >/dev/null
run git heroku config:set MYVAR=bad
is "$status" 1 'a launch that fails'
run git heroku releases:output
is "$status:$err" '0:' 'releases:output of a failed release: exit 0'
like "$out" 'starting\\x1b\[31m bad$' 'releases:output: the launch, escaped'
printf 'web: echo no luck; exit 3\n' >Procfile
git commit -qam 'No luck'
git push -q heroku master 2>/dev/null
run git heroku deploy
is "$status" 1 'deploy of what does not come up: exit 1'
like "$out" '^-----> Launching\.\.\. failed, v11$' 'the line says so'
like "$err" '^ !    .*no luck' 'standard error has its output'
run git heroku releases:output
like "$out" '^-----> Compressing\.\.\. done, ' 'what the build said'
like "$out" 'no luck$' 'and then the launch'
run git heroku releases:output v7
like "$out" '^-----> Compressing\.\.\. done, ' 'of a named release'
run git heroku releases:output v999
is "$status:$out" '1:' 'of none: exit 1'
run git heroku releases:output v1
is "$status:$out" '0:v1 has no output.' 'of one that has none'
like "$(page)" 'MYVAR=good' 'the app goes on with the last good release'

# releases:diff.
git reset -q --hard HEAD~1
git push -qf heroku master 2>/dev/null
git heroku config:unset MYVAR >/dev/null
git heroku config:set A=1 B="$(printf 'x\ny')" >/dev/null
git heroku addons:create memcachier >/dev/null
run git heroku releases:diff v2
is "$status:$err" '0:' 'releases:diff: exit 0'
is "$out" "=== Commits: $first..$second
$second A second\\x1b[31m page
=== Files: 3 changed, +5B
Folder  Files  Bytes
------  -----  -----
./      1      +1B
site/   2      +4B
=== Config
  + A
  + B
  + MEMCACHIER_SERVERS
=== Add-ons
  + memcachier:free" 'releases:diff, to the current one'
run git heroku releases:diff --values v15 v7
is "$out" "=== Commits: $second..$second
=== Files: 0 changed
=== Config
  - A => 1
  - B => x\\x0ay
  - MEMCACHIER_SERVERS => 127.0.0.1:11211
=== Add-ons
  - memcachier:free" 'releases:diff --values, going back'
run git heroku releases:diff v8 v9 --values
like "$out" '^  \* MYVAR => bad$' 'what has another value'
run git heroku releases:diff v4 v2
is "$out" "=== Commits: $second..$first
=== Commits that v2 has not any more
$second A second\\x1b[31m page
=== Files: 3 changed, -5B
Folder  Files  Bytes
------  -----  -----
./      1      -1B
site/   2      -4B
=== Config: no change
=== Add-ons: no change" 'commits that are gone'
run git heroku releases:diff v2 v15 --json
is "$(member code/folders/site//files),$(member code/commits/0/commit)" \
	"null,$(git rev-parse HEAD)" '--json has the commits'
is "$(member config)" \
	'{"added":{"A":null,"B":null,"MEMCACHIER_SERVERS":null},"changed":{},"removed":{}}' \
	'--json has the keys alone'
run git heroku releases:diff v2 v15 --json --values
is "$(member config/added/A)" 1 '--json --values has the values'
is "$(member addons/added)" '["memcachier:free"]' '--json has the add-ons'
for bad in v0 v999 foo ''; do
	run git heroku releases:diff "$bad"
	is "$status:$out" '1:' "releases:diff '$bad': exit 1"
	like "$err" '^ !    ' "releases:diff '$bad': words"
done
git init -q ../other
cd ../other || exit 1
git remote add production "$dir/repos/myapp.git"
run git heroku releases:diff v2 v15
is "$status" 0 'a clone without the commits: exit 0'
like "$out" "^Commit $first is not in this repository\.\$" 'says which it lacks'
like "$out" "^To have it: git fetch production 'refs/releases/\*:refs/releases/\*'\$" \
	'and how to have them'
like "$out" '^  \+ memcachier:free$' 'what slugd knows is there'
git fetch -q production 'refs/releases/*:refs/releases/*'
run git heroku releases:diff v2 v15
like "$out" "^$second A second" 'which helps'
cd ../work || exit 1

# One half of a rollback.
run git heroku rollback --config-only --code-only v8
is "$status:$err" '1: !    --config-only and --code-only exclude each other.' \
	'rollback of both halves alone'
git heroku addons:destroy memcachier --confirm myapp >/dev/null
run git heroku rollback --code-only v2
is "$status" 0 'rollback --code-only: exit 0'
like "$err" '^ !    To undo: git heroku rollback v[0-9]+$' 'and how to undo it'
is "$out" 'Rolled back to v2' 'rollback --code-only'
is "$(page | head -1)" 'hello' 'has the code of then' || diag "$(page)"
is "$(git heroku config:get A)" 1 'and the config vars of now'
run git heroku rollback --config-only v8
is "$status:$out" '0:Rolled back to v8' 'rollback --config-only'
like "$(page)" 'MYVAR=good$' 'has the config vars of then'
is "$(page | head -1)" 'hello' 'and the code of now'
finish
