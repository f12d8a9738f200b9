# SPDX-License-Identifier: ISC
# What the providers of add-ons in this folder share; see slugd-addons(5).
# Core modules of Perl alone, and no shell.
package Provider;

use strict;
use warnings;

use Fcntl qw(:flock);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(setsid WNOHANG);

my $json = JSON::PP->new->utf8->canonical;

# Say what is wrong, and end. slugd shows the last line.
sub fail {
	print STDERR "@_\n";
	exit 1;
}

# main(create => \&create, ...): read the order, call the action's function
# with it, and answer with the config that it returns.
sub main {
	my %actions = @_;
	my ($action) = @ARGV;

	umask 077;
	$SIG{PIPE} = 'IGNORE';
	local $SIG{__DIE__} = sub { print STDERR "@_"; exit 1 };
	fail("usage: $0 create|change|rotate|resume|destroy <ORDER")
		unless @ARGV == 1;
	my $do = $actions{$action} or fail("unknown action: $action");
	my $dir = $ENV{SLUGD_ADDON_DIR} or fail("SLUGD_ADDON_DIR is not set");
	my $order = eval {
		local $SIG{__DIE__};
		local $/;
		$json->decode(scalar <STDIN>);
	} or fail("the order is no JSON");
	fail("the order is of another action") if $order->{action} ne $action;
	# It becomes a folder's name, and a database's.
	fail("the add-on's id is no uuid") unless
		$order->{addon}{id} =~ /\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/;
	$order->{dir} = $dir;
	$order->{folder} = "$dir/$order->{addon}{id}";
	my $config = $do->($order);
	print $json->encode({ config => $config || {} }), "\n";
	close STDOUT or fail("cannot answer: $!");
	exit 0;
}

# The number in the plan's name (memcachier:100, redis:mini-25), or that of
# config.KEY in slugd.ini, or the last argument.
sub plan_number {
	my ($order, $key, $else) = @_;
	my ($plan) = $order->{addon}{plan} =~ /:(.*)/s;
	my $n = $plan =~ /(\d+)/ ? $1 : $order->{defaults}{$key} // $else;

	fail("config.$key in slugd.ini: '$n' is not a number from 1 to 999999")
		unless $n =~ /\A[1-9]\d{0,5}\z/;
	return $n;
}

# A password: 128 bits, as hexadecimal digits.
sub secret {
	open my $f, '<:raw', '/dev/urandom' or fail("/dev/urandom: $!");
	read($f, my $bytes, 16) == 16 or fail("/dev/urandom: $!");
	return unpack 'H*', $bytes;
}

# A file's text without its last newline; undef where there is none.
sub read_file {
	my ($path) = @_;

	open my $f, '<', $path or return undef;
	local $/;
	my $text = <$f> // '';
	$text =~ s/\n\z//;
	return $text;
}

# A file that is there as a whole, or not at all.
sub write_file {
	my ($path, $text) = @_;

	open my $f, '>', "$path.new" or fail("$path.new: $!");
	print $f "$text\n" or fail("$path.new: $!");
	close $f or fail("$path.new: $!");
	rename "$path.new", $path or fail("$path: $!");
}

sub port_is_free {
	my ($port) = @_;

	return IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port, Listen => 1, ReuseAddr => 1) ? 1 : 0;
}

# The add-on's port, on 127.0.0.1, which it keeps: the first of config.PORTS
# in slugd.ini (first-last) that no other add-on has, and nobody else.
sub port {
	my ($order, $range) = @_;
	my $mine = "$order->{folder}/port";
	my $port = read_file($mine);

	return $port if $port;
	$range = $order->{defaults}{PORTS} // $range;
	my ($first, $last) = $range =~ /\A(\d{1,5})-(\d{1,5})\z/ or
		fail("config.PORTS in slugd.ini: '$range' is not FIRST-LAST");
	make_path($order->{folder});
	open my $lock, '>', "$order->{dir}/lock" or
		fail("$order->{dir}/lock: $!");
	flock $lock, LOCK_EX or fail("$order->{dir}/lock: $!");
	my %taken = map { (read_file($_) // '') => 1 }
		glob "\Q$order->{dir}\E/*/port";
	for $port ($first .. $last) {
		next if $taken{$port} || !port_is_free($port);
		write_file($mine, $port);
		return $port;
	}
	fail("no port of $range is free");
}

# When process $pid started, in ticks since boot; undef where it is gone.
sub started {
	my ($pid) = @_;
	my $stat = read_file("/proc/$pid/stat") // return undef;

	# After the name, which may have anything in it: field 3, the state.
	my @fields = split ' ', $stat =~ s/.*\)//sr;
	return $fields[0] eq 'Z' ? undef : $fields[19];
}

# The pid of the add-on's server, by its file "pid", or 0.
sub running {
	my ($order) = @_;
	my ($pid, $start) = split ' ', read_file("$order->{folder}/pid") // '';

	return 0 unless $start && $start eq (started($pid) // '');
	return $pid;
}

# Try until $what->() is true, for some seconds.
sub within {
	my ($seconds, $what) = @_;

	for (1 .. $seconds * 50) {
		return 1 if $what->();
		select undef, undef, undef, 0.02;
	}
	return 0;
}

# Start the add-on's server, in a session of its own and in the add-on's
# folder, and wait until $answers->() is true. It writes "log" there.
sub start {
	my ($order, $answers, @command) = @_;
	my $folder = $order->{folder};
	my $pid = fork // fail("fork: $!");

	if (!$pid) {
		# Its pid is on record before there is a server.
		setsid();
		chdir $folder or fail("$folder: $!");
		write_file('pid', "$$ " . started($$));
		open STDIN, '<', '/dev/null' or fail("/dev/null: $!");
		open STDOUT, '>', 'log' or fail("$folder/log: $!");
		open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
		$SIG{PIPE} = 'DEFAULT';
		{ no warnings; exec { $command[0] } @command; }
		print "cannot run $command[0]: $!\n";
		STDOUT->flush;
		POSIX::_exit(127);
	}
	my $ended = 0;
	within(20, sub {
		$ended = waitpid($pid, WNOHANG) == $pid;
		return $ended || $answers->();
	});
	return unless $ended || !running($order) || !$answers->();
	my $log = read_file("$folder/log") // '';
	stop($order);
	fail("$command[0] does not come up: " .
		(($log =~ /([^\n]+)\n*\z/)[0] // 'it says nothing'));
}

# End the add-on's server, and wait for that.
sub stop {
	my ($order) = @_;

	for my $signal ('TERM', 'KILL') {
		my $pid = running($order) or last;
		kill $signal, $pid;
		within(10, sub {
			waitpid $pid, WNOHANG;	# where it is a child of ours
			return !running($order);
		});
	}
	fail("its server does not end") if running($order);
	unlink "$order->{folder}/pid";
}

# End the server, and remove all that the add-on has.
sub remove {
	my ($order) = @_;

	stop($order);
	remove_tree($order->{folder}, { safe => 1, error => \my $errors });
	fail("$order->{folder}: cannot be removed") if -e $order->{folder};
	return {};
}

# Say something to the server at $port, and return what it answers first.
sub ask {
	my ($port, $text) = @_;
	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port, Timeout => 2) or return '';

	$s->send($text);
	my $ready = '';
	vec($ready, $s->fileno, 1) = 1;
	select($ready, undef, undef, 2) or return '';
	$s->recv(my $answer, 4096);
	return $answer // '';
}

1;
