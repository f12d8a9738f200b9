#!/bin/sh
# SPDX-License-Identifier: ISC
# What slugctl init makes survives a power cut, and a repository that lost its
# HEAD or its config to one is found, and mended.
# What root mounts goes with the test, however that ends.
if [ -z "${TEST_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
	exec env TEST_MOUNTS=1 unshare -m --propagation private sh "$0" "$@"
fi
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"

findings() {
	slugctl -d "$dir" check | sed -n 's/^app myapp: //p'
}

make_dir "$@"
start_slugd
make_app myapp >/dev/null
repo=$dir/repos/myapp.git
git -C work push -q heroku master
is $? 0 'a push'
run slugctl -d "$dir" fsck
is "$status:${out%%:*}" '0:ledger ok' 'fsck finds no fault'

# --- HEAD ---

: >"$repo/HEAD"
run slugctl -d "$dir" fsck
words="its HEAD is empty, as a power cut leaves it; mend with:"
is "$status:$(echo "$out" | grep ^app)" \
	"1:app myapp: $words slugctl -d $dir repair myapp" 'fsck finds a HEAD of 0 bytes'
is "$err" ' !    1 of 1 repositories is damaged' 'and fails'
is "$(findings)" "$words slugctl -d $dir repair myapp" 'so does check'
run slugctl -d "$dir" repair myapp
is "$status" 0 'repair mends it'
like "$out" "^$repo/HEAD was empty, and points at refs/heads/master now" \
	'and says so'
is "$(cat "$repo/HEAD")" 'ref: refs/heads/master' 'it points at the branch'
is "$(findings)" '' 'check has nothing more to say'
git -C work commit -q --allow-empty -m 2
run git -C work push heroku master
is "$status:$(newest version)" 0:3 'a push works again'
rm "$repo/HEAD"
is "$(findings)" "$(echo "$words" | sed 's/empty/missing/') slugctl -d $dir repair myapp" \
	'one that is missing is found'
run slugctl -d "$dir" repair myapp
is "$status:$(cat "$repo/HEAD")" '0:ref: refs/heads/master' 'and mended'

# Of the deploy branches, the one that is there.
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref \
	refs/heads/main refs/heads/master
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref -d refs/heads/master
head -c 21 /dev/zero >"$repo/HEAD"
run slugctl -d "$dir" repair myapp
is "$status:$(cat "$repo/HEAD")" '0:ref: refs/heads/main' \
	'NULs are as empty; HEAD points at the branch that is there'
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref \
	refs/heads/master refs/heads/main
git --git-dir="$repo" -c core.hooksPath=/dev/null update-ref -d refs/heads/main

# --- config ---

cp "$repo/config" config.before
: >"$repo/config"
run slugctl -d "$dir" fsck
like "$status:$out" '^app myapp: its config is empty, as a power cut' \
	'fsck finds a config of 0 bytes'
run slugctl -d "$dir" repair myapp
like "$status:$out" "$repo/config was empty: it has what slugd needs now" \
	'repair mends it'
is "$(git config --file "$repo/config" --list | sort)" \
	"$(git config --file config.before --list | sort)" \
	'it is as init leaves it'
rm "$repo/config" && : >"$repo/HEAD"
is "$(findings | sed 's/;.*//')" \
	'its HEAD is empty and its config is missing, as a power cut leaves them' \
	'both are found'
run slugctl -d "$dir" repair myapp
is "$status:$(findings)" 0: 'both are mended'
git -C work commit -q --allow-empty -m 3
run git -C work push heroku master
is "$status" 0 'a push works again'

# Another folder in its place, as where a disk is not mounted.
mv "$repo" "$repo.away" && mkdir "$repo"
run slugctl -d "$dir" repair myapp
is "$status:$(ls "$repo")" 1: 'a folder that is no repository is left alone'
rmdir "$repo" && mv "$repo.away" "$repo"

# --- init: all is on the disk before slugd records the app ---

if strace -o /dev/null true 2>/dev/null; then
	git init -q --bare own.git
	for path in '' own.git; do
		# shellcheck disable=SC2086 # no word, or one
		run strace -f -y -qq -s 200 -o trace -e trace=all \
			slugctl -d "$dir" init "app$tests" $path
		is "$status" 0 'init'
		is "$(grep -o 'syncfs([0-9]*<[^>]*>) *= 0\|POST /apps' trace |
			sed 's/([0-9]*//')" "syncfs<$out>) = 0
POST /apps" 'makes the repository durable before slugd records it'
	done
else
	skip 4 'strace cannot trace here'
fi

# --- the power goes, for real ---

# power_cut FSTYPE: init and a push, and what is left of them.
power_cut() {
	command -v "mkfs.$1" >/dev/null || {
		skip 5 "no mkfs.$1 here"
		return
	}
	mkdir "$1" && truncate -s 400M "$1.img" && "mkfs.$1" -q "$1.img"
	mount -o loop "$1.img" "$1" 2>/dev/null || {
		skip 5 "$1 cannot be mounted here"
		return
	}
	mkdir "$1/d" && cp "$scratch/slugd/slugd.ini" "$1/d"
	sync -f "$1"
	dir=$scratch/$1/d
	start_slugd
	run slugctl -d "$dir" init myapp
	repo=$out
	run git -C work push "$repo" master
	is "$status" 0 "$1: init and a push"
	before=$(newest version)
	# FS_IOC_SHUTDOWN, with nothing of the log written out.
	perl -e 'my $flags = pack("L", 2);
		opendir(my $dir, shift) or die "$!\n";
		open(my $fs, "<&=", fileno($dir)) or die "$!\n";
		ioctl($fs, 0x8004587d, $flags) or die "$!\n"' "$1"
	is $? 0 "$1: the power goes"
	stop_slugd KILL
	umount "$1" && mount -o loop "$1.img" "$1"
	start_slugd
	is "$(newest version)" "$before" "$1: the release is there"
	run slugctl -d "$dir" fsck
	is "$status" 0 "$1: after a power cut, fsck finds no fault"
	git -C work commit -q --allow-empty -m "$1"
	run git -C work push "$repo" master
	is "$status" 0 "$1: and a push works"
	stop_slugd TERM
	umount "$1"
}

stop_slugd TERM
if [ "$(id -u)" -eq 0 ] && [ -e /dev/loop-control ]; then
	power_cut ext4
	power_cut xfs
else
	skip 10 'only root can mount a file system of a file'
fi
finish
