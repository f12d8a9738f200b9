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
