# SPDX-License-Identifier: ISC
# flood.pl PORT COUNT KIND HOST FILE [SOURCE]: hold as many connections to
# 127.0.0.1:PORT that are no use to anybody, from the address SOURCE, and make
# FILE when all are there. KIND is what they do: "silent" nothing at all,
# "head" begins a request, "body" does not end it, "unread" reads no answer,
# "idle" waits after one.
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(pack_sockaddr_in inet_aton SOL_SOCKET SO_RCVBUF);

my ($port, $count, $kind, $host, $file, $source) = @ARGV;
$SIG{PIPE} = 'IGNORE';
my $get = "GET /large HTTP/1.1\r\nHost: $host\r\n";
my %text = (
	silent => '',
	head => $get,
	body => "POST / HTTP/1.1\r\nHost: $host\r\nContent-Length: 9999\r\n\r\nx",
	unread => "$get\r\n",
	idle => "GET / HTTP/1.1\r\nHost: $host\r\n\r\n",
);
my @held;
for (1 .. $count) {
	my $s = IO::Socket::INET->new(Proto => 'tcp',
		LocalAddr => $source // '127.0.0.1') or die "socket: $!\n";
	setsockopt $s, SOL_SOCKET, SO_RCVBUF, 4096 if $kind eq 'unread';
	$s->blocking(0);
	connect $s, pack_sockaddr_in($port, inet_aton('127.0.0.1'));
	push @held, $s;
	# Many at once are more than the kernel queues.
	select undef, undef, undef, 0.01 unless $_ % 50;
}
my $left = $text{$kind};
for my $s (@held) {
	syswrite $s, $left if length $left;
}
open my $f, '>', $file or die "$file: $!\n";
close $f;
sleep 600;
