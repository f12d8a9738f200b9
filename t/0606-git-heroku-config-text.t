#!/bin/sh
# SPDX-License-Identifier: ISC
# Config vars as text: config -s, config:set - and config:edit, with values
# that have quotes, new lines and escape codes; and what is too much.
# shellcheck disable=SC1003,SC2016,SC2209 # text for others, as it is
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
export TMPDIR="$scratch/tmp"
mkdir "$TMPDIR"
unset VISUAL EDITOR

newest() {
	git heroku releases -n 1 | sed -n '3s/ .*//p'
}

# left: what there is in the folder of temporary files.
left() {
	ls "$TMPDIR"
}

# feed COMMAND...: as run, with the caller's standard input.
feed() {
	"$@" >"$scratch/.out" 2>"$scratch/.err"
	status=$?
	out=$(cat "$scratch/.out")
	err=$(cat "$scratch/.err")
}

# values VAR...: in hexadecimal, as a shell has them after config -s.
values() {
		git heroku config -s >"$scratch/vars.sh" && "$shell" -c '
		. "$1" || exit
		shift
		for v; do
			eval "printf \"%s=%s\\n\" $v \"\$$v\""
		done' sh "$scratch/vars.sh" "$@" | od -An -tx1
}

# config:set - and config -s are each other's opposite.
cat >"$scratch/env" <<'END'
# a comment
PLAIN=42
export EXPORTED = spaces around  # and a comment
EMPTY=
SINGLE='as $it `is` "there" \n
on two lines'
DOUBLE="two\nlines, \"quotes\", \\ \$HOME and a	tab"
URL=postgres://u:p@h:5432/db?x=1&y=2
END
feed git heroku config:set - <"$scratch/env"
is "$status:$err" '0:' 'config:set -: exit 0'
is "$out" 'Adding config vars:
  DOUBLE   => two\x0alines, "quot... $HOME and a\x09tab
  EMPTY    => 
  EXPORTED => spaces around
  PLAIN    => 42
  SINGLE   => as $it `is` "there" \n\x0aon two lines
  URL      => postgres://u:p@h:5432/db?x=1&y=2
Updating vars and restarting app... done, v2' \
	'config:set -: .env on standard input, shown escaped, one release'
run git heroku config:get SINGLE
is "$out" 'as $it `is` "there" \n
on two lines' 'single quotes: as it is'
run git heroku config:get DOUBLE
is "$out" 'two
lines, "quotes", \ $HOME and a	tab' 'double quotes: with their escapes'
is "$(git heroku config:get EXPORTED)" 'spaces around' 'export, and blanks'

git heroku config:set QUOTE="it's '' \"so\"" END="$(printf 'a\n\nb')
" ESCAPE="$(printf '\033[31mred\\')" BANG='!1 * ? [a] {b} ~ ; & | < > ( ) #' \
	UTF="$(printf 'gr\303\274n \342\202\254')" DASH=-n >/dev/null
vars='PLAIN EMPTY SINGLE DOUBLE URL QUOTE END ESCAPE BANG UTF DASH'
for v in $vars; do
	git heroku config --json | perl -MJSON::PP -e '
		local $/;
		my $all = decode_json(<STDIN>);
		my $s = "$ARGV[0]=$all->{$ARGV[0]}\n";
		utf8::encode($s);
		print $s' "$v"
done | od -An -tx1 >"$scratch/wanted"
for shell in sh bash; do
	if command -v $shell >/dev/null; then
		# shellcheck disable=SC2086 # words
		is "$(values $vars)" "$(cat "$scratch/wanted")" \
			"config -s: $shell reads back every byte"
	else
		skip 1 "no $shell"
	fi
done
run git heroku config --shell
like "$out" "^PLAIN=42\$" 'config -s: plain values have no quotes'
like "$out" "^QUOTE='it'\\\\''s " 'others have'
run git heroku config
unlike "$out" "$(printf '\033')" 'config: no escape code reaches the screen'
like "$out" '^ESCAPE .*=> \\x1b\[31mred\\$' 'it is shown escaped'
like "$out" '^UTF .*=> grün €$' 'UTF-8 is shown as it is'
run git heroku releases:info
like "$out" '^ *ESCAPE .*=> \\x1b\[31mred' 'releases:info escapes, too'

# What config -s prints config:set - reads, and .env files of other systems.
make_other() {
	slugctl -d "$dir" init other >/dev/null
}
make_other
perl -e '
	srand($ENV{SLUGD_TEST_SEED} // 1);
	my @parts = ("\x27", "\"", "\\", "\$", "`", "\n", "\r", "\t", " ",
		"#", " #", "=", "a", "export ", "\xc3\xa9", "\x1b", "!", "*",
		"{", "\\n", "\xef\xbb\xbf");
	for my $n (1 .. 150) {
		my $v = join "", map { $parts[rand @parts] } 1 .. rand 12;
		print "V$n=$v\0";
	}' >"$scratch/generated"
xargs -0 git heroku config:set <"$scratch/generated" >/dev/null
git heroku config -s >"$scratch/shell"
feed git heroku config:set - -a other <"$scratch/shell"
is "$status:$err" '0:' 'config:set - reads what config -s prints'
is "$(git heroku config --json -a other)" "$(git heroku config --json)" \
	'150 generated values are the same, to the byte'
git heroku addons:create memcachier >/dev/null
last=$(newest)
git heroku config -s >"$scratch/shell"
feed git heroku config:set - <"$scratch/shell"
is "$status $(newest)" "0 $last" \
	'to set again what there is, of add-ons too, makes no release'
git heroku addons:destroy memcachier --confirm myapp >/dev/null
# shellcheck disable=SC2046 # words
git heroku config:unset $(perl -e 'print "V$_ " for 1 .. 150') >/dev/null
printf '\357\273\277FIRST=1\r\nexport  TWO=2\r\nexport\tTHREE=3\r\n' |
	git heroku config:set - -a other >/dev/null
tr '\n' '\r' <<'END' | git heroku config:set - -a other >/dev/null
exported=4
FIVE="5"
# six
SIX=it
SEVEN="a"\"'b'\''c' # seven
END
for pair in FIRST=1 TWO=2 THREE=3 exported=4 FIVE=5 SIX=it "SEVEN=a\"b'c"; do
	is "${pair%%=*}=$(git heroku config:get "${pair%%=*}" -a other)" "$pair" \
		"a byte order mark, CR LF, CR, blanks: $pair"
done
run git heroku config:set HOME=/srv
is "$status" 1 'HOME cannot be set'
is "$err" " !    config var 'HOME' is set by slugd itself" 'and words say why'

# Wrong input leaves no release.
last=$(newest)
for case in 'line 1: expected=BAD' 'line 2: .*quotes=A="x' \
	'line 2: .*behind=A="x"y' 'has no config vars=' \
	'has no config vars=# nothing'; do
	case $case in
	line\ 2*) printf 'OK=1\n%s\n' "${case#*=}" >"$scratch/bad" ;;
	*) printf '%s\n' "${case#*=}" >"$scratch/bad" ;;
	esac
	feed git heroku config:set - <"$scratch/bad"
	is "$status:$out" '1:' "config:set - of '${case#*=}': exit 1"
	like "$err" "^ !    standard input: .*${case%%=*}" 'and words'
done
printf 'A=x\000y\n' >"$scratch/bad"
feed git heroku config:set - <"$scratch/bad"
is "$status:$err" '1: !    standard input: it has a NUL byte' 'NUL is refused'
printf 'A=\351\n' >"$scratch/bad"
feed git heroku config:set - <"$scratch/bad"
is "$status:$err" '1: !    standard input: line 1: is not UTF-8' \
	'what is not UTF-8 is refused'
feed git heroku config:set - <&-
is "$status:$out" '1:' 'a closed standard input: exit 1'
like "$err" '^ !    standard input: ' 'and words'
run api PATCH /apps/myapp/config-vars -H 'Content-Type: application/json' \
	-d '{"A": "x\u0000y"}'
like "$out" '"id": *"(invalid_params|bad_request)"' \
	'slugd refuses a NUL that comes by its API'
perl -e 'print "BIG=", "x" x 70000, "\n"' >"$scratch/bad"
feed git heroku config:set - <"$scratch/bad"
is "$status" 1 'more than 64 KB of config: exit 1'
like "$err" '^ !    .* at most 65536 ' 'and words that say the limit'
perl -e 'print "BIG=", "x" x 2000000, "\n"' >"$scratch/bad"
feed git heroku config:set - <"$scratch/bad"
is "$status:$err" '1: !    standard input: it is larger than 1024 KB' \
	'2 MB on standard input'
is "$(newest)" "$last" 'none of them made a release'

perl -e 'print "KEY$_=$_\n" for 10 .. 59' >"$scratch/many"
feed git heroku config:set - <"$scratch/many"
is "$status" 0 '50 keys at once: exit 0'
next=v$((${last#v} + 1))
is "$(newest)" $next 'are one release'
is "$(git heroku releases -n 1 --json | perl -MJSON::PP -e '
	local $/; print decode_json(<STDIN>)->[0]{description}')" \
	"Config add $(perl -e 'print join ", ", map { "KEY$_" } 10 .. 59')" \
	'whose description names them all'
# shellcheck disable=SC2046 # words
git heroku config:unset $(perl -e 'print "KEY$_ " for 10 .. 59') >/dev/null
is "$(newest)" "v$((${next#v} + 1))" 'and are unset in one'

# config:edit.
git heroku addons:create memcachier >/dev/null
last=$(newest)
run env EDITOR=cat git heroku config:edit
is "$status:$err" '0:' 'config:edit without a change: exit 0'
like "$out" '^PLAIN=42$' 'the editor sees the config vars'
like "$out" '^SINGLE="as \\\$it .*\\non two lines"$' 'each on a line'
unlike "$out" '^MEMCACHIER' "but not those of an add-on"
like "$out" '^# MEMCACHIER_SERVERS is provided by memcachier\.$' 'but says so'
like "$out" '^Nothing changed\.$' 'and nothing changed'
is "$(newest)" "$last" 'which makes no release'
run env EDITOR='stat -c %a' git heroku config:edit
like "$out" '^600$' 'the file is for its owner alone'
is "$(left)" '' 'and is gone afterwards'
last=$(newest)
shell=sh
before=$(values SINGLE DOUBLE QUOTE END ESCAPE BANG UTF DASH)
run env VISUAL="sed -i -e s/PLAIN=42/PLAIN=43/ -e /^URL=/d -e '\$aNEW=\"a b\"'" \
	EDITOR=false git heroku config:edit
is "$status:$err" '0:' 'config:edit with changes: exit 0; VISUAL goes first'
is "$out" "Updating vars and restarting app... done, v$((${last#v} + 1))" \
	'in one release'
is "$(git heroku config:get PLAIN),$(git heroku config:get NEW)" '43,a b' \
	'what is new or another is set'
unlike "$(git heroku config)" '^URL' 'what was taken out is unset'
shell=sh
is "$(values SINGLE DOUBLE QUOTE END ESCAPE BANG UTF DASH)" "$before" \
	'the others are as they were, to the byte'
is "$(left)" '' 'and the file is gone'

last=$(newest)
run env EDITOR=false git heroku config:edit
is "$status:$out" '1:' 'an editor that fails: exit 1'
is "$err" ' !    the editor exited with 1
 !    Nothing was changed.' 'and words'
is "$(left)" '' 'with nothing typed, nothing is kept'
run env EDITOR=/nonexistent/vi git heroku config:edit
like "$err" '^ !    the editor exited with 127$' 'an editor that is not there'
run env EDITOR='f() { echo TYPED=1 >>"$1"; kill -9 $$; }; f' git heroku config:edit
is "$status" 1 'an editor that is killed: exit 1'
like "$err" '^ !    the editor was ended by signal 9$' 'and words'
kept=$(printf '%s\n' "$err" | sed -n 's/.*Your text is kept in //p')
like "$(cat "$kept")" '^TYPED=1$' 'what was typed is kept where it says'
is "$(stat -c %a "$kept")" 600 'for its owner alone'
rm -f "$kept"
run env EDITOR='echo BAD >>' git heroku config:edit
is "$status:$out" '1:' 'text that cannot be read: exit 1'
like "$err" '^ !    .*: line [0-9]+: expected KEY=VALUE$' 'with its line'
kept=$(printf '%s\n' "$err" | sed -n 's/.*Your text is kept in //p')
like "$(cat "$kept")" '^BAD$' 'is kept, too'
rm -f "$kept"
run env EDITOR='echo 1BAD=1 >>' git heroku config:edit
is "$status" 1 'a key that slugd refuses: exit 1'
like "$err" 'Your text is kept in' 'is kept, too'
rm -f "$TMPDIR"/*
run env EDITOR='echo MEMCACHIER_SERVERS=x >>' git heroku config:edit
is "$status" 1 "an add-on's value cannot be set over: exit 1"
like "$err" '^ !    .*memcachier' 'and words'
rm -f "$TMPDIR"/*
run env EDITOR='truncate -s 0' git heroku config:edit
is "$status:$out" '1:' 'a text with nothing left: exit 1'
like "$err" 'no config var is left' 'and words'
rm -f "$TMPDIR"/*
is "$(newest)" "$last" 'none of them made a release'
run env EDITOR='git heroku config:set OTHER=1 >/dev/null; sed -i s/43/44/' \
	git heroku config:edit
is "$status" 1 'config vars that changed meanwhile: exit 1'
like "$err" 'Your text is kept in' 'nothing is lost'
is "$(git heroku config:get PLAIN),$(git heroku config:get OTHER)" '43,1' \
	'and nothing overwritten'
run env TMPDIR=/nonexistent EDITOR=true git heroku config:edit
is "$status:$out" '1:' 'no place for the file: exit 1'
like "$err" '^ !    cannot make /nonexistent/' 'and words'
finish
