#!/bin/sh
# SPDX-License-Identifier: ISC
# What every resource of the API has of HTTP (RFC 9110): ETag, conditions and
# HEAD.

# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

make_dir
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
git -C work push -q heroku master 2>/dev/null
api POST /apps/myapp/addons -d '{"plan": "memcachier:free"}' >/dev/null

# code METHOD PATH [CURL-OPTION...]: the status; the rest in files.
code() {
	: >body
	api "$@" -o body -D headers -w '%{http_code}'
}

header() {
	tr -d '\r' <headers | sed -n "s/^$1: //Ip"
}

vars=/apps/myapp/config-vars

# --- a GET that need not be answered again ---

for path in / /apps /apps/myapp /apps/myapp/releases $vars \
	/apps/myapp/addons /apps/myapp/addons/memcachier /apps/myapp/builds \
	/apps/myapp/formation /apps/myapp/releases/v2 /addon-services; do
	first=$(code GET "$path")
	etag=$(header ETag)
	like "$etag" '^"[0-9a-f-]{36}"$' "$path has an ETag"
	is "$(code GET "$path" -H "If-None-Match: $etag"):$(wc -c <body)" \
		304:0 'with it, the answer is 304, empty'
	is "$(header ETag)" "$etag" 'which has it, too'
	is "$(code GET "$path" -H 'If-None-Match: "x"')" "$first" \
		'with another it is a whole one'
	get=$(sed '/^Request-Id/d; /^Date/d' headers)
	is "$(code HEAD "$path" --head):$(sed '/^Request-Id/d; /^Date/d' headers)" \
		"$first:$get" 'HEAD answers with the same headers'
done
is "$(code GET $vars -H "If-None-Match: \"x\", W/$etag")" 200 \
	'the ETag of another resource is none'
code GET $vars >/dev/null
etag=$(header ETag)
is "$(code GET $vars -H "If-None-Match: \"x\", W/$etag")" 304 \
	'If-None-Match may be a list'
api PATCH $vars -d '{"A": "1"}' >/dev/null
is "$(code GET $vars -H "If-None-Match: $etag")" 200 \
	'what has changed is sent'
isnt "$(header ETag)" "$etag" 'with another ETag'
is "$(code GET /apps/nothere):$(header ETag)" 404: 'an error has none'
is "$(code HEAD /apps/nothere --head)" 404 'nor has HEAD of it'
is "$(code GET /apps/nothere -H 'If-None-Match: *')" 404 \
	'an error is not 304'

# --- a change only to what was seen ---

code GET $vars >/dev/null
etag=$(header ETag)
n=$(newest version)
is "$(code PATCH $vars -d '{"A": "2"}' -H 'If-Match: "x"')" 412 \
	'PATCH with another If-Match is refused'
like "$(cat body)" '"id": ?"precondition_failed"' 'by its id'
is "$(newest version)" "$n" 'and changes nothing'
is "$(code PATCH $vars -d '{"A": "2"}' -H "If-Match: $etag")" 200 \
	'with the right one it is done'
is "$(newest version)" $((n + 1)) 'and is a release'
is "$(code PATCH $vars -d '{"A": "3"}' -H "If-Match: $etag")" 412 \
	'once: the second is refused'
is "$(code PATCH $vars -d '{"A": "3"}' -H 'If-Match: *')" 200 \
	'with * it needs only be there'
is "$(code PATCH /apps/nothere/config-vars -d '{}' -H 'If-Match: *')" 404 \
	'which an app that is not there is not'
# has_it_too METHOD PATH BODY
has_it_too() {
	n=$(newest version)
	is "$(code "$1" "$2" -d "$3" -H 'If-Match: "x"'):$(newest version)" \
		"412:$n" "$1 $2 has it, too"
}
has_it_too POST /apps/myapp/releases '{"release":"v2"}'
has_it_too POST /apps/myapp/addons '{"plan":"memcachier"}'
has_it_too DELETE /apps/myapp/addons/memcachier '{}'
code GET /apps/myapp/addons/memcachier >/dev/null
is "$(code DELETE /apps/myapp/addons/memcachier \
	-H "If-Match: $(header ETag)")" 200 'DELETE of what was seen is done'

# Of writers at once that have seen the same, one writes.
code GET $vars >/dev/null
etag=$(header ETag)
pids=
for i in 1 2 3 4 5 6 7 8; do
	api PATCH $vars -d "{\"RACE\": \"$i\"}" -H "If-Match: $etag" \
		-o /dev/null -w '%{http_code}' >"race.$i" &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # words
wait $pids
is "$(cat race.[1-8] | sed 's/412//g')" 200 'of eight at once, one is done'

finish
