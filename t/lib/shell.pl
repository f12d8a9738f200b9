# SPDX-License-Identifier: ISC
# Runs what is posted to it by sh, and answers with what that says.
use strict;
use warnings;
use IO::Socket::INET;

my $listen = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT},
	Listen => 64, ReuseAddr => 1) or die "port $ENV{PORT}: $!\n";
while (my $c = $listen->accept) {
	my $len = 0;
	while (my $line = <$c>) {
		$len = $1 if $line =~ /^content-length: (\d+)/i;
		last if $line =~ /^\r?$/;
	}
	read $c, my $command, $len;
	my $body = '';
	if ($len) {
		open my $p, '-|', 'sh', '-c', "exec 2>&1\n$command" or die;
		local $/;
		$body = <$p> // '';
		close $p;
	}
	print $c "HTTP/1.0 200 OK\r\nContent-Length: ",
		length $body, "\r\n\r\n$body";
	close $c;
}
