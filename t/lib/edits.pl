#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# edits.pl N SEED: a history of N random edits of a tree, a commit each, for
# git fast-import. The tree has folders of all sizes, files of some 100 KB,
# links, submodules and a .slugignore; names that sort oddly on purpose.
use strict;
use warnings;

my ($edits, $seed) = @ARGV;
srand($seed);

my %tree;      # path => "MODE REF", the files of the commit
my %size;      # of each REF
my @past;      # some earlier trees
my $marks = 0;
my @words = map { join '', map { chr(97 + rand 26) } 1 .. 3 + rand 6 } 1 .. 500;
my @names = (qw(a b a.b a-b a0 ab B _ .x), "\303\274", 'with blank', 'x' x 90);

sub pick { $_[rand @_] }
sub text { join ' ', map { pick(@words) } 1 .. $_[0] }
sub noise { pack 'N*', map { rand 2**32 } 1 .. $_[0] / 4 }

# A blob of that content; returns its REF.
sub blob {
	my ($data) = @_;
	my $ref = ':' . ++$marks;
	$size{$ref} = length $data;
	print "blob\nmark $ref\ndata ", length $data, "\n$data\n";
	return $ref;
}

# The paths that edits choose from: Procfile and .slugignore have their own.
sub files { my @v = grep { !/^(Procfile|\.slugignore)$/ } sort keys %tree; @v }
sub below { my ($dir) = @_; grep { index($_, "$dir/") == 0 } sort keys %tree }

sub folders {
	my %seen;
	for my $path (keys %tree) {
		$seen{$path} = 1 while $path =~ s,/[^/]*$,,;
	}
	return sort keys %seen;
}

# Nothing may stand where a path goes: no file above, no folder in its place.
sub make_way {
	my ($path) = @_;
	delete $tree{$_} for below($path);
	delete $tree{$path} while $path =~ s,/[^/]*$,,;
}

sub put {
	my ($path, $mode, $ref) = @_;
	return if length $path > 600;
	make_way($path);
	$tree{$path} = "$mode $ref";
}

sub fresh_path {
	my @dirs = ('', '', folders());
	my $path = pick(@dirs);
	$path .= '/' . pick(@names) . int rand 30 for 0 .. rand 1.3;
	$path =~ s,^/,,;
	return $path;
}

sub copy_folder {
	my ($from, $to, $moves) = @_;
	return if "$to/" =~ m,^\Q$from\E/,;
	my @v = below($from);
	my %old = map { $_ => $tree{$_} } @v;
	if ($moves) { delete $tree{$_} for @v }
	put($to . substr($_, length $from), split / /, $old{$_}) for @v;
}

# Large folders side by side, which are twins at times.
sub copy_mid {
	my ($from, $to) = @_;
	delete $tree{$_} for below($to);
	copy_folder($from, $to);
}

sub weight { my $n = 0; $n += $size{(split / /)[1]} || 0 for @_; $n }

# Keeps the tree from growing without end.
sub thin_out {
	while (keys %tree > 1300 || weight(values %tree) > 6e6) {
		my $path = pick(files());
		my $dir = $path =~ s,/[^/]*$,,r;
		delete $tree{$_} for $path, rand() < 0.1 ? below($dir) : ();
	}
}

sub ignore_rules {
	my @v = map { my $p = pick(files()); $p =~ s/ .*//; pick($p, "/$p",
		$p =~ s,.*/,,r, $p =~ s,/.*,/,r) } 0 .. rand 3;
	return join "\n", @v, pick('*.b', '# none', 'flat/f1*', "a*/\n**/b0"), '';
}

my @kinds = (
	[ 20, sub { put(pick(files()), 100644, blob(text(1 + rand 300))) } ],
	[ 12, sub { put(fresh_path(), 100644, blob(text(1 + rand 300))) } ],
	[ 8, sub { delete $tree{pick(files())} } ],
	[ 8, sub { my $p = pick(files()); my $is = delete $tree{$p};
		put(fresh_path(), split / /, $is) } ],
	[ 6, sub { copy_folder(pick(folders()), fresh_path(), 1) } ],
	[ 4, sub { my $d = pick(folders()); copy_folder($d, $d . pick(0, 1)) } ],
	[ 3, sub { delete $tree{$_} for below(pick(folders())) } ],
	[ 6, sub { $_[0] = pick(files());
		$tree{$_[0]} =~ s/^(100644|100755)/100644 + 100755 - $1/e } ],
	[ 4, sub { put(fresh_path(), 120000, blob('to/' . pick(@names))) } ],
	[ 3, sub { put(pick(files()), 120000, blob(pick(files()))) } ],
	[ 4, sub { put(pick(folders()), 100755, blob(text(9))) } ],
	[ 4, sub { put(pick(files()) . '/' . pick(@names), 100644,
		blob(text(20))) } ],
	[ 4, sub { put('.slugignore', 100644, blob(ignore_rules())) } ],
	[ 6, sub { delete $tree{'.slugignore'} } ],
	[ 3, sub { put(fresh_path(), 160000, sprintf '%040x', 1 + rand 2**30) } ],
	[ 3, sub { put(fresh_path(), 100644, blob('')) } ],
	[ 4, sub { put(fresh_path(), 100644, blob(noise(60000 + rand 3e5))) } ],
	[ 3, sub { my $p = pick(files());
		put($p . pick(0, 1), split / /, $tree{$p}) } ],
	[ 8, sub { put('flat/f' . int rand 700, 100644, blob(text(rand 99))) } ],
	[ 5, sub { delete $tree{'flat/f' . int rand 700} } ],
	[ 2, sub { put('Procfile', 100644, blob('web: ' . text(2) . "\n")) } ],
	[ 3, sub { %tree = %{ pick(@past) } if @past } ],
	[ 6, sub { my ($from, $to) = ('mid/' . pick(1 .. 4), 'mid/' . pick(1 .. 4));
		copy_mid($from, $to) if $from ne $to } ],
	[ 5, sub { put('mid/' . pick(1 .. 4) . '/f' . int rand 14, 100644,
		blob(text(2000))) } ],
);

sub edit {
	my $sum = 0;
	$sum += $_->[0] for @kinds;
	my $at = rand $sum;
	for my $kind (@kinds) {
		return $kind->[1]->() if ($at -= $kind->[0]) < 0;
	}
}

put("flat/f$_", 100644, blob(text(rand 99))) for 0 .. 499;
for my $i (0 .. 399) {
	put(sprintf('lib/%s/%s/f%d', pick(@names), pick(@names), $i), 100644,
		blob(text(rand 300)));
}
put("large/n$_", 100644, blob(noise(90000 + 40000 * $_))) for 0 .. 4;
for my $i (0 .. 25) {
	put("mid/1/f$i", 100644, blob(text(2000)));
}
copy_mid('mid/1', 'mid/2');
put('Procfile', 100644, blob("web: run\n"));
for my $n (1 .. $edits) {
	edit();
	thin_out();
	put('one', 100644, blob("one\n")) unless files();
	push @past, {%tree} if rand() < 0.02;
	print "commit refs/heads/master\ncommitter A <a> $n +0000\n",
		"data 0\ndeleteall\n";
	for my $path (sort keys %tree) {
		my $quoted = $path =~ s/([\\"])/\\$1/gr;
		print "M $tree{$path} \"$quoted\"\n";
	}
}
