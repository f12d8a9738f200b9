# SPDX-License-Identifier: ISC
# A small web app, with nothing but Perl's core modules. It shows which
# release answers, and what that release's config is.
use strict;
use warnings;
use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(strftime WNOHANG);

my $root = dirname(__FILE__);
my $port = $ENV{PORT} || 5000;
my $stopped = 0;

$| = 1;
$SIG{TERM} = $SIG{INT} = sub { $stopped = 1 };
$SIG{PIPE} = 'IGNORE';

my %routes = (
	'/' => \&home,
	'/healthz' => sub { (200, 'text/plain', "ok\n") },
	'/style.css' => \&style,
);

my $listen = IO::Socket::INET->new(
	LocalAddr => '127.0.0.1', LocalPort => $port,
	Listen => 128, ReuseAddr => 1) or die "port $port: $!\n";
print "listening on port $port\n";

my $ready = IO::Select->new($listen);
until ($stopped) {
	1 while waitpid(-1, WNOHANG) > 0;
	next unless $ready->can_read(1);
	my $client = $listen->accept or next;
	# A child each: a browser that dawdles keeps nobody else waiting.
	my $pid = fork;
	next if $pid;
	alarm 30 if defined $pid;
	$SIG{TERM} = $SIG{INT} = 'IGNORE' if defined $pid;
	answer($client);
	exit 0 if defined $pid;
}
close $listen;
1 while wait > 0;
print "stopped\n";

sub escape {
	my ($s) = @_;
	my %name = ('&' => 'amp', '<' => 'lt', '>' => 'gt', '"' => 'quot');
	$s =~ s/([&<>"])/&$name{$1};/g;
	return $s;
}

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', "$root/$path" or die "$path: $!\n";
	local $/;
	return <$fh>;
}

sub home {
	my $page = slurp('page.html');
	my $commit = $ENV{HEROKU_SLUG_COMMIT} // '';
	my $cache = $ENV{MEMCACHIER_SERVERS} ? 'is set' : 'is not set';
	my %value = (
		app => $ENV{HEROKU_APP_NAME} // 'hello',
		release => $ENV{HEROKU_RELEASE_VERSION} // 'no release',
		commit => $commit ? substr($commit, 0, 7) : 'none',
		greeting => $ENV{GREETING} // 'Hello!',
		cache => $cache,
		dyno => $ENV{DYNO} // 'no dyno',
	);
	$page =~ s/\{\{(\w+)\}\}/escape($value{$1})/ge;
	return (200, 'text/html; charset=utf-8', $page);
}

sub style {
	return (200, 'text/css; charset=utf-8', slurp('public/style.css'));
}

sub answer {
	my ($client) = @_;
	my $request = <$client> // return;
	my ($method, $path) = $request =~ m{^([A-Z]+) ([^ ?]*)\S* HTTP/1};
	while (my $line = <$client>) { last if $line =~ /^\r?$/ }
	my ($status, $type, $body) = (400, 'text/plain', "bad request\n");
	if ($method) {
		my $route = $routes{$path};
		($status, $type, $body) = (404, 'text/plain', "not found\n");
		($status, $type, $body) = $route->() if $route;
	}
	my %words = (200 => 'OK', 400 => 'Bad Request', 404 => 'Not Found');
	print $client "HTTP/1.1 $status $words{$status}\r\n",
		"Content-Type: $type\r\n", "Connection: close\r\n",
		'Content-Length: ', length $body, "\r\n\r\n",
		($method // '') eq 'HEAD' ? '' : $body;
	close $client;
	$request =~ s/[^\x20-\x7e]//g;
	print strftime('%H:%M:%S', gmtime), " $request $status\n";
}
