#!/bin/sh
# SPDX-License-Identifier: ISC
# The API, as curl sees it: shapes, ranges, errors, streams, and clients
# that misbehave or come in numbers.

# shellcheck disable=SC2016 # the dollars are Perl's
# shellcheck disable=SC2317 # within calls the functions
# shellcheck disable=SC2119 # they take more, where it is given

. "$(dirname "$0")/lib/test.sh"

# A slugpack that waits for the file "go".
touch go
mkdir exec
for helper in "$SLUGD_EXEC_PATH"/*; do
	ln -s "$helper" exec/
done
rm exec/slugpack
cat >exec/slugpack <<EOF
#!/bin/sh
while [ ! -e '$scratch/go' ]; do sleep 0.02; done
exec '$SLUGD_EXEC_PATH/slugpack' "\$@"
EOF
chmod +x exec/slugpack

make_dir
SLUGD_EXEC_PATH=$scratch/exec start_slugd || exit 1
make_app

# json EXPRESSION: of the answer in $out, as $v, in Perl.
json() {
	printf '%s' "$out" | perl -MJSON::PP -e '
		local $/;
		$v = JSON::PP->new->allow_nonref->decode(<STDIN>);
		@r = eval shift;
		die $@ if $@;
		print join(" ", map { $_ // "null" } @r), "\n"' "$1"
}

# call METHOD PATH [CURL-ARG...]: sets $out, $code and $head.
call() {
	run api "$@" -D head.txt -w '%{http_code}'
	code=${out##*
}
	out=${out%
*}
	head=$(tr -d '\r' <head.txt)
}

# header NAME: its value in the last answer.
header() {
	printf '%s\n' "$head" | sed -n "s/^$1: //p"
}

# --- shapes: the fields of the Platform API's schema ---

# has WHAT PATH FIELD...: of the answer, or of each in its list.
has() {
	what=$1
	call GET "$2"
	shift 2
	is "$code" 200 "$what: answers"
	is "$(fields="$*" json '
		my @all = ref $v eq "ARRAY" ? @$v : ($v);
		my %gone;
		for my $o (@all) {
			exists $o->{$_} or $gone{$_} = 1
				for split " ", $ENV{fields};
		}
		(@all ? () : "(empty)"), sort keys %gone')" '' \
		"$what has the fields of the schema"
}

git -C work push -q heroku master 2>push.err
is "$?" 0 'a push'
call PATCH /apps/myapp/config-vars -d '{"MYVAR": "42"}'
is "$code $out" '200 {"MYVAR":"42"}' 'config vars are one object of strings'
is "$(header Slugd-Release)" 3 'Slugd-Release names the release it made'
call PATCH /apps/myapp/config-vars -d '{"MYVAR": "42"}'
is "$code $(header Slugd-Release)" '200 ' 'and is not there where none was'
call POST /apps/myapp/addons -d '{"plan": "memcachier"}'
is "$code $(header Slugd-Release)" '201 4' 'an add-on is created'
is "$(json '$v->{plan}{name}, $v->{config_vars}[0]')" \
	'memcachier:free MEMCACHIER_SERVERS' 'with its plan and its keys'

app='acm archived_at build_stack buildpack_provided_description created_at generation
git_url id internal_routing maintenance name organization owner region
released_at repo_size slug_size space stack team updated_at web_url'
release='addon_plan_names app artifacts created_at current description
eligible_for_rollback id output_stream_url slug status updated_at user
version'
build='app buildpacks created_at generation id output_stream_url release slug
source_blob stack status updated_at user'
slug='blob buildpack_provided_description checksum commit
commit_description created_at id process_types size stack updated_at'
addon='actions addon_service app billed_price billing_entity config_vars
created_at id name plan provider_id state updated_at web_url'
service='cli_plugin_name human_name id name state
supports_multiple_installations supports_sharing'
plan='addon_service default human_name id name price'
formation='app command created_at dyno_size id quantity size type updated_at'
# shellcheck disable=SC2086 # words
{
	has apps /apps $app
	has app /apps/myapp $app
	id=$(json '$v->{id}')
	has 'app by id' "/apps/$id" $app
	has releases /apps/myapp/releases $release
	has release /apps/myapp/releases/v3 $release
	has builds /apps/myapp/builds $build
	build_id=$(json '$v->[0]{id}')
	stream=$(json '$v->[0]{output_stream_url}')
	slug_id=$(json '$v->[0]{slug}{id}')
	has build "/apps/myapp/builds/$build_id" $build
	has slug "/apps/myapp/slugs/$slug_id" $slug
	has add-ons /apps/myapp/addons $addon
	has add-on /apps/myapp/addons/memcachier $addon
	has services /addon-services $service
	has service /addon-services/memcachier $service
	has plans /addon-services/memcachier/plans $plan
	has formation /apps/myapp/formation $formation
}

call GET /apps/myapp
like "$(json '$v->{generation}{id}, $v->{generation}{name}')" ' slugd$' \
	'a generation of an app is an object'
call GET "/apps/myapp/builds/$build_id"
is "$(json '@$v{"stack", "generation"}')" 'debian-12 slugd' \
	'of a build it is a name, as the stack is'
call GET /apps/myapp/formation/web
is "$(json '@$v{"size"}, $v->{dyno_size}{name}')" '1X 1X' \
	'a size has its name in two places'

uuid='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
time='2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z'
call GET /apps/myapp/releases/v2
like "$(json '@$v{"id", "created_at"}')" "^$uuid $time\$" \
	'an id is a UUID, a time is ISO 8601 in UTC'
like "$(header Request-Id)" "^$uuid\$" 'each answer has a Request-Id'
commit=$(git -C work rev-parse HEAD)
is "$(json '@$v{"version", "status", "description", "commit"}')" \
	"2 succeeded Deploy $(echo "$commit" | cut -c 1-7) $commit" \
	'a release says what it deployed'
id=$(json '$v->{id}')
call GET "/apps/myapp/releases/$id"
is "$(json '$v->{version}')" 2 'a release is found by its id'
call GET /apps/myapp/releases/2
is "$(json '$v->{version}')" 2 'by its number'
call GET /apps/myapp/releases/current
is "$(json '$v->{version}, $v->{current}')" '4 1' 'and as "current"'
call GET /apps/myapp/releases/v4/config-vars
is "$out" '{"MEMCACHIER_SERVERS":"127.0.0.1:11211","MYVAR":"42"}' \
	'a release has its config vars, the add-ons'"'"' among them'
call GET /apps/myapp/releases/v2/config-vars
is "$out" '{}' 'and keeps those it had'
call GET /apps/myapp/formation
is "$(json 'map { "$_->{type}=$_->{quantity}" } @$v')" web=1 \
	'the formation has a web process'
# In the second of the push it is no other time.
moved() {
	wanted=$((${wanted:-0} + 1))
	call PATCH /apps/myapp/formation/web -d "{\"quantity\": $wanted}"
	[ "$(json '$v->{created_at} lt $v->{updated_at} ? 1 : 0')" = 1 ]
}
within 1 moved
ok $? 'scaling is an update of it'
call GET /apps/myapp/releases
is "$(json 'map { $_->{eligible_for_rollback} ? $_->{version} : () } @$v')" \
	4 'eligible_for_rollback: those with a slug and today'"'"'s add-ons'

# --- who ---

call GET /apps/myapp/releases/current
is "$(json '$v->{user}{email}')" "$(id -un)" \
	'the user is the name of the account that connected'
run api POST /session -d '{"user": "ada@example.com"}' --next -sS \
	--unix-socket "$dir/slugd.sock" -X PATCH \
	http://slugd/apps/myapp/config-vars -d '{"MYVAR": "43"}'
call GET /apps/myapp/releases/v5
is "$(json '$v->{user}{email}')" ada@example.com \
	'or whom the service account spoke for, on that connection'
run api GET / --next -sS --unix-socket "$dir/slugd.sock" -w '%{http_code}' \
	http://slugd/session -d '{"user": "eve"}'
like "$out" '"bad_request".*a session begins with the connection' \
	'a session is the first thing on a connection'
call POST /session -d '{"user": "a\u001bb"}'
is "$code" 422 'a user has no control characters'
call POST /session -d '{}'
is "$code" 422 'and a name'
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$scratch" "$dir" && chmod 666 "$dir/slugd.sock"
	as='setpriv --reuid=65534 --regid=65534 --clear-groups curl -sS'
	out=$($as --unix-socket "$dir/slugd.sock" http://slugd/session \
		-d '{"user": "root"}')
	is "$(json '$v->{id}')" forbidden 'another account speaks for itself'
	out=$($as --unix-socket "$dir/slugd.sock" http://slugd/pushes \
		-d '{"repository": "/", "refs": []}')
	is "$(json '$v->{id}')" forbidden 'and has no pushes'
	is "$($as --unix-socket "$dir/slugd.sock" http://slugd/pushes \
		-m 20 -o /dev/null -w '%{http_code}' -X POST \
		-H 'Content-Length: 60000000' -H 'Expect:')" 403 \
		'which it is told before its body is read'
	out=$(setpriv --reuid=70001 --regid=70001 --clear-groups \
		curl -sS --unix-socket "$dir/slugd.sock" http://slugd/apps)
	is "$(json '$v->{message}')" 'an app has no access here' \
		'a uid of [launch] uids is an app'
else
	skip 4 'needs root'
fi

# --- ranges ---

n=6
while [ $n -le 25 ]; do
	api PATCH /apps/myapp/config-vars -d "{\"N\": \"$n\"}" >/dev/null
	n=$((n + 1))
done
versions='map { $_->{version} } @$v'
range() {
	call GET /apps/myapp/releases -H "Range: $1"
}
range 'version 3..5'
is "$code $(json "$versions")" '200 3 4 5' 'a Range of versions'
is "$(header Content-Range)" 'version 3..5' 'Content-Range says which came'
is "$(header Accept-Ranges)" version 'Accept-Ranges says by what'
range 'version v3..v5'
is "$(json "$versions")" '3 4 5' 'also in the form v3'
range 'version ]3..5'
is "$(json "$versions")" '4 5' '] leaves the start out'
range 'version ..; order=desc, max=3'
is "$code $(json "$versions")" '206 25 24 23' 'order and max'
is "$(header Next-Range)" 'version ]23..; max=3, order=desc' \
	'Next-Range says where to go on'
range 'version ]3..; order=desc'
is "$(json "$versions")" '2 1' 'with order=desc the start is the upper end'
range 'version ]1..; order=desc'
is "$code $(json "$versions")" '200 ' 'below v1 is nothing'
range 'version 26..'
is "$code $out" '200 []' 'nor is above the newest'
range 'version ]9223372036854775807..'
is "$code $out" '200 []' 'however far above'
for order in asc desc; do
	next="version ..; max=10, order=$order"
	all=
	codes=
	while [ -n "$next" ]; do
		range "$next"
		all="$all $(json "$versions")"
		codes="$codes $code"
		next=$(header Next-Range)
	done
	is "$codes" ' 206 206 200' "$order: three pages"
	# shellcheck disable=SC2086 # words
	is "$(printf '%s\n' $all | sort -n | uniq | tr '\n' ' ')" \
		"$(seq 25 | tr '\n' ' ')" 'have all the releases'
	# shellcheck disable=SC2086 # words
	is "$(printf '%s\n' $all | wc -l)" 25 'once each'
done
for bad in bananas version 'version 3' 'version 3-5' 'v 1..2' 'version x..' \
	'version 1..2x' 'versions 1..2' 'version 1..; max=0' \
	'version 1..; max=1001' 'version 1..; max=x' 'version 1..; max=5x' \
	'version 1..; order=up' 'version 1..; what=ever'; do
	range "$bad"
	is "$code $(json '$v->{id}')" \
		'416 requested_range_not_satisfiable' "Range: $bad"
done

# --- errors ---

# fails STATUS ID METHOD PATH [CURL-ARG...]
fails() {
	want="$1 $2"
	shift 2
	call "$@"
	is "$code $(json '$v->{id}, join "+", sort keys %$v')" \
		"$want id+message" "$1 $2 ${4-}: $want"
}

fails 404 not_found GET /nope
fails 404 not_found GET /apps/myapp/config-vars/
fails 404 not_found PUT /apps/myapp
fails 404 not_found GET /apps/nope
fails 404 not_found GET /apps/nope/releases
fails 404 not_found PATCH /apps/nope/config-vars -d '{}'
fails 404 not_found GET /apps/myapp/releases/v999
fails 404 not_found GET /apps/myapp/releases/v0
fails 404 not_found GET /apps/myapp/addons/nope
fails 404 not_found DELETE /apps/myapp/addons/nope
fails 404 not_found GET /apps/myapp/builds/nope
fails 404 not_found GET /apps/myapp/slugs/nope
fails 404 not_found GET /addon-services/nope
fails 404 not_found GET /addon-services/nope/plans
fails 404 not_found GET /streams/nope
fails 404 not_found GET '/streams/..%2F..%2Fslugd.ini' --path-as-is
fails 404 not_found GET /pushes/nope
fails 404 not_found POST /apps/myapp/addons -d '{"plan": "nope"}'
fails 404 not_found POST /apps/myapp/addons -d '{"plan": "memcachier:x"}'
fails 404 not_found POST /apps/myapp/releases -d '{"release": "v999"}'
fails 409 conflict POST /apps/myapp/addons -d '{"plan": "memcachier"}'
git init -q --bare fresh.git
fails 409 conflict POST /apps \
	-d "{\"name\": \"myapp\", \"repository\": \"$PWD/fresh.git\"}"
fails 422 invalid_params POST /apps -d '{"name": "other"}'
fails 422 invalid_params POST /apps/myapp/addons -d '{}'
fails 422 invalid_params POST /apps/myapp/releases -d '{}'
fails 422 invalid_params POST /apps/myapp/releases -d '{"release": "v1"}'
fails 422 invalid_params PATCH /apps/myapp/config-vars -d '{"A-B": "1"}'
fails 422 invalid_params PATCH /apps/myapp/config-vars -d '{"A": 1}'
fails 422 invalid_params PATCH /apps/myapp/config-vars -d '[]'
fails 422 invalid_params PATCH /apps/myapp/config-vars
fails 422 invalid_params POST /pushes -d '{}'
fails 400 bad_request PATCH /apps/myapp/config-vars -d '{"A": '
fails 400 bad_request PATCH /apps/myapp/config-vars -d '{"A": "\u0000"}'
printf '{"A": "\377"}' >latin
fails 400 bad_request PATCH /apps/myapp/config-vars --data-binary @latin
printf '{"A": "%01048576d"}' 0 >big
fails 413 too_large PATCH /apps/myapp/config-vars --data-binary @big
perl -e 'print "[" x 100000' >deep
fails 400 bad_request PATCH /apps/myapp/config-vars --data-binary @deep
call GET /apps/myapp/releases/current
is "$(json '$v->{version}')" 25 'and none of them made a release'

call HEAD /apps/myapp/releases/v2 --head
is "$code" 200 'HEAD answers'
length=$(header Content-Length)
call GET /apps/myapp/releases/v2
is "$length" "$(header Content-Length)" 'with the length that GET has'

# --- output streams ---

path=${stream#http://slugd}
is "$stream" "http://slugd$path" 'a build has an output_stream_url'
call GET "$path"
is "$code $(header Content-Type)" '200 text/plain; charset=utf-8' \
	'which is text'
like "$out" '^-----> Compressing\.\.\. done, ' 'of what the build said'

# A reader that goes away, and one that never reads.
stay() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => shift) or die;
		print $s "GET $ARGV[0] HTTP/1.1\r\nHost: x\r\n\r\n";
		$s->flush;
		sleep 600' "$dir/slugd.sock" "$1" &
}
fds() {
	find "/proc/$slugd_pid/fd" -mindepth 1 | wc -l
}
no_more_fds() {
	[ "$(fds)" -le "$before" ]
}
before=$(fds)

rm go
find "$dir/log" -name '*.log' | sort >before.txt
echo more >>work/index.html
git -C work commit -q -a -m more
git -C work push heroku master 2>push.err &
push=$!
a_new_log() {
	find "$dir/log" -name '*.log' | sort | comm -13 before.txt - |
		grep . >new.txt
}
within 10 a_new_log
ok $? 'a running build has a stream'
path=/streams/$(basename "$(cat new.txt)" .log)
api GET "$path" -N >stream.txt &
reader=$!
api GET "$path" -N >gone.txt &
gone=$!
stay "$path"
silent=$!
within 10 grep -q Compressing stream.txt
ok $? 'which is shown while it runs'
within 10 grep -q Compressing gone.txt
kill -KILL $gone
kill -0 $reader
ok $? 'and does not end before the build'
call PATCH /apps/myapp/config-vars -d '{"DURING": "1"}'
is "$code" 200 'a config change does not wait for it'
touch go
wait $push
is "$?" 0 'the push goes through, whoever looks or does not'
wait $reader
is "$?" 0 'the stream ends with it'
like "$(cat stream.txt)" '^-----> Compressing\.\.\. done, ' \
	'and has all of it'
kill -KILL $silent
within 10 no_more_fds
ok $? 'nothing is kept of the readers'

id=00000000-0000-4000-8000-000000000000
perl -e 'print "0123456789abcdef" x (1 << 20)' >"$dir/log/$id.log"
readers=
for i in 1 2 3 4; do
	stay "/streams/$id"
	readers="$readers $!"
done
call GET "/streams/$id" -o /dev/null
is "$code" 200 'a long stream is read beside four that never read theirs'
# shellcheck disable=SC2086 # words
kill -KILL $readers
within 10 no_more_fds
ok $? 'which are let go when they end'

# --- many at once ---

run perl -MIO::Socket::UNIX -e '
	my $path = shift;
	my @s = map { IO::Socket::UNIX->new(Peer => $path) or die "$_: $!" }
		1 .. 200;
	print $_ "GET /apps/myapp HTTP/1.1\r\nHost: x\r\n",
		"Connection: close\r\n\r\n" for @s;
	$_->flush for @s;
	my $good = 0;
	for (reverse @s) {
		local $/;
		my $answer = <$_>;
		$good++ if $answer =~ m{^HTTP/1.1 200 .*"name":"myapp"}s;
	}
	print "$good\n"' "$dir/slugd.sock"
is "$out" 200 '200 connections at once are answered'

run perl -MIO::Socket::UNIX -e '
	my $s = IO::Socket::UNIX->new(Peer => shift) or die;
	my $body = "{\"PIPED\": \"1\"}";
	my $get = "GET /apps/myapp/config-vars HTTP/1.1\r\nHost: x\r\n";
	print $s "$get\r\n",
		"PATCH /apps/myapp/config-vars HTTP/1.1\r\nHost: x\r\n",
		"Content-Length: ", length $body, "\r\n\r\n$body",
		"$get\r\n", "${get}Connection: close\r\n\r\n";
	$s->flush;
	local $/;
	my @bodies = <$s> =~ /^(\{.*\})/mg;
	print scalar @bodies, map { /PIPED/ ? " yes" : " no" } @bodies' \
	"$dir/slugd.sock"
is "$out" '4 no yes yes yes' \
	'pipelined requests are answered in their order'

call GET /apps/myapp/releases/current
before=$(json '$v->{version}')
change_some() {
	for j in 1 2 3 4 5 6 7 8 9 10; do
		api PATCH /apps/myapp/config-vars -d "{\"K$1\": \"$j\"}" \
			-o /dev/null -D - | sed -n 's/^Slugd-Release: //p'
	done >"made.$1"
}
clients=
for i in 1 2 3 4 5 6 7 8; do
	change_some $i &
	clients="$clients $!"
done
# shellcheck disable=SC2086 # words
wait $clients
is "$(cat made.? | tr -d '\r' | sort -n | tr '\n' ' ')" \
	"$(seq $((before + 1)) $((before + 80)) | tr '\n' ' ')" \
	'eight clients make 80 releases, without a gap'
run slugctl -d "$dir" fsck
is "$status" 0 "and the ledger is sound: $out"
is "$(grep -c 'http:' "$scratch/slugd.log")" 0 'nothing was amiss'

finish
