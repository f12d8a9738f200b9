# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# What the benchmarks of slugs and pushes share; see t/perf/push for the use.
# A benchmark has a scratch folder, $scratch, which goes away at its end, and
# ends by "exit $failed".

# shellcheck disable=SC2034 # what is set here is for the benchmark
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/slugd-perf.XXXXXX")
export SLUGD_TEST_UIDS="$scratch/uids"
slugd_pid=
failed=0
end() {
	[ -z "$slugd_pid" ] || kill "$slugd_pid" && wait
	rm -rf "$scratch"
}
trap end EXIT
trap 'exit 1' INT TERM HUP
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE SLUGD_DIR SLUGD_USER
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com
export GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com

# repository FILES MEGABYTES DIR: a bare repository of our own. What it is
# copied from is made once and kept in $SLUGD_PERF_REPOS where that is set.
repository() {
	kept=${SLUGD_PERF_REPOS:-$scratch}/$1-$2.git
	if [ ! -d "$kept" ]; then
		rm -rf "$kept.new"
		"$here/make-repo" "$kept.new" "$1" "$2"
		mv "$kept.new" "$kept"
	fi
	git clone -q --bare "$kept" "$3"
}

# change DIR: commit a change of one file to master of the bare repository,
# of another file each time.
changes=0
change() {
	changes=$((changes + 1))
	[ -s "$1/perf-paths" ] || git -C "$1" ls-tree -r --name-only master |
		grep -v '^assets/' >"$1/perf-paths"
	path=$(awk -v n=$changes '{ path[NR - 1] = $0 } END {
		print path[(n * 39779) % NR] }' "$1/perf-paths")
	export GIT_INDEX_FILE="$1/perf-index"
	[ -s "$GIT_INDEX_FILE" ] || git -C "$1" read-tree master
	blob=$({
		git -C "$1" cat-file blob "master:$path"
		echo "change $changes"
	} | git -C "$1" hash-object -w --stdin)
	git -C "$1" update-index --cacheinfo "100644,$blob,$path"
	tree=$(git -C "$1" write-tree)
	unset GIT_INDEX_FILE
	commit=$(git -C "$1" commit-tree -p master -m "Change $path" "$tree")
	git -C "$1" update-ref refs/heads/master "$commit"
}

uuid() {
	cat /proc/sys/kernel/random/uuid
}

# timed FILE COMMAND...: append the seconds that it takes to FILE.
timed() {
	file=$1
	shift
	start=$(date +%s%N)
	"$@"
	end=$(date +%s%N)
	echo $((end - start)) | awk '{ printf "%.4f\n", $1 / 1e9 }' >>"$file"
}

median() {
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# verdict NAME BAR OURS THEIRS TEXT: the line of a benchmark. TEXT is awk's
# printf format for the two.
verdict() {
	awk -v name="$1" -v bar="$2" -v ours="$3" -v theirs="$4" \
		-v text="$5" 'BEGIN {
		ratio = ours / theirs
		printf "%s  ratio %.3f  bar %.2f  %s  (" text ")\n", name,
			ratio, bar, ratio <= bar ? "ok" : "OVER", ours, theirs
		exit ratio > bar
	}' || failed=1
}

# start_slugd: in $scratch/slugd, with nothing to launch.
start_slugd() {
	mkdir "$scratch/slugd"
	printf '[launch]\ndriver = none\n' >"$scratch/slugd/slugd.ini"
	slugd -d "$scratch/slugd" 2>"$scratch/slugd.log" &
	slugd_pid=$!
	until curl -s --unix-socket "$scratch/slugd/slugd.sock" \
		http://slugd/ >/dev/null; do
		kill -0 "$slugd_pid"
		sleep 0.05
	done
}

# push DIR REMOTE: of master.
push() {
	git -C "$1" push -q "$2" master 2>"$scratch/push" || {
		cat "$scratch/push" "$scratch/slugd.log" >&2
		exit 1
	}
}

# git_zstd DIR, git_gzip DIR: what we are measured against.
git_zstd() {
	git -C "$1" archive HEAD | zstd -q -3 -T0
}

git_gzip() {
	git -C "$1" archive HEAD | gzip
}
