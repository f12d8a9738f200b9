#!/bin/sh
# SPDX-License-Identifier: ISC
# .slugignore: what a slug leaves out, and how this is said.
. "$(dirname "$0")/lib/test.sh"

# pack ARGS...: the slug of HEAD in slug, its report in $report.
pack() {
	slugpack --report=3 "$@" work HEAD >slug 2>.err 3>.report
	status=$?
	report=$(cat .report)
}

# field NAME: of the last report.
field() {
	printf '%s' "$report" | perl -MJSON::PP -e '
		local $/; my $v = decode_json(<STDIN>);
		$v = $v->{$_} for split /\./, $ARGV[0];
		print ref $v ? JSON::PP->new->canonical->encode($v)
			: $v // "null"' "$1"
}

# ignoring PATTERNS [ARGS...]: pack the tree with that .slugignore.
ignoring() {
	printf '%b' "$1" >work/.slugignore
	shift
	git -C work add -A && git -C work commit -q --allow-empty -m ignoring
	pack "$@"
}

# The files of the slug, in one line, without the one that stays.
files() {
	tar --zstd -tf slug | grep -v -e '/$' -e '^\.slugignore$' | sort |
		tr '\n' ' '
}

# git's own answer: the files that the patterns leave.
by_git() {
	git -C work ls-files -c -i -X .slugignore | sort >ignored
	git -C work ls-files | sort | comm -23 - ignored |
		grep -v '^\.slugignore$' | tr '\n' ' '
}

git init -q -b master work
mkdir -p work/doc/api work/lib/doc work/lib/x/y/test work/test
(
	cd work || exit 1
	printf 'web: run\n' >Procfile
	for f in a.psd doc/a.psd doc/api/index doc/read.me lib/doc/b \
		lib/x/y/test/t lib/x/y/z test/t 'with blank' '#odd' '!odd' \
		a1 a2 ab lib/doc.psd; do
		head -c 1000 /dev/zero >"$f"
	done
)

# matches PATTERNS LEFT...: those files are left out, no others; git says so.
matches() {
	ignoring "$1"
	patterns=$1
	shift
	git -C work ls-files | grep -v '^\.slugignore$' | sort >all
	printf '%s\n' "$@" | sort >left
	is "$status $(files)" "0 $(comm -23 all left | tr '\n' ' ')" \
		"'$patterns' leaves out $*"
	is "$(files)" "$(by_git)" 'which is what git makes of it'
}

# --- patterns
matches '*.psd\n' a.psd doc/a.psd lib/doc.psd
matches '/*.psd\n' a.psd
matches 'doc/*.psd\n' doc/a.psd
matches 'test\n' lib/x/y/test/t test/t
matches '/test\n' test/t
matches 'test/\n' lib/x/y/test/t test/t
matches '/doc/\n' doc/a.psd doc/api/index doc/read.me
matches 'a1/\n'
matches 'a?\n' a1 a2 ab
matches 'a[0-9]\n' a1 a2
matches 'a[!0-9]\n' ab
matches 'lib/**/t\n' lib/x/y/test/t
matches '**/doc\n' doc/a.psd doc/api/index doc/read.me lib/doc/b
matches 'lib/x/**\n' lib/x/y/test/t lib/x/y/z
matches 'lib/*/z\n'
matches 'with blank\n' 'with blank'
matches '\\#odd\n\\!odd\n' '!odd' '#odd'
matches '\n# a comment\n   \n*.psd' a.psd doc/a.psd lib/doc.psd
matches '*.psd\r\n\r\na1\r\n' a.psd doc/a.psd lib/doc.psd a1
matches '\0357\0273\0277a1\n' a1
matches '/\n'
matches ''
matches '*.PSD\n'
matches 'l*/**/[[:alpha:]]\n' lib/doc/b lib/x/y/test/t lib/x/y/z
matches '**/a/**/b/**/c/**/d/**/e\n'
matches '*[*\na[a-]\n'
# Heroku takes these, git does not.
ignoring './doc\n././a1\n'
is "$(files)" "$(git -C work ls-files | grep -v -e '^doc/' -e '^a1$' \
	-e '^\.slugignore$' | sort | tr '\n' ' ')" './ is the root'
ignoring '{doc,lib/{x,doc}}/\na{1,2}\n\\{x,y}\n{a}\n{b\n'
is "$(files)" '!odd #odd Procfile a.psd ab lib/doc.psd test/t with blank ' \
	'{a,b} stands for both'
ignoring "$(printf '{a,b}%.0s' $(seq 40))"
is "$status" 1 'too many alternatives are refused'
like "$(field error.message)" \
	'^\.slugignore line 1: .* the braces have too many alternatives$' \
	'with the line'
ignoring '*.psd\r# a comment\ra1\r'
is "$(files)" "$(git -C work ls-files | grep -v -e 'psd$' -e '^a1$' \
	-e '^\.slugignore$' | sort | tr '\n' ' ')" 'CR alone ends a line'

# A pattern takes no longer than its length times that of the name.
many=$(printf 'a%.0s' $(seq 200))
mkdir -p "work/d/d/d/d/d/d/d/d" && touch "work/d/d/d/d/d/d/d/d/$many"
ignoring "d/**/$(printf '*a%.0s' $(seq 90))*b\n$(printf '**/d/%.0s' \
	$(seq 20))b\n" --max-time=60
is "$status" 0 'a hostile pattern takes no time'
rm -r work/d
ignoring 'a1 # as Heroku takes it\n\ta2\t#x\n  ab\n'
unlike "$(files)" 'a1|a2|ab' 'a comment may stand behind a pattern'
like "$(files)" '#odd' 'which a name with # is not'
ignoring 'a[\n[\n\\\n***\n'
is "$status" 0 'patterns that make no sense do no harm'

# --- what is said
ignoring ''
is "$(field notices)" '[]' 'no patterns, nothing said'
ignoring '# these two\nnothing\n*.psd\n\n/at/all\n'
is "$(field notices)" \
	"[\".slugignore leaves out 3 files (2.9K)\",\".slugignore: nothing matches 'nothing' (line 2), '/at/all' (line 5)\"]" \
	'a pattern that leaves out nothing is named'
uuid=12345678-1234-1234-1234-123456789abc
mkdir -p store/segments store/slugs
for again in '' ' again, from the cache'; do
	ignoring '/x\n/y\n/z\n/a\n/b\ndoc\n' --store=store --slug=$uuid \
		--cache=cache
	is "$(field notices | sed 's/.*: //')" \
		"nothing matches '/x' (line 1), '/y' (line 2), '/z' (line 3) and 2 more\"]" \
		"of many, three$again"
done
ignoring 'nothing\n'
entries=$(field entries)
tree_size=$(field tree_size)
ignoring 'a1\n'
is "$(field notices)" '[".slugignore leaves out 1 file (1000B)"]' 'a file'
is "$(field entries) $(($(field tree_size) + 1000 + 5))" \
	"$((entries - 1)) $tree_size" 'which is not in the counts'
ignoring '*.psd\ndoc/\n'
is "$(field notices)" \
	'[".slugignore leaves out 2 files (2.0K) and 2 folders"]' \
	'files and folders: what is in a folder is not looked at'
run slugpack work HEAD
is "$err" '.slugignore leaves out 2 files (2.0K) and 2 folders' \
	'on standard error without a report'
ignoring '/doc\n'
is "$(field notices)" '[".slugignore leaves out 1 folder"]' 'a folder'
like "$(tar --zstd -tf slug)" '^\.slugignore$' \
	'the file itself is in the slug, as at Heroku'
ignoring '.*\n'
unlike "$(tar --zstd -tf slug)" '^\.slugignore$' 'unless it says otherwise'
ignoring 'Procfile\n'
is "$status $(field process_types) $(field notices)" \
	'0 {} [".slugignore leaves out 1 file (9B)","Procfile is left out by .slugignore: no process types"]' \
	'a Procfile that is left out declares nothing, and this is said'
ignoring '*\n'
is "$status $(field entries) $(tar --zstd -tf slug)" '0 0 ' \
	'everything can be left out'

# --- what is left out counts for no limit
ignoring 'lib\n' --max-depth=3
is "$status" 0 'max_depth is over what is packed'
ignoring 'z\nlib/x/y/test\n' --max-depth=3
is "$status" 0 'to the last name'
ignoring 'test\n' --max-depth=3
is "$status $(field error.message)" \
	'1 lib/x/y/z: is in more folders than max_depth allows' \
	'and the others are'
head -c 3000000 /dev/zero >work/big.bin
ignoring 'a1\n' --max-blob=1M
is "$status" 1 'a large file is refused'
ignoring '*.bin\n' --max-blob=1M --max-tree=1M
is "$status $(field notices)" \
	'0 [".slugignore leaves out 1 file (2.9MB)"]' 'unless left out'
ignoring '/big.bin\n/doc/\n/lib/\n/test/\n' --max-entries=9
is "$status" 0 'so are entries counted'
ignoring '/big.bin\n/doc/\n/lib/\n' --max-entries=9
is "$status $(field error.id)" '1 too_large' 'those that are packed'
git -C work rm -q --cached big.bin && rm work/big.bin

# A folder of 10^12 files, and one that is damaged.
git clone -q --bare work plain
hello=$(printf 'hello\n' | git -C plain hash-object -w --stdin)
rules=$(printf 'bomb\nbad/\n' | git -C plain hash-object -w --stdin)
bomb=$hello
kind='100644 blob'
for _ in $(seq 12); do
	bomb=$(for j in 0 1 2 3 4 5 6 7 8 9; do
		printf '%s %s\tf%s\n' "$kind" "$bomb" "$j"
	done | git -C plain mktree)
	kind='040000 tree'
done
tree=$({
	printf '100644 blob %s\t.slugignore\n' "$rules"
	printf '040000 tree %040d\tbad\n' 1
	printf '040000 tree %s\tbomb\n' "$bomb"
	printf '100644 blob %s\tx\n' "$hello"
} | git -C plain mktree --missing)
bomb=$(echo bomb | git -C plain commit-tree "$tree")
run slugpack plain "$bomb"
is "$status $err" '0 .slugignore leaves out 2 folders' \
	'a folder that is left out is not walked'

# --- submodules and pointers
pointer() {
	printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 12345\n' "$1"
}
mkdir work/assets
pointer 1 >work/assets/big.bin
ignoring 'a1\n'
is "$status $(field error.id)" '1 invalid_params' 'an LFS pointer is refused'
is "$(field error.message)" \
	'assets/big.bin is a Git LFS pointer, not the file itself; commit the file (git lfs migrate export), or leave it out with a line in .slugignore' \
	'with advice'
pointer 2 >work/assets/b.bin && pointer 3 >work/assets/c.bin
chmod +x work/assets/c.bin
ignoring ''
like "$(field error.message)" \
	'^assets/b\.bin is a .* itself, as are 2 more; commit' 'of many the first'
ignoring 'assets/*.bin\n'
is "$status $(field notices)" \
	'0 [".slugignore leaves out 3 files (390B)"]' 'unless left out'
ignoring 'assets/\n'
is "$status" 0 'or their folder'
rm -r work/assets
printf 'version https://git-lfs.github.com/spec/v1\nis what it begins with\n' \
	>work/near
{ pointer 1 && head -c 1024 /dev/zero; } >work/long
pointer 1 | tail -n 2 >work/tail
ln -s "$(pointer 1)" work/link
ignoring ''
is "$status $(field notices)" '0 []' 'what only looks like one is a file'
rm work/near work/long work/tail work/link
git -C work update-index --add --cacheinfo "160000,$bomb,vendor"
git -C work commit -q -m module
pack
is "$status $(field notices)" \
	'0 ["vendor is a submodule: left out of the slug"]' 'a submodule is named'
printf 'vendor/\n' >work/.slugignore
git -C work add .slugignore && git -C work commit -q -m ignored
pack
is "$status $(field notices)" '0 [".slugignore leaves out 1 folder"]' \
	'but not one that is left out'
git -C work rm -q --cached vendor

# --- wrong ones
ignoring '*.psd\n\n!a.psd\n'
is "$status $(field error.id)" '1 invalid_params' 'a line with ! is refused'
is "$(field error.message)" \
	".slugignore line 3: '!a.psd': ! is not supported, what a pattern leaves out cannot be taken back in" \
	'with its line'
is "$(wc -c <slug)" 0 'before anything is written'
ignoring '  !\033[2J\n'
like "$(field error.message)" "line 1: '!.x1b\[2J': " 'and escaped'
ignoring 'a\0000b\n'
is "$status $(field error.message)" "1 .slugignore line 1: 'a': a NUL" 'a NUL'
ignoring '**/a/**/b/**/c\n'
is "$status" 0 'three ** in a line'
ignoring "$(printf '%070000d' 1)"
is "$status $(field error.message)" \
	'1 .slugignore has more than 65536 bytes' 'a huge one'
rm work/.slugignore && ln -s a1 work/.slugignore
git -C work add -A && git -C work commit -q -m link
pack
is "$status $(field error.message)" '1 .slugignore is no plain file' 'a link'
rm work/.slugignore && mkdir work/.slugignore && cp work/a1 work/.slugignore/
git -C work add -A && git -C work commit -q -m folder
pack
is "$status $(field error.message)" '1 .slugignore is no plain file' 'a folder'
rm -r work/.slugignore && printf 'a1\n' >work/doc/.slugignore
printf '*\n' >work/.gitignore
git -C work add -A -f && git -C work commit -q -m deeper
pack
is "$status $(field notices)" '0 []' \
	'neither one further down nor .gitignore counts'
printf 'a2\n' >.gitignore
ignoring ''
like "$(files)" 'a2 ' 'nor what lies where slugpack runs'

finish
