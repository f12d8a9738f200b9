#!/bin/sh
# SPDX-License-Identifier: ISC
# Trees that no git add would make: each is refused with the path named, or
# packed and unpacked with nothing outside of the target touched. What
# 0300-slugpack.t has at the root of a tree is here further down.
. "$(dirname "$0")/lib/test.sh"

slugunpack=$SLUGD_EXEC_PATH/slugunpack
git init -q --bare repo.git
git="git -C repo.git"
hello=$(printf 'hello\n' | $git hash-object -w --stdin)

# entry MODE NAME HEX: as it stands in a tree object, whatever it says.
entry() {
	printf '%s %b\0' "$1" "$2"
	printf '%s' "$3" | perl -ne 'print pack "H*", $_'
}

# tree: the id of the tree object on standard input.
tree() {
	$git hash-object -t tree -w --literally --stdin
}

# commit_tree TREE: branch hostile, with the tree in the folders lib/app.
commit_tree() {
	inner=$(entry 40000 app "$1" | tree)
	outer=$(entry 40000 lib "$inner" | tree)
	$git update-ref refs/heads/hostile "$(echo x | $git commit-tree "$outer")"
}

link() {
	printf '%b' "$1" | $git hash-object -w --stdin
}

pack() {
	slugpack --report=3 "$@" repo.git hostile \
		>slug.tzst 2>err 3>report
	status=$?
}

# refused NAME MESSAGE: of the tree object in the file raw; as Perl writes a
# string, so that nothing of the terminal's may be in it.
refused() {
	commit_tree "$(tree <raw)"
	pack
	is "$status $(cat err)" "1  !    $2" "$1"
	is "$(wc -c <slug.tzst) $(LC_ALL=C tr -d '\n -~' <report | wc -c)" '0 0' \
		'nothing is written, and nothing raw is said'
}

# --- unpacking, with something to lose around
mkdir -p jail/x/y jail/lib/app jail/x/lib store
echo precious >jail/precious
echo precious >jail/x/y/precious
echo precious >jail/lib/app/precious
around() {
	find jail -path jail/x/y/target -prune -o -path jail/x/y -o \
		-printf '%p %y %m %s %T@ %l\n' | sort
	stat -c '%s %y %i' /etc/passwd
	find jail/x/y -maxdepth 1 ! -name target | sort
}
around >before

# by_tar, by_slugunpack COMMIT [OPTION...]: unpack it into jail/x/y/target.
by_tar() {
	mkdir jail/x/y/target && tar --zstd -xf slug.tzst -C jail/x/y/target
}
uuid=01234567-89ab-4def-8123-456789abcdef
by_slugunpack() {
	commit=$1
	shift
	slugpack --store=store --slug=$uuid "$@" repo.git "$commit" &&
		"$slugunpack" store $uuid jail/x/y/target 1000000000
}

# unpacked NAME [OPTION...]: the slug is the tree, by name, and all around is
# as it was.
unpacked() {
	name=$1
	shift
	$git ls-tree -r -t -z --name-only hostile |
		perl -0ne 'push @v, $_; END { print sort @v }' >wanted
	for by in tar slugunpack; do
		rm -rf jail/x/y/target
		by_$by hostile "$@" 2>unpack.err
		is "$? $(cat unpack.err)" '0 ' "$name: $by unpacks it"
		(cd jail/x/y/target && find . -mindepth 1 -print0) |
			perl -0ne 's,^\./,,; push @v, $_;
				END { print sort @v }' >got
		cmp got wanted
		ok $? 'with the names of the tree, byte for byte'
		around >after
		cmp before after
		ok $? 'and all around it is as it was'
	done
}

# taken NAME [OPTION...]: the tree object in the file raw is packed.
taken() {
	name=$1
	shift
	commit_tree "$(tree <raw)"
	pack "$@"
	is "$status $(cat err)" '0 ' "$name is packed"
	unpacked "$name" "$@"
}

# --- names that are no names, in folders
folder=$(entry 100644 x "$hello" | tree)
for name in . .. .git .GIT; do
	for mode in 120000 160000; do
		entry $mode "$name" "$hello" >raw
		refused "$name of mode $mode" \
			"lib/app/$name: no entry may have this name"
	done
done
for name in /etc/cron.d/x ../x a/b / // ./x .git/hooks/post-checkout; do
	entry 40000 "$name" "$folder" >raw
	refused "$name" "lib/app/$name: a name must not have a slash"
done
entry 120000 '../\0033]0;x\0007\0377' "$hello" >raw
refused 'a path to write a title with' \
	'lib/app/../\x1b]0;x\x07\xff: a name must not have a slash'
entry 40000 '' "$folder" >raw
refused 'no name' 'lib/app/: an entry has no name'

# --- names twice: what a link leads to could be written through
{ entry 120000 a "$hello" && entry 40000 a "$folder"; } >raw
refused 'a link, and a folder of its name' \
	'lib/app/a: stands twice in its folder'
{
	entry 120000 a "$hello" && entry 100644 a-b "$hello" &&
		entry 40000 a "$folder"
} >raw
refused 'with something between' 'lib/app/a: stands twice in its folder'
{ entry 160000 a "$hello" && entry 120000 a "$hello"; } >raw
refused 'a submodule, and a link' 'lib/app/a: stands twice in its folder'

# --- modes
for mode in 20666 60666 10644 140755 100777 106755 41777 0 1 \
	7777777777777777777777; do
	entry $mode dev "$hello" >raw
	commit_tree "$(tree <raw)"
	pack
	like "$status $(cat err)" '^1  !    lib/app/(dev)?: ' \
		"mode $mode is refused"
	is "$(wc -c <slug.tzst)" 0 'before anything is written'
done
for mode in '' -100644 0x81a4; do
	entry "$mode" dev "$hello" >raw
	commit_tree "$(tree <raw)"
	pack
	like "$status $(cat err)" '^1  !    lib/app' "mode '$mode' is refused"
	is "$(wc -c <slug.tzst)" 0 'before anything is written'
done

# --- objects of another kind, or none
entry 40000 sub "$hello" >raw
refused 'a file as a folder' 'lib/app/sub: its object is of another type'
entry 120000 sub "$folder" >raw
refused 'a folder as a link' 'lib/app/sub: its object is of another type'
entry 40000 'su\nb' "$(printf '%040d' 1)" >raw
refused 'a folder that is not there' \
	'lib/app/su\x0ab: its object is not in the repository'

# --- depth
# nest N NAME: the tree of x in N folders of that name, in few processes.
nest() {
	perl -MDigest::SHA=sha1_hex -MCompress::Zlib -e '
		my ($n, $name, $id) = @ARGV;
		for (1 .. $n) {
			my $o = "40000 $name\0" . pack "H*", $id;
			$o = "tree " . length($o) . "\0$o";
			$id = sha1_hex($o);
			my $dir = "repo.git/objects/" . substr $id, 0, 2;
			mkdir $dir;
			open my $f, ">", $dir . "/" . substr $id, 2 or die;
			print $f compress $o;
		}
		print "$id\n"' "$1" "$2" "$folder"
}
commit_tree "$(nest 2000 d)"
pack
like "$status $(cat err)" \
	'^1  !    lib/app(/d)+/?\.\.: is in more folders than max_depth allows$' \
	'2,000 folders in each other are refused'
pack --max-depth=0
is "$status $(cat err)" '0 ' 'and packed where that is wished'
unpacked '2,000 folders' --max-depth=0
commit_tree "$(nest 3000 d)"
pack --max-depth=0
like "$status $(cut -c 1-40 err)" '^1  !    lib/app/d/d/d' \
	'3,000 are refused even then'
like "$(cat err)" 'the path goes on for more than [0-9]+ bytes$' 'as a path'
is "$(wc -c <slug.tzst)" 0 'before anything is written'

# --- length
name=$(printf '%0255d' 1)
entry 100644 "$name" "$hello" >raw
taken 'a name of 255 bytes'
entry 40000 "$(printf '%04096d' 1)" "$folder" >raw
commit_tree "$(tree <raw)"
pack
like "$status $(cat err)" \
	'^1  !    lib/app/0+.*: (a name|the path goes on for) .*more than|^1  !    lib/app/0+1?: a name of more than' \
	'a name of 4,096 bytes is refused'
# path_of BYTES: a tree whose longest path has as many, below lib/app.
path_of() {
	part=$(printf '%0250d' 7)
	rest=$(($1 - 8 - 16 * 251))
	id=$(entry 100644 "$(printf "%0${rest}d" 1)" "$hello" | tree)
	for _ in $(seq 16); do
		id=$(entry 40000 "$part" "$id" | tree)
	done
	commit_tree "$id"
}
for bytes in 4090 4094 4095; do
	path_of $bytes
	pack
	is "$status $(cat err)" '0 ' "a path of $bytes bytes is packed"
	unpacked "a path of $bytes bytes"
done
path_of 4097
pack
like "$status $(cat err)" \
	'^1  !    lib/app/0+.*: the path goes on for more than' \
	'one of 4,097 bytes is refused'

# --- names that only look odd
{
	entry 100644 '\0001\0033[2J\0007' "$hello"
	entry 100644 ' ' "$hello"
	# shellcheck disable=SC2016
	entry 100644 '$(touch evil)' "$hello"
	entry 100644 '*' "$hello"
	entry 40000 '--checkpoint-action=exec=sh' "$folder"
	entry 100644 '-rf' "$hello"
	entry 100644 '...' "$hello"
	entry 100644 '.git ' "$hello"
	entry 120000 '.gitmodules' "$(link /etc/passwd)"
	entry 100644 'A' "$hello"
	entry 100644 'C:\\\\x' "$hello"
	entry 100644 'CON' "$hello"
	entry 100644 'a' "$hello"
	entry 100644 'a\nb' "$hello"
	entry 100644 'git~1' "$hello"
	entry 100644 '~root' "$hello"
	entry 100644 '\0302\0233' "$hello"
	entry 100644 '\0342\0200\0256x' "$hello"
	entry 100644 '\0377\0376' "$hello"
} >raw
taken 'what only looks odd'
is "$(cat 'jail/x/y/target/lib/app/a
b')" hello 'with its content'
[ ! -e evil ] && [ ! -e repo.git/evil ]
ok $? 'and nothing of it is run'

# --- links to everywhere
{
	entry 120000 absolute "$(link /etc/passwd)"
	entry 120000 dangling "$(link /nowhere/at/all)"
	entry 120000 here "$(link .)"
	entry 120000 itself "$(link itself)"
	entry 120000 long "$(link "$(printf '%04095d' 1)")"
	entry 120000 odd "$(link '\0033[2J\n\0377')"
	entry 120000 up "$(link ../../../..)"
	entry 120000 upfile "$(link ../../../precious)"
} >raw
taken 'links to everywhere'
is "$(cd jail/x/y/target/lib/app && readlink absolute dangling here itself up \
	upfile | xargs)" \
	'/etc/passwd /nowhere/at/all . itself ../../../.. ../../../precious' \
	'are links, and lead where they did'
is "$(find jail/x/y/target/lib/app -type l | wc -l)" 8 'each of them'
entry 120000 long "$(link "$(printf '%04096d' 1)")" >raw
refused 'a target of 4,096 bytes' \
	'symlink lib/app/long has a target of 4096 bytes'

# --- a submodule, in company
{
	entry 100644 a "$hello" && entry 160000 'mod\0033ule' "$hello" &&
		entry 100644 z "$hello"
} >raw
commit_tree "$(tree <raw)"
pack
is "$status $(tar --zstd -tf slug.tzst | xargs)" \
	'0 lib/ lib/app/ lib/app/a lib/app/z' 'a submodule is left out'
like "$(cat report)" 'lib/app/mod.{1,3}x1bule is a submodule' 'and named'

# --- and at random: one of nasty names and modes after the other
# It prints a commit a line. Half of the trees are in git's order.
cat >random.pl <<'EOF'
use Digest::SHA qw(sha1_hex);
use Compress::Zlib;
my ($trials, $hello, $folder) = @ARGV;
srand 4711;
sub put {
	my ($type, $body) = @_;
	my $o = "$type " . length($body) . "\0$body";
	my $id = sha1_hex($o);
	my $dir = "repo.git/objects/" . substr $id, 0, 2;
	mkdir $dir;
	open my $f, ">", $dir . "/" . substr $id, 2 or die;
	print $f compress $o;
	return $id;
}
my @modes = ((100644) x 4, (100755) x 2, (40000) x 3, (120000) x 3, 160000);
my @parts = ("a", "b", ".", "..", ".git", "/", "\n", "\e", "\xff", " ",
	"\\", "-", "g", "x" x 100, "\xe2\x80\xae", "lib", "~1", ":");
my @odd = (0, 20666, 100600, 104755, "");
my @links = map { put("blob", $_) } "/etc/passwd", "..", "../../../precious",
	"/", "a", ".", "a\nb";
sub name {
	my $name = join "", map { $parts[rand @parts] } 0 .. rand 4;
	$name =~ tr,/,_, if rand > .15;
	return $name;
}
sub tree {
	my ($depth) = @_;
	my @v;
	for (0 .. rand 5) {
		my $mode = rand > .03 ? $modes[rand @modes] : $odd[rand @odd];
		my $id = $mode eq 40000
			? $depth ? tree($depth - 1) : $folder
			: $mode eq 120000 ? $links[rand @links] : $hello;
		my $name = name;
		push @v, [ $name . ($mode eq 40000 ? "/" : ""),
			"$mode $name\0" . pack "H*", $id ];
	}
	@v = sort { $a->[0] cmp $b->[0] } @v if rand > .2;
	return put("tree", join "", map { $_->[1] } @v);
}
for (1 .. $trials) {
	print put("commit", "tree " . tree(3) . "\nauthor A <a> 1 +0000\n" .
		"committer A <a> 1 +0000\n\nx\n"), "\n";
}
EOF
perl random.pl "${TRIALS:-60}" "$hello" "$folder" >commits
[ -s commits ] || exit 1
packed=0
: >wrong
while read -r commit; do
	rm -rf jail/x/y/target
	slugpack repo.git "$commit" >slug.tzst 2>err
	case $? in
	0)
		packed=$((packed + 1))
		by_tar 2>>wrong || echo "$commit: tar" >>wrong
		mv jail/x/y/target by-tar
		by_slugunpack "$commit" 2>unpack.err ||
			echo "$commit: $(cat unpack.err)" >>wrong
		diff -r --no-dereference by-tar jail/x/y/target >>wrong 2>&1
		rm -rf by-tar
		;;
	1)
		[ ! -s slug.tzst ] || echo "$commit: written" >>wrong
		grep -Eq '^ !    .+: .' err || echo "$commit: no path" >>wrong
		[ "$(wc -l <err)" -eq 1 ] || echo "$commit: lines" >>wrong
		;;
	*) echo "$commit: $?" >>wrong ;;
	esac
	! LC_ALL=C grep -aq '[^ -~]' err || echo "$commit: raw" >>wrong
	around >after
	cmp -s before after || echo "$commit: outside" >>wrong
done <commits
is "$(cat wrong)" '' 'whatever stands in a tree: refused, or unpacked safely'
[ "$packed" -gt 10 ] && [ "$packed" -lt "$(wc -l <commits)" ]
ok $? "some of them are packed ($packed), and some are not"

finish
