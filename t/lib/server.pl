# SPDX-License-Identifier: ISC
# The smallest web app: answers with its release, PAGE and index.html.
use strict;
use warnings;
use IO::Socket::INET;

my $listen = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT},
	Listen => 64, ReuseAddr => 1) or die "port $ENV{PORT}: $!\n";
$| = 1;
print "listening\n";
open my $fh, '<', 'index.html' or die "index.html: $!\n";
my $page = do { local $/; <$fh> };
my $config = join ' ', map { "$_=$ENV{$_}" }
	grep { /^(MYVAR|MEMCACHIER_|HEROKU_|DYNO)/ } sort keys %ENV;
while (my $c = $listen->accept) {
	while (my $line = <$c>) { last if $line =~ /^\r?$/ }
	my $body = "$page$config\n";
	print $c "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n",
		'Content-Length: ', length $body, "\r\n\r\n$body";
	close $c;
}
