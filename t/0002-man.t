#!/bin/sh
# SPDX-License-Identifier: ISC
# The man pages against the tables of the programs: configuration keys,
# routes, options.

. "$(dirname "$0")/lib/test.sh"

top=$(dirname "$t")

# --- slugd.ini(5) and the table of keys in config.c ---

page=$top/common/slugd.ini.5

# "section.key value" of each line of an ini.
keys_of() {
	sed 's/  *;.*//' | awk '
		/^\[/ { section = $1; gsub(/[^a-z]/, "", section) }
		/ = / { key = $1; sub(/^[^=]*= /, ""); print section "." key " " $0 }'
}

slugd --print-config >sample.ini
keys_of <sample.ini | grep -v '^addon' >wanted
awk '
	/^\.Ss \[/ { section = $2; gsub(/[^a-z]/, "", section) }
	/^\.Ss \[addon/ { exit }
	/^\.It Ic [a-z_]* No = / { key = section "." $3 }
	/^Default:/ { getline; sub(/^\.Cm /, ""); sub(/ \.$/, "");
		print key " " $0 }' "$page" >got
isnt "$(wc -l <wanted)" 0 'slugd --print-config shows keys'
is "$(cat got)" "$(cat wanted)" \
	'slugd.ini(5) has the same keys, in that order, with their defaults'
# Those of add-ons are a table of their own.
sed -n '/^} addon_keys/,/^}/s/^	{ "\([a-z_]*\)", .*/\1/p' \
	"$top/common/config-addon.c" >addon_keys
isnt "$(wc -l <addon_keys)" 0 'config-addon.c has keys of add-ons'
while read -r key; do
	like "$(sed -n '/^\.Ss \[addon/,$p' "$page")" "^\\.It Ic $key No = " \
		"slugd.ini(5) has $key of add-ons"
done <addon_keys
mkdir dir
cp sample.ini dir/slugd.ini
run slugd -d dir -c dir/slugd.ini --print-config
is "$out" "$(cat sample.ini)" 'what it prints does not depend on the file'

# --- slugd(8) and the table of routes in api.c ---

page=$top/slugd/slugd.8
sed -n 's/^	{ "\([A-Z]*\)", "\(\/[^"]*\)", .*/\1 \2/p' "$top/slugd/api.c" |
	sort >wanted
isnt "$(wc -l <wanted)" 0 'api.c has a table of routes'
sed -n 's/^\.It Li \([A-Z][A-Z]*\) \(\/.*\)/\1 \2/p' "$page" | sort >got
if [ -s got ]; then
	is "$(cat got)" "$(cat wanted)" 'slugd(8) has the same routes'
else
	skip 1 'slugd(8) lists no routes'
fi

# --- long options ---

# The page has "Fl -name" or "Fl Fl name" for each --name of the help.
options_stand_in() {
	program=$1
	page=$2
	shift 2
	"$@" 2>&1 | grep -o -e '--[a-z][a-z-]*' | sort -u >options
	isnt "$(wc -l <options)" 0 "$program --help shows options"
	while read -r option; do
		like "$(cat "$page")" "Fl (-|Fl )${option#--}\\b" \
			"the man page of $program has $option"
	done <options
}

options_stand_in slugd "$top/slugd/slugd.8" slugd --help
options_stand_in slugpack "$top/slugpack/slugpack.1" slugpack --help
options_stand_in slugunpack "$top/slugrun/slugunpack.8" \
	"$SLUGD_EXEC_PATH/slugunpack" --help
[ ! -e "$top/slugd/slugctl.1" ] ||
	options_stand_in slugctl "$top/slugd/slugctl.1" slugctl --help

# --- each page names the others well ---

for page in "$top"/*/*.[1-8]; do
	case $page in
	*/autom4te.cache/*) continue ;;
	esac
	name=$(basename "$page")
	sed -n 's/^\.Xr \([a-z.-]*\) \([0-9]\).*/\1.\2/p' "$page" |
		sort -u | while read -r other; do
		case $other in
		git-heroku.* | slug*) ;;
		*) continue ;;
		esac
		[ -n "$(find "$top" -maxdepth 2 -name "$other")" ] ||
			echo "$other"
	done >missing
	is "$(cat missing)" '' "$name: the pages of ours that it names are there"
	is "$(sed -n 's/^\.Dt //p' "$page" | tr '[:upper:] ' '[:lower:].')" \
		"$name" "$name: its title is its name"
done

finish
