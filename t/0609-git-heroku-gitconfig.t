#!/bin/sh
# SPDX-License-Identifier: ISC
# git heroku reads a plain configuration itself: it never says anything else
# than git does. Several hundred files, made at random of what such files are
# made of, are listed by both; what is not as plain as git writes it must go
# to git, and most of what git writes must not.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

list=$TOP_BUILDDIR/t/lib/gitconfig-list
mkdir none

# same NAME: file is listed as git lists it; a variable without a value is
# one with an empty value to us.
same() {
	git config -z --list -f file >raw 2>/dev/null
	wanted=$?
	perl -0 -ne 's/\0$//; print /\n/ ? "$_\0" : "$_\n\0"' raw >wanted
	[ $wanted -eq 0 ] || wanted=1
	"$list" "$PWD/file" >got 2>/dev/null
	is "$?:$(od -An -c got)" "$wanted:$(od -An -c wanted)" "$1"
}

# plain NAME, not_plain NAME: is it read without git?
plain() {
	PATH=$PWD/none "$list" "$PWD/file" >/dev/null 2>&1
	is $? 0 "$1: without git"
}

not_plain() {
	PATH=$PWD/none "$list" "$PWD/file" >/dev/null 2>&1
	is $? 1 "$1: left to git"
	same "$1: the same as git"
}

# What git writes itself.
git init -q --bare repo.git
git -C repo.git config slugd.app myapp
git -C repo.git config slugd.socket "$scratch/a dir/slugd.sock"
git -C repo.git config remote.heroku.url 'https://example.com/a?b=c'
git -C repo.git config --add remote.heroku.fetch '+refs/heads/*:refs/x/*'
cp repo.git/config file
plain 'a repository as git makes it'
same 'a repository as git makes it'
head='[core]\n\tbare = true\n'
plainly() {
	printf '%b' "$head$1" >file
	plain "$2"
	same "$2: the same as git"
}
plainly '' 'one section'
plainly '[core]\n\tbare = false\n\tbare = x\n' 'duplicate keys'
plainly '[remote "A b"]\n\turl = x  y\n' 'a subsection, and blanks within'
plainly '[core]\n\tBare = x' 'upper case, and no end of line'
: >file
plain 'an empty file'
same 'an empty file'

# What git does not write like this, or what is wrong.
odd() {
	printf '%b' "$1" >file
	not_plain "$2"
}
odd "$head"'[include]\n\tpath = other\n' 'include'
odd "$head"'[includeIf "gitdir:/"]\n\tpath = other\n' 'includeIf'
odd "$head"'[INCLUDE]\n\tpath = other\n' 'INCLUDE'
odd '\0357\0273\0277[core]\n\tbare = true\n' 'a byte order mark'
odd '[core]\n\tbare\n' 'no value'
odd '[core]\n\tbare =\n' 'an empty value'
odd '[core]\n\tbare = \n' 'an empty value, and a blank'
odd '[core]\n\tbare=true\n' 'no blanks'
odd '[core]\n\tbare = a\\\n b\n' 'a continuation line'
odd '[core]\n\tbare = a\\nb\n' 'an escape'
odd '[core]\n\tbare = a\\qb\n' 'a wrong escape'
odd '[core]\n\tbare = "a"\n' 'quotes'
odd '[core]\n\tbare = "a\n' 'quotes that are not closed'
odd '[core]\n\tbare = a # b\n' 'a comment'
odd '[core]\n\tbare = a;b\n' 'the other comment'
odd '[core]\n# c\n\tbare = a\n' 'a comment of its own'
odd '[core]\n\n\tbare = a\n' 'an empty line'
odd '[core]\n\tbare = a \n' 'a blank at the end'
odd '[core]\n\tbare = a\t\n' 'a tab at the end'
odd '[core]\n\tbare = a\r\n' 'lines of DOS'
odd '[core]\r\n\tbare = a\n' 'a section of DOS'
odd '[core] bare = a\n' 'all on one line'
odd '[core]\n\t1bare = a\n' 'a name that begins with a digit'
odd '[core]\n\t-bare = a\n' 'a name that begins with a dash'
odd '[core]\n\tba_re = a\n' 'a name with an underscore'
odd '[core.x]\n\tbare = a\n' 'a subsection of the old kind'
odd '[Core]\n\tbare = a\n' 'a section in upper case'
odd '[core "a\\"b"]\n\tbare = a\n' 'an escape in a subsection'
odd '[core "a"b"]\n\tbare = a\n' 'a quote in a subsection'
odd '[core  "a"]\n\tbare = a\n' 'two blanks before a subsection'
odd '[core "a" ]\n\tbare = a\n' 'one behind it'
odd '[core\n\tbare = a\n' 'a section that is not closed'
odd '[]\n\tbare = a\n' 'a section without a name'
odd '\tbare = a\n' 'no section'
odd '[core]\n\tbare = a\0000b\n' 'a NUL'
odd '[core]\n  bare = a\n' 'blanks before'
rm file
not_plain 'no file'
mkdir file
not_plain 'a folder'
rmdir file

# At random, always the same: the seed is fixed.
cat >generate.pl <<'END'
use strict;
use warnings;
my ($list, $n) = @ARGV;
srand 4711;
my @sections = ('[core]', '[slugd]', '[remote "heroku"]', '[remote "a b"]',
	"[remote \"\303\274\"]", '[x ""]', '[a-b]', '[9]', '[-]',
	'[Core]', '[a.b]', '[a.B "c"]', '[include]', '[includeIf "x"]',
	'[includes]', '[x "a\\"b"]', '[x "a]"]', '[x "]', '[x]]', '[x] # c',
	'[x "a"] y = "b"]', '[x]y = 1]', '[', '[]', ' [core]', '[core ]');
my @names = ('app', 'socket', 'url', 'Url', 'x-y', 'x1', '1x', '-x', 'x_y',
	'', 'path', 'x.y');
my @between = (' = ', ' = ', ' = ', ' = ', '=', ' =', '= ', '  = ', ' ',
	'', "\t=\t", ' == ');
my @values = ('true', '/srv/a.git', 'a b', 'a  b', "\303\274", "\351",
	'a=b', '[x]', "'q'", '"q"', '"q', 'a"b c"d', '\\n', 'a\\', 'a\\tb',
	'# c', 'a # c', 'a;b', ' x', 'x ', "x\t", "a\tb", "a\013b", "a\fb", '',
	"x\r", '%d', '$(x)', "a\0b", "\177", 'x' x 5000);
my @ends = ("\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\n\n", '', "\\\n",
	" \n");
my $odd;
sub any { $_[rand @_] }
# The plain ones of a list are in front; odd ones are rare.
sub pick {
	my ($plain, @all) = @_;
	return rand() < $odd ? any(@all) : any(@all[0 .. $plain - 1]);
}
my ($own, $wrong, $both, $failed) = (0, 0, 0, 0);
for my $i (1 .. $n) {
	$odd = any(0, 0.02, 0.1, 0.5);
	my $text = rand() < $odd / 4 ? any("\357\273\277", "\tx = y\n", '# c',
		"\n") : '';
	for (1 .. 1 + rand 4) {
		$text .= pick(6, @sections) . pick(6, @ends);
		$text .= pick(1, "\t", '  ', '', "\t\t") . pick(6, @names) .
			pick(4, @between) . pick(9, @values) . pick(6, @ends)
			for 1 .. rand 4;
	}
	open my $f, '>', 'file' or die;
	print $f $text;
	close $f;
	my $git = `git config -z --list -f file 2>/dev/null`;
	my $good = !$?;
	# One without a value is one with an empty one to us.
	$git = join '', map { /\n/ ? "$_\0" : "$_\n\0" } split /\0/, $git;
	my $ours = `PATH="\$PWD/none" "$list" "\$PWD/file" 2>/dev/null`;
	my $read = !$?;
	$own++ if $read;
	$failed++ if !$good;
	if ($read && (!$good || $ours ne $git)) {
		print "# wrong:\n$text";
		$wrong++;
	}
	next if $i % 8;
	$ours = `"$list" "\$PWD/file" 2>/dev/null`;
	$both++ if !$? != $good || ($good && $ours ne $git);
}
print "$n files, $wrong wrong, $both wrong with git to ask\n";
print $own > $n / 5 ? "many are plain\n" : "only $own are plain\n";
print $failed > $n / 10 ? "many are wrong\n" : "only $failed are wrong\n";
END
run perl generate.pl "$list" 500
is "$out" '500 files, 0 wrong, 0 wrong with git to ask
many are plain
many are wrong' 'files made at random: as git reads them'

# The repository's own configuration is git's affair: all that holds there.
git init -q work
cd work || exit 1
git commit -q --allow-empty -m x
where() {
	run "$@"
	printf '%s\n' "$err" | sed -n "s/.*There is no remote '\(.*\)' here.*/\1/p"
}
is "$(where git -c heroku.remote=line heroku releases)" line 'git -c'
is "$(GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=heroku.remote \
	GIT_CONFIG_VALUE_0=env where git heroku releases)" env 'GIT_CONFIG_COUNT'
printf '[heroku]\n\tremote = global\n' >"$scratch/global"
is "$(GIT_CONFIG_GLOBAL="$scratch/global" where git heroku releases)" global \
	'GIT_CONFIG_GLOBAL'
git config include.path "$scratch/global"
is "$(where git heroku releases)" global 'include'
git config --unset include.path
git config "includeIf.gitdir:$scratch/work/.path" "$scratch/global"
is "$(where git heroku releases)" global 'includeIf'
git config --unset "includeIf.gitdir:$scratch/work/.path"
git config extensions.worktreeConfig true
git worktree add -q ../tree
git config --worktree heroku.remote here
is "$(where git heroku releases)" here "a worktree's own"
cd ../tree || exit 1
is "$(where git heroku releases)" '' 'is not that of another'
git config --worktree heroku.remote there
is "$(where git heroku releases)" there 'which has its own'
finish
