#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# trees.pl list TREE: what is in it, with times and inodes; not what a hard
# link to a file changes.
# trees.pl compare NEW FULL BASE TIME: NEW has all that FULL has, and no more,
# with the same bytes and modes. What is so in BASE, too, is the same inode in
# both; files and links that are not are new, and of TIME. Prints what is
# wrong; with BASE "-", there is none.
use strict;
use warnings;
use Digest::SHA;

sub content {
	my ($path) = @_;
	return readlink $path if -l $path;
	return '' if -d $path;
	return Digest::SHA->new(256)->addfile($path, 'b')->hexdigest;
}

# path => [mode, inode, time, content]
sub tree {
	my ($root) = @_;
	my (%tree, @todo);
	@todo = ('');
	while (defined(my $dir = pop @todo)) {
		opendir(my $d, "$root/$dir") or die "$root/$dir: $!\n";
		for my $name (grep { !/^\.\.?$/ } readdir $d) {
			my $path = $dir eq '' ? $name : "$dir/$name";
			my @st = lstat "$root/$path" or die "$path: $!\n";
			$tree{$path} = [ $st[2], $st[1], $st[9],
				content("$root/$path") ];
			push @todo, $path if -d _ && !-l "$root/$path";
		}
	}
	return \%tree;
}

my ($what, @args) = @ARGV;
if ($what eq 'list') {
	my $tree = tree($args[0]);
	for my $path (sort keys %$tree) {
		my ($mode, $inode, $time, $content) = @{ $tree->{$path} };
		# A folder's own time is when something was made in it.
		$time = 0 if ($mode & 0170000) == 0040000;
		printf "%s %o %d %d %s\n", $path, $mode, $inode, $time,
			$content;
	}
	exit;
}
my ($new, $full) = (tree($args[0]), tree($args[1]));
my $base = $args[2] eq '-' ? {} : tree($args[2]);
my $time = $args[3];
for my $path (sort keys %{ { %$new, %$full } }) {
	my ($n, $f, $b) = ($new->{$path}, $full->{$path}, $base->{$path});
	if (!$n || !$f) {
		print "$path: ", $n ? "too many\n" : "missing\n";
		next;
	}
	print "$path: another mode\n" if $n->[0] != $f->[0];
	print "$path: other bytes\n" if $n->[3] ne $f->[3];
	next if ($f->[0] & 0170000) == 0040000;
	my $kept = $b && $b->[0] == $f->[0] && $b->[3] eq $f->[3];
	print "$path: is not the base's\n" if $kept && $n->[1] != $b->[1];
	print "$path: is the base's\n" if !$kept && $b && $n->[1] == $b->[1];
	print "$path: has another time\n" if !$kept && $n->[2] != $time;
}
