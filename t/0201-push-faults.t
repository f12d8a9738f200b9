#!/bin/sh
# SPDX-License-Identifier: ISC
# Whoever dies, and whenever, during a push: a moved ref has exactly one
# release, a ref that did not move has none, and the next push works.
# shellcheck disable=SC2317 # some are called by within
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

own_exec_path
make_dir "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
slugctl -d "$dir" init other >/dev/null || exit 1
cd work || exit 1
git push -q heroku master 2>/dev/null
version=2

# push: in the background; $pusher is its pid.
push() {
	git push heroku master >"$scratch/push.out" 2>&1 </dev/null &
	pusher=$!
}

# ended: wait for push; sets $status and $out.
ended() {
	wait "$pusher" 2>/dev/null
	status=$?
	out=$(cat "$scratch/push.out")
}

# Of myapp: the newest release, its commit, and the ref.
where() {
	echo "v$(newest version) $(newest description) $(at)"
}

# deployed NAME: exactly one release more, of HEAD, to which the ref moved.
deployed() {
	version=$((version + 1))
	wanted="v$version Deploy $(git rev-parse --short=7 HEAD) $(
		git rev-parse HEAD)"
	within 20 is_where
	is "$(where)" "$wanted" "$1: the ref moved, one release"
	is "$(versions)" "$(seq -s ' ' 1 "$version")" 'and no more'
}

is_where() {
	[ "$(where)" = "$wanted" ]
}

# not_deployed NAME: neither ref nor release, and nothing in the way.
not_deployed() {
	is "$(newest version) $(at)" "$version $(git rev-parse HEAD~1)" \
		"$1: neither a moved ref nor a release"
	within 10 no_leftovers
	ok $? 'nothing is left behind'
	no_leftovers || diag "$(leftovers)"
	run git push heroku master
	is "$status" 0 'the next push works'
	deployed 'then'
}

# The build waits: $receive is the push's git-receive-pack, $hook its hook.
push_and_hold_build() {
	commit "$1"
	hold pre-receive
	hold slugpack
	push
	held pre-receive || diag 'no pre-receive'
	hook=$held receive=$parent
	let_go pre-receive
	held slugpack || diag 'no slugpack'
}

# --- during the build
push_and_hold_build 'the client is killed'
kill -KILL "$pusher"
ended
is "$(newest version) $(at)" "$version $(git rev-parse HEAD~1)" \
	'the client is dead, the build goes on'
let_go slugpack
deployed 'a client killed during pre-receive'

push_and_hold_build 'receive-pack is killed'
kill -KILL "$receive"
ended
is "$status" 128 'git-receive-pack killed: the push fails'
let_go slugpack
not_deployed 'git-receive-pack killed during pre-receive'

push_and_hold_build 'receive-pack is ended'
kill -TERM "$receive"
ended
let_go slugpack
not_deployed 'git-receive-pack ended during pre-receive'

push_and_hold_build 'pre-receive is killed'
kill -KILL "$hook"
ended
is "$status" 1 'pre-receive killed: the push is refused'
like "$out" 'remote rejected.*pre-receive hook declined' 'by git'
let_go slugpack
not_deployed 'pre-receive killed'

push_and_hold_build 'slugpack is killed'
kill -KILL "$held"
ended
is "$status" 1 'slugpack killed: the push is refused'
like "$out" '^remote:  !     .*slugpack was ended by signal 9' 'in words'
let_go slugpack
not_deployed 'slugpack killed'

push_and_hold_build 'slugd is killed'
stop_slugd KILL
ended
is "$status" 1 'slugd killed during the build: the push is refused'
like "$out" '^remote:  !     ' 'in words'
like "$out" 'remote rejected.*pre-receive hook declined' 'and by git'
let_go slugpack
start_slugd || exit 1
not_deployed 'slugd killed during the build'

push_and_hold_build 'slugd is stopped'
kill -TERM "$slugd_pid"
ended
stop_slugd
is "$status" 1 'slugd stopped during the build: the push is refused'
like "$out" '^remote:  !     ' 'in words'
let_go slugpack
start_slugd || exit 1
not_deployed 'slugd stopped during the build'

# --- between pre-receive's yes and the release
hold_ref() {
	commit "$2"
	hold pre-receive
	hold reference-transaction "$1"
	push
	held pre-receive || diag 'no pre-receive'
	receive=$parent
	let_go pre-receive
	held reference-transaction || diag 'no reference-transaction'
}

hold_ref committed 'slugd is killed before it hears'
stop_slugd KILL
let_go reference-transaction
ended
is "$status" 0 'slugd killed before the committed hook: git moved the ref'
unlike "$out" 'deployed to' 'no release is claimed'
start_slugd || exit 1
deployed 'slugd killed between pre-receive and settle'

hold_ref committed 'slugd is killed and comes back before it hears'
stop_slugd KILL
start_slugd || exit 1
let_go reference-transaction
ended
is "$status" 0 'slugd started again while the push goes on: accepted'
deployed 'slugd started again after the ref moved'
like "$out" "done, v$version deployed to Heroku" 'which the push shows'

hold_ref prepared 'slugd is killed and comes back before the ref moves'
stop_slugd KILL
start_slugd || exit 1
is "$(newest version) $(at)" "$version $(git rev-parse HEAD~1)" \
	'slugd started again before the ref moved: not yet'
ok "$(test -e "$repo/refs/heads/master.lock"; echo $?)" \
	'the lock of a live push is left alone'
let_go reference-transaction
ended
is "$status" 0 'the push goes on'
deployed 'slugd started again before the ref moved'
like "$out" "done, v$version deployed to Heroku" 'which the push shows, too'

hold_ref prepared 'all are killed before the ref moves'
stop_slugd KILL
kill -KILL "$receive"
let_go reference-transaction
ended
start_slugd || exit 1
not_deployed 'slugd and git-receive-pack killed with the ref locked'

hold_ref prepared 'receive-pack is killed with the ref locked'
kill -KILL "$receive"
let_go reference-transaction
ended
not_deployed 'git-receive-pack killed with the ref locked'

hold_ref prepared 'the next push is quick'
kill -KILL "$receive"
git push heroku master >"$scratch/next.out" 2>&1 </dev/null &
next=$!
within 10 grep -q 'Waiting for another push' "$scratch/next.out"
ok $? 'a push waits for what a killed one left, which would be in its way'
let_go reference-transaction
ended
wait $next
is "$? $(grep -c "done, v$((version + 1)) " "$scratch/next.out")" '0 1' \
	'and works then'
deployed 'which is the one release'

hold_ref committed 'receive-pack is killed after the ref moved'
kill -KILL "$receive"
let_go reference-transaction
ended
deployed 'git-receive-pack killed after the ref moved'

hold_ref committed 'nobody tells'
kill -KILL "$receive" "$held"
ended
let_go reference-transaction
deployed 'git-receive-pack and the committed hook killed'

hold_ref committed 'nobody is left'
stop_slugd KILL
kill -KILL "$receive" "$held" "$pusher"
ended
let_go reference-transaction
start_slugd || exit 1
deployed 'everybody killed after the ref moved'

commit 'post-receive never runs'
printf '#!/bin/sh\nexit 0\n' >"$scratch/post-receive.new"
put post-receive
run git push heroku master
is "$status" 0 'post-receive never runs'
deployed 'without post-receive'
let_go post-receive

commit 'no hook says anything'
for p in post-receive reference-transaction; do
	printf '#!/bin/sh\nexit 0\n' >"$scratch/$p.new"
	put $p
done
run git push heroku master
deployed 'without post-receive and reference-transaction'
let_go post-receive
let_go reference-transaction

# --- git refuses what pre-receive accepted
printf '#!/bin/sh\nexit 1\n' >"$repo/hooks/update"
chmod +x "$repo/hooks/update"
before="$(where) $(slugs)"
run git push --force heroku HEAD~1:master
is "$status" 1 'git refuses what pre-receive accepted'
like "$out$err" 'remote rejected.*hook declined' 'in words of its own'
like "$err" '^remote: -----> Compressing\.\.\. done' 'after the build'
unlike "$err" 'deployed to' 'nothing is said of a release'
is_as_before() {
	[ "$before" = "$(where) $(slugs)" ]
}
within 10 is_as_before
is "$(where) $(slugs)" "$before" 'no release, no slug is kept'
rm "$repo/hooks/update"
commit 'after git refused'
run git push heroku master
is "$status" 0 'the next push works'
deployed 'after git refused'

# --- two at a time
git clone -q "$repo" ../second
git -C ../second remote rename origin heroku
hold_ref committed 'the first of two'
first=$pusher
git -C ../second pull -q heroku master
(cd ../second && commit 'the second of two')
git -C ../second push heroku master >../second.out 2>&1 &
second=$!
within 20 grep -q 'Waiting for another push to myapp\.\.\.' ../second.out
ok $? 'a push while the one before is not settled waits, and says so'
is "$(newest version)" "$version" 'there is no release yet'
let_go reference-transaction
wait "$first"
is $? 0 'the first ends'
wait "$second"
is $? 0 'so does the second'
like "$(cat "$scratch/push.out")" "done, v$((version + 1)) deployed" \
	'the first is the first'
like "$(cat ../second.out)" "done, v$((version + 2)) deployed" \
	'the second the second'
is "$(releases myapp description | tail -n 2)" \
	"Deploy $(git rev-parse --short=7 HEAD)
Deploy $(git -C ../second rev-parse --short=7 HEAD)" 'two releases, in order'
version=$((version + 2))
git pull -q heroku master

push_and_hold_build 'one of two with the same start'
(cd ../second && commit 'the other')
git -C ../second push heroku master >../second.out 2>&1 &
second=$!
within 20 grep -q 'Waiting for another push' ../second.out
ok $? 'a push while another builds waits'
let_go slugpack
ended
is "$status" 0 'of two from the same commit one wins'
wait "$second"
is $? 1 'the other is refused'
like "$(cat ../second.out)" \
	'^remote:  !     refs/heads/master was moved by another push; fetch and' \
	'in words'
deployed 'two from the same commit'
git -C ../second fetch -q heroku
git -C ../second reset -q --hard heroku/master

# A push that waits goes away.
push_and_hold_build 'one that is waited for'
(cd ../second && commit 'one that goes away')
hold pre-receive
git -C ../second push heroku HEAD:master >../second.out 2>&1 &
second=$!
held pre-receive
let_go pre-receive
within 20 grep -q 'Waiting for another push' ../second.out
kill -KILL "$parent"
wait "$second"
let_go slugpack
ended
deployed 'one that waits is killed'
git -C ../second reset -q --hard HEAD~1
git -C ../second pull -q heroku master

stop_slugd
printf '[slugd]\npush_wait = 1\n' >>"$dir/slugd.ini"
start_slugd || exit 1
push_and_hold_build 'a long build'
(cd ../second && commit 'one that does not wait long')
run git -C ../second push heroku master
is "$status" 1 'push_wait: a push that waited so long is refused'
like "$err" '^remote:  !     another push to myapp is still going on after 1 second' \
	'in words'
run git -C ../second push "$dir/repos/other.git" HEAD:feature
is "$status" 0 'another app is not concerned'
run git -C ../second push heroku HEAD:feature
is "$status" 0 'nor is a branch that does not deploy'
let_go slugpack
ended
deployed 'the one that was waited for'

# --- what is left of a crash
lock=$repo/refs/heads/master.lock
stale=$repo/objects/tmp_objdir-incoming-Ab12xY
stop_slugd
: >"$lock"
: >"$repo/packed-refs.lock"
mkdir -p "$stale/pack" && : >"$stale/pack/tmp_pack_x"
: >"$dir/slugs/00000000-0000-4000-8000-000000000000.tmp"
: >"$dir/slugs/00000000-0000-4000-8000-000000000001"
: >"$dir/segments/1-1.tmp"
(cd "$repo" && exec sleep 100) &
sleeper=$!
within 10 pgrep -x sleep -P $$ # from then on it works there
start_slugd
ok "$(test -e "$lock" && test -d "$stale"; echo $?)" \
	'a repository where somebody works is not swept'
is "$(find "$dir/slugs" "$dir/segments" -name '*.tmp')" '' \
	'the store is'
is "$(find "$dir/slugs" -name '00000000-*')" '' \
	'a slug that no build knows, too'
stop_slugd
kill "$sleeper"
wait "$sleeper" 2>/dev/null
start_slugd
is "$(leftovers)" '' 'locks and quarantines of the dead are, at the start'
commit 'after the sweep'
run git push heroku master
is "$status" 0 'pushes work again'
deployed 'after the sweep'

# --- a client that reads nothing
cat >"$scratch/talker.pl" <<'END'
use JSON::PP;
local $/;
my $report = decode_json(<STDIN>);
push @{$report->{notices}}, map { "notice $_ " . "x" x 60 } 1 .. 4000;
print encode_json($report), "\n";
END
cat >"$scratch/slugpack.new" <<END
#!/bin/sh
"$real_path/slugpack" "\$@" 3>"$scratch/report" || exit
perl "$scratch/talker.pl" <"$scratch/report" >&3
END
commit 'much to say'
mkfifo ../deaf
hold pre-receive
put slugpack
git push heroku master >../deaf 2>&1 </dev/null &
pusher=$!
exec 5<../deaf
held pre-receive
kill -STOP "$pusher"
let_go pre-receive
within 20 sh -c "grep -q 'notice 4000' '$dir'/log/*.log"
ok $? 'a push with more to say than pipes hold'
let_go slugpack
run timeout 30 git push "$dir/repos/other.git" HEAD~1:refs/heads/master
is "$status" 0 'while its client reads nothing another app deploys'
[ "$status" -eq 0 ] || diag "$err"
like "$(api GET /apps/other/releases)" '"version":2' 'the API answers'
kill -CONT "$pusher"
cat <&5 >../heard
exec 5<&-
wait "$pusher"
is $? 0 'when it goes on, its push ends well'
like "$(cat ../heard)" "done, v$((version + 1)) deployed to Heroku" \
	'and it is told of the release'
deployed 'a client that slept'

# --- git wrote the reflog's entry, and was killed before it moved the ref
if strace -f -o /dev/null true 2>/dev/null; then
	commit 'between reflog and ref'
	run env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" git push \
		--receive-pack="strace -f -qq -o /dev/null \
		-e trace=rename -e inject=rename:signal=KILL:when=1 \
		-P $repo/./refs/heads/master.lock git-receive-pack" heroku master
	is "$(at)" "$(git rev-parse HEAD~1)" 'the ref stays'
	like "$(tail -n 1 "$repo/logs/refs/heads/master")" \
		"$(git rev-parse HEAD~1) $(git rev-parse HEAD) " \
		'its reflog says that it moved'
	not_deployed 'killed between reflog and ref'
else
	skip 7 'strace cannot trace here'
fi

cd "$scratch" || exit 1
is_sound 'after all this'
finish
