# SPDX-License-Identifier: ISC
# usage: perl until-says.pl PORT REGEXP
# Wait until the page on that port has a line like that, 20 seconds at most.
# Without a module, of which each would be milliseconds in what is measured.
my ($port, $regexp) = @ARGV;
my ($AF_INET, $SOCK_STREAM) = (2, 1);
my $end = time + 20;
until (time > $end) {
	socket(my $s, $AF_INET, $SOCK_STREAM, 0) or die "socket: $!\n";
	if (connect($s, pack('S n C4 x8', $AF_INET, $port, 127, 0, 0, 1))) {
		syswrite($s, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
		my $page = join '', <$s>;
		exit 0 if $page =~ /$regexp/m;
	}
	select(undef, undef, undef, 0.001);
}
exit 1;
