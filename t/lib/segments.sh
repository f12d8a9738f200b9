# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Stores of slugs, looked at from outside: what common/manifest.h promises.

# uuid N: a slug's name.
uuid() {
	printf '00000000-0000-4000-8000-%012d\n' "$1"
}

# pages_of STORE UUID, segments_of STORE UUID: their names, in order.
pages_of() {
	sed -n 's/^page //p' "$1/slugs/$2"
}

segments_of() {
	pages_of "$1" "$2" | sed "s,.*,$1/segments/&.page," | xargs -r cat |
		cut -d ' ' -f 1
}

# cat_slug STORE UUID: the .tar.zst or .tar.gz.
cat_slug() {
	segments_of "$1" "$2" | sed "s,^,$1/segments/," |
		xargs -r tail -q -c +129
}

# unsound STORE: the name of every segment and page that is not what its
# digest says.
unsound() {
	perl -MDigest::SHA=sha256_hex -e '
		for my $path (glob "$ARGV[0]/segments/*") {
			next if $path =~ /\.tmp$/;
			open(my $f, "<:raw", $path) or die "$path: $!";
			local $/;
			my $text = <$f> // "";
			my ($name) = $path =~ m,([^/]*)$,;
			my $size = length($text) - 128;
			my $digest = $size > 0
				? sha256_hex(substr($text, 128)) : "none";
			print "$name\n" unless $name =~ /^(\w{64})\.page$/
				? sha256_hex($text) eq $1
				: $text =~ /^slug\ segment\ 1\ $digest
					\ $size\ \d+\ +\n/x
		}' "$1"
}

# stored: bytes that are new in the store, by the report in the file report.
stored() {
	sed -n 's/.*"stored": *\([0-9]*\).*/\1/p' report
}
