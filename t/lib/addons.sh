# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# For tests of add-ons; to be read after test.sh.

# shellcheck disable=SC2034,SC2154 # what is set here is for the test

# addon METHOD [NAME-AND-MORE [JSON]]: a request about the app's add-ons.
# Sets $code (HTTP) and $body.
addon() {
	[ $# -lt 3 ] || set -- "$1" "$2" -H 'Content-Type: application/json' \
		-d "$3"
	addon_method=$1
	addon_path=/apps/myapp/addons${2:+/$2}
	shift
	[ $# -eq 0 ] || shift
	code=$(api "$addon_method" "$addon_path" -o "$scratch/.body" \
		-w '%{http_code}' "$@")
	body=$(cat "$scratch/.body")
}

# create PLAN, change NAME PLAN, rotate NAME, destroy NAME
create() {
	addon POST '' "{\"plan\": {\"name\": \"$1\"}}"
}

change() {
	addon PATCH "$1" "{\"plan\": {\"name\": \"$2\"}}"
}

rotate() {
	addon POST "$1/actions/rotate"
}

destroy() {
	addon DELETE "$1"
}

# The newest release: "v3 Add-on add memcachier:free"
newest() {
	api GET /apps/myapp/releases -H 'Range: version ..; order=desc, max=1' |
		perl -MJSON::PP -e 'local $/; my $r = decode_json(<STDIN>)->[0];
			print "v$r->{version} $r->{description}"'
}

# var KEY: the value that the app has
var() {
	api GET /apps/myapp/config-vars | perl -MJSON::PP -e 'local $/;
		print decode_json(<STDIN>)->{$ARGV[0]} // "(none)"' "$1"
}

# message: the words of an error
message() {
	printf '%s' "$body" | perl -MJSON::PP -e 'local $/;
		binmode STDOUT, ":utf8"; print decode_json(<STDIN>)->{message}'
}

# The programs of contrib/addons, without slugd: call PROGRAM ACTION ID PLAN
# [CONFIG [DEFAULTS]]. Sets $out, $err and $status.
call() {
	printf '{"action": "%s", "app": {"id": "%s", "name": "myapp"},
		"addon": {"id": "%s", "name": "x", "plan": "%s"},
		"config": %s, "defaults": %s}' "$2" "$3" "$3" "$4" \
		"${5:-"{}"}" "${6:-"{}"}" >"$scratch/.order"
	(
		cd "$SLUGD_ADDON_DIR" || exit 1
		env -i PATH="$PATH" LANG=C.UTF-8 HOME=/ \
			SLUGD_ADDON_DIR="$SLUGD_ADDON_DIR" \
			"$t/../contrib/addons/$1" "$2" <"$scratch/.order"
	) >"$scratch/.out" 2>"$scratch/.err"
	status=$?
	out=$(cat "$scratch/.out")
	err=$(cat "$scratch/.err")
}

# given KEY: of the answer that call() got
given() {
	printf '%s' "$out" | perl -MJSON::PP -e 'local $/;
		print decode_json(<STDIN>)->{config}{$ARGV[0]} // "(none)"' "$1"
}

# tell PORT LINE...: say that to a server at 127.0.0.1:PORT, and print what
# it answers until it is silent for a moment, without the CRs.
tell() {
	perl -MIO::Socket::INET -e '
		my ($port, @lines) = @ARGV;
		my $s = IO::Socket::INET->new("127.0.0.1:$port") or die "$!\n";
		$s->send("$_\r\n") for @lines;
		$s->shutdown(1);
		while (sysread $s, my $text, 4096) { print $text =~ s/\r//gr }
		' -- "$@"
}
