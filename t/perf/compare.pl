#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# compare.pl NAME BAR ROUNDS COMMAND... -- COMMAND...: two whole processes,
# ours first, in turn, ROUNDS times; the ratio of their medians as one line of
# t/perf; exit 1 above the bar. In a word of a command {} is the round's
# number, and {a|b} is a in the even rounds and b in the odd ones.
use strict;
use warnings;
use Time::HiRes 'time';

my ($name, $bar, $rounds, @words) = @ARGV;
my @commands = ([]);
for (@words) {
	if ($_ eq '--') {
		push @commands, [];
	} else {
		push @{$commands[-1]}, $_;
	}
}
my @times = ([], []);

sub once {
	my ($which, $round) = @_;
	my @command = map {
		s/\{\}/$round/gr =~ s/\{(.*?)\|(.*?)\}/$round % 2 ? $2 : $1/ger
	} @{$commands[$which]};
	my $start = time;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', '/dev/null' or exit 126;
		exec @command or exit 127;
	}
	waitpid $pid, 0;
	die "@command failed\n" if $?;
	return time - $start;
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[@sorted / 2];
}

once($_, 0) for 0, 1;
for my $round (1 .. $rounds) {
	push @{$times[$_]}, once($_, $round) for $round % 2 ? (0, 1) : (1, 0);
}
my ($ours, $theirs) = map { 1000 * median(@$_) } @times;
my $ratio = $ours / $theirs;
printf "%s  ratio %.2f  bar %.2f  %s  (%s %.2f ms, %s %.2f ms, %d rounds)\n",
	$name, $ratio, $bar, $ratio <= $bar ? 'ok' : 'OVER',
	"@{$commands[0]}", $ours, "@{$commands[1]}", $theirs, $rounds;
exit($ratio > $bar);
