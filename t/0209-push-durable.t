#!/bin/sh
# SPDX-License-Identifier: ISC
# A release's row says that its ref moved: so the ref is made durable before
# the row is written. A power cut between the two loses neither.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"
# shellcheck source=t/lib/push.sh
. "$t/lib/push.sh"

strace -f -o /dev/null true 2>/dev/null || skip_all 'strace cannot trace here'
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
own_exec_path
make_dir "$@"
strace -D -f -y -qq -o "$scratch/trace" -e trace=fsync,fdatasync,write,pwrite64 \
	slugd -d "$dir" 2>"$scratch/slugd.log" &
slugd_pid=$!
within 20 api GET / || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1
hold reference-transaction committed
git push heroku master >../push.out 2>&1 </dev/null &
pusher=$!
held reference-transaction || diag 'no reference-transaction'
# What slugd did before the ref moved is not looked at.
before=$(wc -l <"$scratch/trace")
let_go reference-transaction
wait "$pusher"
is $? 0 'a push'

# The first write to the ledger, and the ends of the fsyncs before it.
tail -n "+$((before + 1))" "$scratch/trace" | perl -ne '
	($pid) = /^(\d+)/;
	$path{$pid} = $1 if m{fsync\(\d+<([^>]*)>};
	print "$path{$pid}\n" if /fsync.*= 0$/;
	if (/write.*ledger\.db-wal/) { print "LEDGER\n"; exit }
' >../order
is "$(tail -n 1 ../order)" LEDGER 'a release is written to the ledger'
for folder in refs/heads logs/refs/heads objects .; do
	is "$(grep -c "^$repo${folder#.}\$\|^$repo/$folder\$" ../order)" 1 \
		"before that, $folder of the repository is made durable"
done
finish
