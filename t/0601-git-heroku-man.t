#!/bin/sh
# SPDX-License-Identifier: ISC
# The man page of git heroku against its table of commands and options.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

page=$t/../git-heroku/git-heroku.1

# The list of commands alone, each entry in plain words: "name ARG".
section() {
	sed -n '/^\.Ss Commands/,/^\.Ss Which app/p' "$page"
}

git heroku help | sed -n 's/^  \([a-z][a-z:]*\) .*/\1/p' >table
section | sed -n 's/^\.It Ic \([a-z:]*\).*/\1/p' >page
isnt "$(wc -l <table)" 0 'help lists commands'
is "$(cat page)" "$(cat table)" 'the man page has the same, in the same order'

while read -r cmd; do
	git heroku help "$cmd" >usage
	sed -n 's/^  .*--\([a-z-]*\).*/\1/p' usage >options
	while read -r option; do
		grep -q -e "Fl.* -*$option\\b" "$page"
		ok $? "the man page has --$option of $cmd"
	done <options
	# Arguments: KEY=VALUE... in the table, "Ar key Ns = Ns Ar value ..."
	# in the page.
	sed -n '1s/^Usage: git heroku [a-z:]*//p' usage |
		tr '[:upper:]' '[:lower:]' | tr -cs '[:lower:]-' ' ' |
		sed 's/-n num//; s/-s //; s/  */ /g; s/ *$//' >wanted
	section | sed -n "s/^\\.It Ic $cmd\\( .*\\)*\$/\\1/p" |
		sed 's/Fl /-/g; s/-n Ar num//; s/--confirm Ar app//' |
		sed 's/-s//; s/\<\(Ar\|Op\|Ns\|No\|Oo\|Oc\)\>//g' |
		tr '[:upper:]' '[:lower:]' | tr -cs '[:lower:]-' ' ' | sed 's/  */ /g; s/ *$//' >got
	is "$(cat got)" "$(cat wanted)" "the man page has the arguments of $cmd"
done <table

# Other names of commands.
sed -n 's/^\.It Ic \([a-z:]*\) Ta Ic \([a-z:]*\)$/\1 \2/p' "$page" >aliases
# shellcheck disable=SC2016 # perl's
sed -n 's/^	{ "\([a-z:]*\)", "\([a-z:]*\)", NULL },$/\1 \2/p' \
	"$t/../git-heroku/alias.c" >table.alias
isnt "$(wc -l <table.alias)" 0 'there are aliases'
is "$(cat aliases)" "$(cat table.alias)" 'the man page has the same ones'
while read -r alias cmd; do
	is "$(git heroku help "$alias")" "$(git heroku help "$cmd")" \
		"$alias is $cmd"
done <table.alias

# git opens the page itself.
run git -c man.viewer=try -c man.try.cmd='echo the page' heroku --help
is "$status:$out" '0:the page git-heroku' 'git heroku --help opens it'
run git -c man.viewer=try -c man.try.cmd='echo the page' help heroku
is "$status:$out" '0:the page git-heroku' 'git help heroku, too'
mkdir -p share/man/man1 bin
ln -s "$page" share/man/man1/
if PATH=$PWD/bin:$PATH man -w git-heroku >where 2>/dev/null; then
	is "$(readlink -f "$(cat where)")" "$(readlink -f "$page")" \
		'beside the folder of the program, man finds it'
else
	skip 1 'no man that looks beside the programs'
fi

# Each command is explained on its own.
while read -r cmd; do
	run git heroku help "$cmd"
	like "$out" "^Usage: git heroku $cmd" "help $cmd: its usage"
	like "$out" "^Example: git heroku $cmd" "help $cmd: an example"
	awk 'length > 80' "$scratch/.out" >long
	is "$(cat long)" '' "help $cmd: fits a screen"
done <table

if command -v mandoc >/dev/null; then
	run mandoc -Tlint -W warning "$page"
	is "$status:$out" '0:' 'mandoc has nothing to say'
else
	skip 1 'no mandoc'
fi
finish
