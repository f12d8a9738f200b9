#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku without a slugd: its words, its options, and which app it takes.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

# refused NAME LINE...: exit 1, nothing on stdout, these lines on stderr.
refused() {
	name=$1
	shift
	is "$status" 1 "$name: exit 1"
	is "$out" '' "$name: nothing on standard output"
	is "$err" "$(printf ' !    %s\n' "$@")" "$name: the words"
}

# app NAME REPO: what slugctl-init leaves in a repository, and no slugd.
app() {
	git init -q --bare "$2"
	git -C "$2" config slugd.app "$1"
	git -C "$2" config slugd.socket "$scratch/$1.sock"
}

# asks NAME TEST: the socket of which app was it?
asks() {
	is "$status" 1 "$2: exit 1"
	is "$err" " !    slugd is not running: nothing answers at $scratch/$1.sock. Start it with: slugd -d $scratch" "$2"
}

run git heroku
is "$status" 0 'alone: exit 0'
like "$out" '^Usage: git heroku COMMAND' 'alone, it shows the help'
help=$out
run git heroku help
is "$out" "$help" 'as help does'
run git heroku -h
is "$out" "$help" 'and -h'
run git heroku help releases
like "$out" '^Usage: git heroku releases \[-n NUM\]$' 'help of a command'
like "$out" '^  -n, --num NUM ' 'with its options'
unlike "$out" 'confirm' 'and no other ones'
releases=$out
run git heroku releases --help
is "$out" "$releases" 'CMD --help is the same'
run git heroku version
is "$status" 0 'version: exit 0'
like "$out" '^git-heroku [0-9]+\.[0-9]+\.[0-9]+$' 'version'

# Wrong input that no slugd has to see.
run git heroku relases
# shellcheck disable=SC2016
refused 'an unknown command' '`relases` is not a heroku command.' \
	'Perhaps you meant `releases`.'
run git heroku help confg
# shellcheck disable=SC2016
refused 'help of an unknown command' '`confg` is not a heroku command.' \
	'Perhaps you meant `config`.'
run git heroku weather-report
# shellcheck disable=SC2016
refused 'one far from all' '`weather-report` is not a heroku command.' \
	'See `git heroku help` for a list of available commands.'
run git heroku destroy
# shellcheck disable=SC2016
refused 'what Heroku has, and slugd has not' 'slugd has no `destroy`.' \
	'slugd keeps apps and their releases; git heroku ps:scale web=0 ends what runs.'
run git heroku pg:psql
# shellcheck disable=SC2016
refused 'a command of such a topic' 'slugd has no `pg:psql`.' \
	"git heroku config shows the add-on's address; use its own tools with that."
run git heroku domains
# shellcheck disable=SC2016
like "$err" '^ !    slugd has no `domains`\.$' 'such a topic'
run git heroku pgs
unlike "$err" 'slugd has no' 'and nothing that only begins like one'
run git heroku --version
like "$status:$out" '^0:git-heroku [0-9]+\.[0-9]+\.[0-9]+$' '--version'
run git heroku releases --version
refused '--version of a command' 'releases takes no option --version.' \
	'Usage: git heroku releases [-n NUM]'
run git heroku help
is "$(printf '%s\n' "$out" | awk 'length > 80')" '' 'help fits a screen'
unlike "$out" '[]A-Z.](list|show|print|set|run)' \
	'and no command runs into its text'
run git heroku "$(printf 'a\033[31mb')"
like "$err" '^ !    .a\\x1b\[31mb. is not' 'an escape code is not passed on'
run git heroku releases --bogus
refused 'an unknown option' 'There is no option --bogus.'
run git heroku releases -z
refused 'an unknown short option' 'There is no option -z.'
run git heroku config:set -1=2
refused 'what looks like one' 'There is no option -1.'
run git heroku releases --json=yes
refused 'an option with too much' '--json takes no argument'
run git heroku rollback -n 3
refused "another command's option" 'rollback takes no option -n, --num NUM.' \
	'Usage: git heroku rollback [vN]'
run git heroku releases -n
refused 'an option with too little' '-n needs an argument'
for n in 0 -1 x 1x ''; do
	run git heroku releases -n "$n"
	refused "releases -n '$n'" \
		"--num: '$n' is not a number from 1 to 1000000"
done
for wish in ps ps:restart ps:stop deploy releases:info config:set; do
	run git heroku $wish ''
	is "$status:$(echo "$err" | head -n 1)" '1: !    Invalid argument: ""' \
		"$wish ''"
done
run git heroku releases v3
refused 'too many arguments' 'Invalid argument: "v3"' \
	'Usage: git heroku releases [-n NUM]'
run git heroku config:set
refused 'config:set of nothing' \
	'Usage: git heroku config:set KEY=VALUE... | -' \
	'Must specify KEY and VALUE to set.'
run git heroku config:unset
refused 'config:unset of nothing' 'Usage: git heroku config:unset KEY...' \
	'Must specify KEY to unset.'
run git heroku config:get
refused 'config:get of nothing' 'Usage: git heroku config:get KEY' \
	'Must specify KEY.'
run git heroku addons:create
refused 'addons:create of nothing' \
	'Usage: git heroku addons:create SERVICE[:PLAN]' \
	'Must specify a SERVICE to add.'
run git heroku config:set A=1 BAD
refused 'config:set BAD' 'BAD is invalid. Must be in the format KEY=VALUE.'
run git heroku config:set =x
refused 'config:set =x' '=x is invalid. Must be in the format KEY=VALUE.'

# Which app.
run git heroku releases
refused 'in no repository' 'No app specified.' \
	'Run this command from an app folder or specify which app to use with --app APP.'
run git heroku releases -a one
refused 'in no repository, with -a' \
	'Cannot tell which slugd has the app one.' \
	"Run this command from a folder that has a remote of that slugd's, or set SLUGD_DIR to slugd's folder."
run env SLUGD_DIR="$scratch/here" git heroku releases -a one
like "$err" "nothing answers at $scratch/here/slugd.sock" \
	'-a takes the slugd of SLUGD_DIR'
run git heroku releases -a ''
like "$err" '^ !    No app specified\.$' 'an empty -a is no app'

app one "$scratch/one.git"
app two "$scratch/two.git"
git init -q --bare plain.git
git init -q work
cd work || exit 1
run git heroku releases
refused 'no remote at all' 'No app specified.' \
	'Run this command from an app folder or specify which app to use with --app APP.'
git remote add origin https://example.com/x.git
git remote add backup "$scratch/plain.git"
run git heroku releases
like "$err" '^ !    No app specified\.$' "remotes, none of them slugd's"
run git heroku releases -a one
like "$err" 'Cannot tell which slugd has the app one' 'nor does -a help there'
git remote add production "$scratch/one.git"
run git heroku releases
asks one 'the only remote that is an app'
run git heroku releases --app other
asks one '--app takes the slugd of that remote'
run env SLUGD_DIR="$scratch/here" git heroku releases -a other
asks one 'rather than that of SLUGD_DIR'
git remote add mirror "$scratch/one.git"
run git heroku releases
asks one 'two remotes of one app are one'
git remote add staging "$scratch/two.git"
run git heroku releases
refused 'two candidates' 'Multiple apps in folder and no app specified.' \
	'Say which with --remote: production (one), mirror (one), staging (two).'
run git heroku releases -a one
refused 'two slugds, with -a' \
	'Multiple apps in folder and no remote specified.' \
	'Say which with --remote: production (one), mirror (one), staging (two).'
git -C ../two.git config slugd.socket "$scratch/one.sock"
run git heroku releases -a two
asks one 'two apps of one slugd, with -a'
git -C ../two.git config slugd.socket "$scratch/two.sock"
# The app's name is what git reads there, however it is written.
cp ../two.git/config ../plain
variant() {
	printf '%b' "$1" | cat ../plain - >../two.git/config
	run git heroku releases
	is "$(printf '%s\n' "$err" | sed -n 's/.*staging (\(.*\))\.$/\1/p')" \
		"$(git config -f ../two.git/config slugd.app)" "$2"
}
variant '[slugd]\n\tapp = three\n' 'the last one counts'
variant '[slugd]app=three\n' 'on one line'
variant '[Slugd]\n\tApp = three\n' 'in upper case'
variant '[slugd "x"]\n\tapp = three\n' 'another section'
variant '[slugd]\n\tapp = "three" ; of them\n' 'in quotes, with a comment'
variant '[slugd]\n\tapp = thr\\\nee\n' 'on two lines'
variant '[slugd]\n\tapp =  three \n' 'with blanks'
variant '[slugd]\n  app = three\r\n' 'in the manner of DOS'
variant '[remote "a ] b"]\n\turl = x\n[slugd]\n\tapp = three' 'without an end'
variant '# app = four\n\n\t; app = five\n' 'in comments'
cp ../plain ../two.git/config

run git heroku releases -r staging
asks two '-r names the remote'
run git heroku -rproduction releases
asks one '-r, in one word and before the command'
git config heroku.remote staging
run git heroku releases
asks two 'heroku.remote names it'
run git heroku releases -r production
asks one '-r goes before heroku.remote'
git config --unset heroku.remote
git remote add heroku "$scratch/two.git"
run git heroku releases
asks two 'the remote heroku'
run git heroku releases -r nowhere
refused 'an unknown remote' "There is no remote 'nowhere' here (--remote)."
run git -c heroku.remote=gone heroku releases
refused 'heroku.remote that is none' \
	"There is no remote 'gone' here (git config heroku.remote)."
run git heroku releases -r origin
refused 'a remote on another host' \
	"remote 'origin': https://example.com/x.git is not a folder of this machine"
run git heroku releases -r backup
refused "a repository that is no app's" \
	"remote 'backup': the repository at $scratch/plain.git is no app of slugd's; make it one with: slugctl init APP $scratch/plain.git"
run git -c heroku.remote=backup heroku releases -a one
like "$err" "^ !    remote 'backup': " 'also with -a'
git remote add gone "$scratch/gone.git"
run git heroku releases -r gone
refused 'a remote that leads nowhere' \
	"remote 'gone': there is no repository at $scratch/gone.git"

# The remote's URL, as git itself takes it.
mkdir sub
git remote add relative ../one.git
cd sub || exit 1
run git heroku releases -r relative
asks one 'a relative path, from a subfolder'
cd .. || exit 1
git remote add short "$scratch/one"
run git heroku releases -r short
asks one 'a path without its .git'
mkdir "$scratch/a b"
app spaced "$scratch/a b/app:1.git"
git remote add url "file://$scratch/a%20b/app:1.git"
run git heroku releases -r url
asks spaced 'a file:// URL'
git remote set-url --push url "$scratch/two.git"
run git heroku releases -r url
asks two 'what a push goes to decides: pushurl'
git config "url.$scratch/.pushInsteadOf" https://example.com/
git remote add https https://example.com/one.git
run git heroku releases -r https
asks one 'and pushInsteadOf'
git config "url.$scratch/a b/.insteadOf" hub:
git remote add hub hub:app:1.git
run git heroku releases -r hub
asks spaced 'and insteadOf'
git commit -q --allow-empty -m x
git worktree add -q ../tree
cd ../tree || exit 1
run git heroku releases
asks two 'in a worktree'
run git heroku releases -r relative
asks one 'where a relative path holds, too'
cd ..
run git -C work heroku releases
asks two 'git -C'
finish
