#!/bin/sh
# SPDX-License-Identifier: ISC
# slugpack counts on a terminal what takes more than a second, and nowhere
# else.
. "$(dirname "$0")/lib/test.sh"
command -v script >/dev/null || skip_all 'no script(1)'

git init -q -b master work
for i in $(seq 40); do
	head -c 200000 /dev/urandom >"work/noise$i"
done
git -C work add -A && git -C work commit -q -m noise

# slowly FILE: read standard input, 64K at a time, until FILE has something
# of a counter, or all of it was read; then the rest.
# Takes seconds where FILE stays empty.
cat >slowly <<'EOF'
#!/usr/bin/perl
my $buf;
while (sysread(STDIN, $buf, 65536)) {
	open(my $f, '<', $ARGV[0]) or next;
	local $/;
	last if (<$f> // '') =~ /Compressing: /;
	select(undef, undef, undef, 0.02);
}
1 while sysread(STDIN, $buf, 65536);
EOF
chmod +x slowly

# on_tty COMMAND: by sh, with a terminal; what it has to say in tty.out.
on_tty() {
	: >tty.out
	script -q -f -e -c "$1" tty.out >/dev/null 2>&1 </dev/null
}

on_tty 'slugpack work HEAD | ./slowly tty.out'
is $? 0 'a slug that takes a while'
like "$(tr '\r' '\n' <tty.out)" \
	'^Compressing: [0-9]+/40 files, [0-9.]+(K|MB) of 7\.6MB *$' \
	'is counted on a terminal'
is "$(tr '\r' '\n' <tty.out | grep -v '^Script' | tail -n 2 | tr -d ' \n')" \
	'' 'and the counter is gone at the end'
: >nothing
on_tty 'slugpack --report=3 work HEAD 3>report | ./slowly nothing'
unlike "$(cat tty.out)" 'Compressing|Reading' 'not where there is a report'
like "$(cat report)" '"entries": ?40' 'which is there'
: >err
on_tty 'slugpack work HEAD 2>err | ./slowly err'
unlike "$(cat tty.out err)" 'Compressing|Reading' \
	'nor where standard error is a file'
git -C work rm -q 'noise[2-9]*' 'noise1?*' && git -C work commit -q -m less
# On a busy machine even that may take longer: again, then.
# shellcheck disable=SC2317 # called by within
quick() {
	start=$(date +%s%N)
	on_tty 'slugpack work HEAD >slug'
	[ $(($(date +%s%N) - start)) -lt 1000000000 ]
}
if within 1 quick; then
	unlike "$(cat tty.out)" 'Compressing|Reading' \
		'nor within the first second'
else
	skip 1 'each try takes more than a second'
fi

finish
