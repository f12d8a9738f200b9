#!/bin/sh
# SPDX-License-Identifier: ISC
# What comes in from outside: text that is not UTF-8, a client that has ended
# its own side, a push of very many refs.
# shellcheck disable=SC2119 # the functions take more, where it is given
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

# --- text that is not UTF-8 ---

make_dir
cp "$dir/slugd.ini" kept.ini
printf '[slugd]\nplatform = H\366roku\n' >>"$dir/slugd.ini"
line=$(grep -c '' "$dir/slugd.ini")
run timeout 20 slugd -d "$dir"
is "$status" 1 'a platform in Latin-1 is refused'
like "$err" "slugd\\.ini:$line: .*platform: is not UTF-8" 'by its line'
printf '[slugd]\nplatform = H\303\266roku\n' | cat kept.ini - >"$dir/slugd.ini"
start_slugd
ok $? 'in UTF-8 it is not'
like "$(api GET /)" '"platform":"H.*roku"' 'and shown'
stop_slugd

latin=$scratch/$(printf 'gr\374n')
mkdir "$latin"
run timeout 20 slugd -d "$latin"
is "$status" 1 'a folder whose path is not UTF-8 is refused'
like "$err" '^ !    the path of DIR is not UTF-8$' 'in words'
is "$(ls -A "$latin")" '' 'and left as it was'

start_slugd || exit 1
git init -q --bare "$latin/repo.git"
ln -s "$latin/repo.git" link.git
code=$(api POST /apps -o answer -w '%{http_code}' \
	-d "{\"name\":\"latin\",\"repository\":\"$scratch/link.git\"}")
is "$code" 422 'nor can the repository have such a path'
like "$(cat answer)" 'path is not UTF-8' 'in words'
ok "$([ ! -e "$latin/repo.git/slugd.sock" ]; echo $?)" 'it stays as it was'
is "$(api GET /apps -o answer -w '%{http_code}')" 200 'GET /apps answers'
stop_slugd
start_slugd
is "$(api GET /apps)" '[]' 'also after a start'

# --- who has our uid, but not our user namespace ---

if unshare --user true 2>/dev/null; then
	is "$(unshare --user curl -sS --unix-socket "$dir/slugd.sock" \
		-o answer -w '%{http_code}' http://slugd/apps)" 403 \
		'an app with the uid of slugd is refused'
	like "$(cat answer)" 'an app has no access here' 'in words'
fi

# --- a client that has ended its own side ---

make_app || exit 1
git -C work push -q heroku master 2>/dev/null
stream=$(api GET /apps/myapp/builds | grep -o '/streams/[0-9a-f-]*')
like "$(api GET "$stream")" '^-----> ' 'the stream of a build'
cat >half.pl <<'EOT'
use strict;
use IO::Socket::UNIX;
my ($path, $stream) = @ARGV;
my $s = IO::Socket::UNIX->new($path) or die "$path: $!\n";
syswrite $s, "GET $stream HTTP/1.1\r\nHost: slugd\r\n" .
	"Connection: close\r\n\r\n";
shutdown $s, 1;
alarm 20;
print while <$s>;
EOT
run perl half.pl "$dir/slugd.sock" "$stream"
like "$out" '^-----> ' 'it is read by who writes no more, too'

# --- many refs ---

commit=$(git -C work rev-parse HEAD)
zero=0000000000000000000000000000000000000000
seq 9000 | sed "s:.*:$zero $commit refs/tags/v&:" >lines
# As git does, but without its three starts of a hook for each of the refs.
(cd "$repo" && "$SLUGD_EXEC_PATH/pre-receive") <lines >said 2>&1
is "$?:$(cat said)" '0:Pushed to non-main branch, skipping build.' \
	'a push may bring 9,000 tags'
printf '{"A":"%01100000d"}' 0 >big.json
is "$(api PATCH /apps/myapp/config-vars -o answer -w '%{http_code}' \
	-H 'Expect:' -d @big.json)" 413 'a change has the limit that it had'

finish
