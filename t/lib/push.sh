# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# For tests of pushes, after test.sh: what the ledger, the repository and the
# store say, and programs that wait until they are let go.

# shellcheck disable=SC2034,SC2154 # what test.sh set, and what tests use
exec_path=$scratch/exec

# The same programs, by links of our own: a test may put others there. To be
# called before slugd starts and an app is made.
own_exec_path() {
	mkdir "$exec_path"
	real_path=$SLUGD_EXEC_PATH
	for p in "$real_path"/*; do
		ln -s "$p" "$exec_path/"
	done
	export SLUGD_EXEC_PATH="$exec_path"
}

# hold PROGRAM [FIRST-ARGUMENT]: from now on it writes "PID PPID" to
# PROGRAM.held in the scratch folder and waits until let_go. With a first
# argument, only where it is called with that.
hold() {
	rm -f "$scratch/$1.go" "$scratch/$1.held"
	# Only for one of the repository's own is it started at each state.
	if [ "$1:${2:-}" = reference-transaction:prepared ]; then
		: >"$repo/hooks/reference-transaction.chained"
		ln -f "$repo/slugd.hooks/reference-transaction.idle" \
			"$repo/slugd.hooks/reference-transaction"
	fi
	cat >"$scratch/$1.new" <<END
#!/bin/sh
if [ -z "${2:-}" ] || [ "\${1:-}" = "${2:-}" ]; then
	echo "\$\$ \$PPID" >"$scratch/$1.held.\$\$"
	mv "$scratch/$1.held.\$\$" "$scratch/$1.held"
	until [ -e "$scratch/$1.go" ]; do
		sleep 0.02
	done
fi
exec "$real_path/$1" "\$@"
END
	put "$1"
}

# put PROGRAM: PROGRAM.new in the scratch folder takes its place.
put() {
	chmod +x "$scratch/$1.new"
	mv -f "$scratch/$1.new" "$exec_path/$1"
}

# held PROGRAM: wait until one is held; $held and $parent are its pids.
held() {
	within 20 test -e "$scratch/$1.held" || return 1
	read -r held parent <"$scratch/$1.held"
}

# let_go PROGRAM: those that are held go on, those to come do not wait.
let_go() {
	ln -sfn "$real_path/$1" "$exec_path/$1.link"
	mv -f "$exec_path/$1.link" "$exec_path/$1"
	: >"$scratch/$1.go"
}

# releases APP FIELD...: a line a release, oldest first.
releases() {
	app=$1
	shift
	api GET "/apps/$app/releases" -H 'Range: version ..; max=1000' |
		perl -MJSON::PP -e '
		local $/; my $all = decode_json(<STDIN>);
		for my $r (sort { $a->{version} <=> $b->{version} } @$all) {
			print join(" ", map { my $v = $r;
				$v = $v->{$_} for split /\./; $v // "none"
			} @ARGV), "\n"
		}' "$@"
}

# The versions of myapp, in a line.
versions() {
	releases myapp version | tr '\n' ' ' | sed 's/ $//'
}

# newest FIELD [APP]: of the newest release.
newest() {
	releases "${2:-myapp}" "$1" | tail -n 1
}

# at [REF]: the commit that the app's repository has there, or none.
at() {
	git --git-dir="$repo" rev-parse -q --verify "${1:-refs/heads/master}" ||
		echo none
}

# commit [WORDS]: a commit in the work tree, with a file of its own.
commit() {
	echo "${1:-change} $((commits += 1))" >>change.txt
	git add change.txt && git commit -q -m "${1:-change}"
}
commits=0

# What pushes may leave in the folders: nothing but slugs and objects.
leftovers() {
	find "$dir/slugs" -name '*.tmp'
	find "$repo" -name '*.lock' -o -name 'tmp_objdir*'
	pgrep -f "slugpack --report.*$scratch" || :
}

no_leftovers() {
	[ -z "$(leftovers)" ]
}

slugs() {
	find "$dir/slugs" -type f | wc -l
}

# slug_cat UUID: a slug of the store as one file, by its manifest.
slug_cat() {
	sed -n 's/^page //p' "$dir/slugs/$1" | while read -r page; do
		cut -d' ' -f1 "$dir/segments/$page.page"
	done | while read -r segment; do
		tail -c +129 "$dir/segments/$segment"
	done
}

# slug_size UUID: its packed bytes.
slug_size() {
	sed -n 's/^size //p' "$dir/slugs/$1"
}

# is_sound WHEN: the ledger, the numbers and the kept commits are as they
# should be. Four tests; to be called when no push is going on.
is_sound() {
	is "$(slugctl -d "$dir" fsck | sed 's/:.*//')" 'ledger ok' \
		"$1: slugctl fsck: ledger ok"
	n=$(releases myapp version | wc -l)
	is "$(versions)" "$(seq -s ' ' 1 "$n")" \
		"$1: versions have no gap: 1 to $n"
	within 10 all_kept
	ok $? "$1: refs/releases/vN for each release with a slug"
	within 10 no_leftovers
	ok $? "$1: nothing is left behind"
	no_leftovers || diag "$(leftovers)"
}

all_kept() {
	releases myapp version slug.id | while read -r v slug; do
		[ "$slug" = none ] || [ "$(at "refs/releases/v$v")" != none ] ||
			return 1
	done
}
