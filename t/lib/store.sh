# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# A slug store (common/manifest.h) as slugpack writes it: by hand, for slugs
# that slugpack would not make, and looked at from outside.

sum() {
	sha256sum | cut -d ' ' -f 1
}

# unpacked FILE: its content, by its suffix.
unpacked() {
	case $1 in
	*.gz) gzip -qdc "$1" ;;
	*) zstd -qdc "$1" ;;
	esac 2>/dev/null
}

# put_segment STORE FILE: FILE, a frame or member, as a segment; prints its
# line of a page. $raw says how long it is unpacked where that is not so.
put_segment() {
	put_sum=$(sum <"$2")
	put_raw=${raw:-$(unpacked "$2" | wc -c)}
	{
		printf '%-127s\n' \
			"slug segment 1 $put_sum $(wc -c <"$2") $put_raw"
		cat "$2"
	} >"$1/segments/$put_sum"
	echo "$put_sum $put_sum $(wc -c <"$2") $put_raw"
}

# put_manifest STORE UUID FORMAT: page and root of the lines of standard
# input.
put_manifest() {
	cat >"$1/page"
	put_page=$(sum <"$1/page")
	cp "$1/page" "$1/segments/$put_page.page"
	{
		printf 'slug 1\nformat %s\nsegments %d\n' "$3" \
			"$(wc -l <"$1/page")"
		awk '{ size += $3; raw += $4 }
			END { printf "size %d\nraw %d\n", size, raw }' "$1/page"
		printf 'page %s\n' "$put_page"
	} >"$1/root"
	put_sum=$(sum <"$1/root")
	echo "digest $put_sum" | cat "$1/root" - >"$1/slugs/$2"
	rm "$1/page" "$1/root"
}

# put_slug STORE UUID FILE...: a slug of these frames (.zst) or members
# (.gz), a segment each; $raw is of the first one.
put_slug() {
	put_store=$1
	put_uuid=$2
	shift 2
	mkdir -p "$put_store/segments" "$put_store/slugs"
	case ${1-} in
	*.gz) put_format=gzip ;;
	*) put_format=zstd ;;
	esac
	for put_file; do
		put_segment "$put_store" "$put_file"
		raw=
	done | put_manifest "$put_store" "$put_uuid" $put_format
}

# lines_of STORE UUID: what the pages of its manifest say.
lines_of() {
	sed -n "s,^page \\(.*\\),$1/segments/\\1.page,p" "$1/slugs/$2" |
		xargs cat
}

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

# flip FILE AT: one bit of the byte.
flip() {
	perl -e '
		open my $f, "+<", $ARGV[0] or die;
		seek $f, $ARGV[1], 0;
		read $f, my $c, 1;
		seek $f, $ARGV[1], 0;
		print $f chr(ord($c) ^ 1);
	' "$1" "$2"
}
