#!/bin/sh
# SPDX-License-Identifier: ISC
# Which slugs stay, which go, and that no kill and no push in between loses
# anything.
# shellcheck disable=SC2317 # within calls some of them
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
command -v zstd >/dev/null || skip_all 'no zstd'

own_exec_path
make_dir '[slug]' 'keep = 3'
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

# A push of 100 kB that no other slug has, next to what all have.
noise() {
	head -c 100000 /dev/urandom >noise
	git add noise && git commit -q -m "Noise $((pushed += 1))"
	git push -q heroku master 2>/dev/null
}
pushed=0

# The versions that are expired, in a line.
expired() {
	releases myapp version status | sed -n 's/ expired//p' | tr '\n' ' ' |
		sed 's/ $//'
}

expired_is() {
	[ "$(expired)" = "$1" ]
}

stored() {
	cat "$dir"/slugs/* "$dir"/segments/* | wc -c
}

# Every slug that is there has the files of its commit.
whole() {
	releases myapp status slug.id commit >"$scratch/all"
	while read -r s slug c; do
		case $s:$slug in
		succeeded:none) continue ;;
		succeeded:*) ;;
		*) continue ;;
		esac
		rm -rf "$scratch/tree" && mkdir "$scratch/tree"
		slug_cat "$slug" | zstd -dc | tar -xf - -C "$scratch/tree" &&
			git archive "$c" | tar -df - -C "$scratch/tree" \
				>"$scratch/diff" 2>&1
		grep -v 'Mode\|Uid\|Gid\|Mod time' "$scratch/diff" && return 1
	done <"$scratch/all"
	:
}

files() {
	ls "$dir/slugs" "$dir/segments"
}

# --- after each release ---
for _ in 1 2 3; do
	noise || exit 1
done
is "$(expired)" '' 'as many slugs as keep says stay'
noise
within 10 expired_is 2
ok $? 'with one more, the oldest goes'
run git heroku releases:pin v4
is "$status:$out" '0:Pinning v4 of myapp... done' 'releases:pin'
run git heroku releases:info v4
like "$out" '^Pinned: +yes$' 'releases:info says so'
like "$(git heroku releases:info v4 --json)" '"pinned": true' 'and --json'
unlike "$(git heroku releases:info v5)" Pinned 'but not of others'
for _ in 5 6 7 8 9 10 11 12; do
	noise || exit 1
done
within 10 expired_is '2 3 5 6 7 8 9 10'
ok $? 'the last three stay, and the pinned one'
slugs_are() {
	[ "$(slugs)" = "$1" ]
}
within 10 slugs_are 4
ok $? 'the others are not in the store any more'
within 10 sh -c "[ \$(cat '$dir'/segments/* | wc -c) -lt 500000 ]"
ok $? 'nor is what they had'
[ "$(stored)" -gt 400000 ]
ok $? 'what the others have is'
ok "$(whole; echo $?)" 'and these are whole'
is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' 'fsck finds nothing'

# --- what expired is ---
like "$(git heroku releases)" '^v10 +Deploy [0-9a-f]{7} \(expired\) ' \
	'releases shows what is expired'
is "$(releases myapp version eligible_for_rollback | grep ' 1$' | tr '\n' ' ')" \
	'4 1 11 1 12 1 13 1 ' 'which cannot be gone back to'
run git heroku rollback v10
is "$status:$err" \
	'1: !    Cannot roll back to v10: it is expired' 'rollback refuses it'
run git heroku releases:pin v10
is "$status:$out" '1:Pinning v10 of myapp... failed' 'releases:pin does'
is "$err" ' !    Cannot pin v10: it is expired, its slug is gone' 'in words'
run git heroku rollback
is "$status:$out" '0:Rolled back to v12' 'rollback without a name works'
run git heroku rollback v4
is "$status:$out" '0:Rolled back to v4' 'and so does the pinned one'
run git heroku releases:unpin
is "$out" 'Unpinning v15 of myapp... done' \
	'releases:unpin: the current one, which was not'
run git heroku releases:unpin v4
is "$status:$out" '0:Unpinning v4 of myapp... done' 'releases:unpin'
run git heroku rollback v13
is "$status" 0 'back to the newest'

# A tree whose segments are gone: what slugpack's cache says of them is old.
git checkout -q HEAD~11 -- noise
git commit -q -m 'As it was' && git push -q heroku master 2>/dev/null
is "$(newest version)" 17 'a tree that had been let go is pushed again'
ok "$(whole; echo $?)" 'and is whole'

# --- the same tree twice takes nothing more ---
run slugctl -d "$dir" gc
before=$(stored)
git commit -q --allow-empty -m Same && git push -q heroku master 2>/dev/null
[ "$(stored)" -lt $((before + 1000)) ]
ok $? 'another slug of the same tree'
like "$(slugctl -d "$dir" status)" \
	'^1 app, slugs of 29[0-9]\.[0-9]K, stored in (19|20)[0-9]\.' \
	'status: sizes and bytes are not the same'

# --- slugctl gc ---
run slugctl -d "$dir" gc
is "$status:$out" '0:freed 0B, 0 releases expired' 'gc with nothing to do'
cp -a "$dir/slugs/$(newest slug.id)" \
	"$dir/slugs/00000000-0000-4000-8000-000000000001"
head -c 3000 /dev/zero >"$dir/segments/$(printf '%064d' 0)"
: >"$dir/segments/7-7.tmp"
: >"$dir/segments/README"
run slugctl -d "$dir" gc
like "$out" '^freed 3\.[0-9]K, 0 releases expired$' 'gc of what nobody needs'
is "$(find "$dir/slugs" "$dir/segments" -name '00000*' -o -name '*.tmp')" '' \
	'a root, a segment, a half written one'
[ -e "$dir/segments/README" ]
ok $? 'what is no part of the store is let alone'
rm "$dir/segments/README"

# A slug that cannot be read: nobody knows what it needs.
root=$dir/slugs/$(newest slug.id)
head -c 3000 /dev/zero >"$dir/segments/$(printf '%064d' 0)"
before=$(files)
for what in 'is missing' 'is damaged: no root of a slug'; do
	mv "$root" "$scratch/root"
	[ "$what" = 'is missing' ] || head -c 100 "$scratch/root" >"$root"
	run slugctl -d "$dir" gc
	is "$status:$err" "1: !    $root $what; nothing was removed" \
		"gc where a root $what"
	mv "$scratch/root" "$root"
	is "$(files)" "$before" 'removes nothing'
done
page=$dir/segments/$(sed -n 's/^page //p' "$root" | head -n 1).page
mv "$page" "$scratch/page"
run slugctl -d "$dir" gc
is "$status:$err" "1: !    $page is missing; nothing was removed" \
	'the same where it is a page'
mv "$scratch/page" "$page"
is "$(files)" "$before" 'nothing was removed'
run slugctl -d "$dir" gc
is "$status:$out" '0:freed 2.9K, 0 releases expired' 'mended, it goes on'

# --- while a slug is packed ---
hold slugpack
echo held >held && git add held && git commit -q -m Held
git push -q heroku master >push.out 2>&1 &
push=$!
held slugpack
ok $? 'a push is packing'
# As slugpack may have written it by now.
fresh=$dir/segments/$(printf '%064d' 0)
: >"$fresh"
run slugctl -d "$dir" gc
is "$status:$err" \
	'1: !    slugs are being packed or checked; try again' 'gc says so'
[ -e "$fresh" ]
ok $? 'and has removed nothing'
let_go slugpack
wait $push
is "$?" 0 'the push goes through'
ok "$(whole; echo $?)" 'all slugs are whole'
run slugctl -d "$dir" gc
is "$status" 0 'then gc has its turn'
[ ! -e "$fresh" ]
ok $? 'and removes what nobody came to need'
flock -s "$dir/segments/lock" slugctl -d "$dir" gc >out 2>&1
like "$(cat out)" 'being packed or checked' 'nor does it while fsck mends'
stop_slugd
run slugctl -d "$dir" gc
is "$status:$err" \
	"1: !    slugd is not running: nothing answers at $dir/slugd.sock" \
	'slugctl gc without slugd'

# --- keep_bytes ---
sed -i 's/^keep = 3/keep = 0/' "$dir/slugd.ini"
start_slugd || exit 1
for _ in 1 2 3 4 5 6; do
	noise || exit 1
done
n=$(newest version)
is "$(releases myapp version status | grep -c 'succeeded$')" "$(
	releases myapp version status | grep -vc 'expired$')" 'keep = 0: all stay'
stop_slugd
cp -a "$dir" "$scratch/base"
sed -i 's/^keep = 0/keep_bytes = 250K/' "$dir/slugd.ini"
start_slugd || exit 1
two_left() {
	[ "$(releases myapp slug.id status | grep -c '^[0-9a-f-]* succ')" = 2 ] &&
		[ "$(slugs)" = 2 ]
}
within 10 two_left
ok $? 'keep_bytes = 250K: two of 100 kB stay'
is "$(releases myapp version status | grep -A9 "^$((n - 1)) " | tr '\n' ' ')" \
	"$((n - 1)) succeeded $n succeeded " 'the newest'
stop_slugd

# --- kill -9 at each step of a pass ---
if ! strace -f -o /dev/null true 2>/dev/null; then
	skip 41 'strace cannot trace here'
	finish
fi

# The store and the ledger as they were when all was kept; keep = 2 now.
again() {
	rm -rf "$dir/slugs" "$dir/segments" "$dir"/ledger.db*
	cp -a "$scratch/base/slugs" "$scratch/base/segments" \
		"$scratch/base"/ledger.db* "$dir/"
}
sed -i 's/^keep_bytes = .*/keep = 2/' "$dir/slugd.ini"
again
start_slugd || exit 1
within 10 two_left
stop_slugd
after=$(files)
isnt "$(ls "$scratch/base/slugs")" "$(ls "$dir/slugs")" 'a pass to be killed'
# In the ledger, at roots, between, at pages and segments, and late.
for at in fdatasync:1 fdatasync:2 unlinkat:1 unlinkat:2 fsync:1 unlinkat:6 \
	unlinkat:8 unlinkat:9 unlinkat:12 fsync:2; do
	again
	timeout 60 strace -f -qq -o "$scratch/trace" \
		-e trace="${at%:*}" \
		-e inject="${at%:*}:signal=KILL:when=${at#*:}" \
		slugd -d "$dir" 2>>"$scratch/slugd.log" &
	wait $! 2>/dev/null
	grep -q 'killed by SIGKILL' "$scratch/trace"
	ok $? "killed at $at"
	is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' \
		'the ledger and its slugs are sound'
	start_slugd || exit 1
	within 10 two_left
	whole
	ok $? 'the next start loses nothing'
	run slugctl -d "$dir" gc
	is "$(files)" "$after" 'and ends what was begun'
	stop_slugd
done
finish
