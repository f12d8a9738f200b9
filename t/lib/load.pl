#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# load.pl PORT CLIENTS STOP [HOST]: until the file STOP is there, that many
# clients ask for / on 127.0.0.1:PORT, every second one on connections that
# are kept alive. Prints "requests N failed N retried N", and what failed to
# standard error. Retried is what found its kept connection closed, without
# a byte of an answer: HTTP clients ask again then.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $clients, $stop, $host) = @ARGV;
$host ||= 'localhost';
$SIG{PIPE} = 'IGNORE';

# One answer: its status; 0 where not a byte came, undef where it broke off.
sub answer {
	my ($s) = @_;
	my ($status, $length) = (undef, 0);
	while (defined(my $line = <$s>)) {
		$status = $1 if $line =~ m{^HTTP/1\.\d (\d+)};
		$length = $1 if $line =~ /^content-length: (\d+)/i;
		next unless $line =~ /^\r?$/;
		my $got = read($s, my $body, $length);
		return defined $got && $got == $length ? $status : undef;
	}
	return defined $status ? undef : 0;
}

sub client {
	my ($kept) = @_;
	my ($n, $failed, $retried, $s) = (0, 0, 0);
	until (-e $stop) {
		my $fresh = !$s;
		$s ||= IO::Socket::INET->new(
			PeerAddr => '127.0.0.1', PeerPort => $port);
		my $status = 'no connection';
		if ($s) {
			$s->autoflush(1);
			print $s "GET / HTTP/1.1\r\nHost: $host\r\n",
				$kept ? '' : "Connection: close\r\n", "\r\n";
			$status = answer($s);
		}
		undef $s unless $kept && $status && $status eq '200';
		if (!$fresh && defined $status && !$status) {
			$retried++;
			next;
		}
		$n++;
		next if $status && $status eq '200';
		$failed++;
		print STDERR $kept ? 'kept: ' : 'fresh: ',
			$status // 'broken off', "\n";
		select undef, undef, undef, 0.01;
	}
	return ($n, $failed, $retried);
}

my @from;
for my $i (1 .. $clients) {
	pipe my $r, my $w or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		print $w join(' ', client($i % 2)), "\n";
		exit 0;
	}
	close $w;
	push @from, $r;
}
my @sum = (0, 0, 0);
for my $r (@from) {
	my @one = split ' ', <$r> // '0 1 0';
	$sum[$_] += $one[$_] for 0 .. 2;
}
printf "requests %d failed %d retried %d\n", @sum;
