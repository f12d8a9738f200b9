#!/bin/sh
# SPDX-License-Identifier: ISC
# A push that waits says for what: a line in a pipe, each second at a terminal.
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

driver=slugrun
launch='timeout = 30\ngrace = 2\n'
make_dir
mkdir "$scratch/exec"
for helper in "$SLUGD_EXEC_PATH"/*; do
	ln -s "$helper" "$scratch/exec/"
done
rm "$scratch/exec/slugpack"
cat >"$scratch/exec/slugpack" <<EOP
#!/bin/sh
sleep "\$(cat '$scratch/packing' 2>/dev/null || echo 0)"
exec '$SLUGD_EXEC_PATH/slugpack' "\$@"
EOP
chmod +x "$scratch/exec/slugpack"
SLUGD_EXEC_PATH=$scratch/exec start_slugd || exit 1
make_app myapp >/dev/null || exit 1
cd work || exit 1

# commit PROCFILE
commit() {
	printf '%b' "$1" >Procfile
	git add -A && git commit -q --allow-empty -m "$1"
}

count() {
	grep -cE -e "$1" "$scratch/said"
}

# What the push said by the time that this is there, and it is under way.
pushing() {
	git push heroku master 2>"$scratch/said" &
	push=$!
	within 20 grep -qE -e "$1" "$scratch/said"
	ok $? "$2"
	kill -0 "$push" 2>/dev/null
	ok $? 'while the push is under way'
	wait "$push"
	is $? 0 'which ends well'
}
waits='^remote: -----> Launching\.\.\. waiting for web\.1 to answer on port [0-9]+ *$'

commit 'web: sleep 5; exec perl server.pl\n'
pushing "$waits" 'a web process that takes long: the push says so'
is "$(count "$waits")" 1 'once'
is "$(count '^remote: -----> Launching\.\.\. done, v2 deployed to Heroku')" 1 \
	'and then the line of the article'
is "$(grep -c "$(printf '\r')" "$scratch/said")" 0 'nothing is for a terminal'

echo 4 >"$scratch/packing"
commit 'web: exec perl server.pl\n'
pushing '^remote: -----> Compressing\.\.\. waiting for its files to be packed *$' \
	'packing that takes long'
is "$(count '^remote: -----> Compressing\.\.\. done, ')" 1 'has its line, too'
is "$(count 'waiting for its files')" 1 'once'

# Two at once: the second one waits for the first.
git push heroku master:main 2>"$scratch/first" &
first=$!
sleep 1
commit 'web: exec perl server.pl\nclock: true\n'
pushing 'Waiting for another push to myapp' 'a second push'
is "$(count 'waiting for another')" 0 'is told once'
wait "$first"
rm "$scratch/packing"

commit 'web: exec perl server.pl\nrelease: echo one; sleep 4; echo two\n'
run git push heroku master
unlike "$err" 'waiting for the release' 'a release command has a line already'
like "$err" '^remote: two' 'and its output'

# What is not tried is waited for after the ref has moved.
stop_slugd
sed -i '/^\[launch\]/a trial = off' "$dir/slugd.ini"
SLUGD_EXEC_PATH=$scratch/exec start_slugd || exit 1
commit 'web: sleep 5; exec perl server.pl\n'
pushing "$waits" 'without a trial'
is "$(count "$waits")" 1 'once'
is "$(count '^remote: -----> Launching\.\.\. done, v')" 1 'and then it is done'
commit 'web: sleep 4; exit 3\n'
run git push heroku master
like "$err" '^remote: -----> Launching\.\.\. failed, v' 'or it has failed'
like "$err" '^remote:  !     web\.1 exited with status 3' 'with why'

if command -v script >/dev/null; then
	stop_slugd
	sed -i '/^trial = off/d' "$dir/slugd.ini"
	SLUGD_EXEC_PATH=$scratch/exec start_slugd || exit 1
	commit 'web: sleep 5; exec perl server.pl\nrelease: sleep 4\n'
	script -qefc 'TERM=xterm git push heroku master' /dev/null \
		>"$scratch/said" </dev/null
	is $? 0 'at a terminal'
	tr '\r' '\n' <"$scratch/said" >"$scratch/lines"
	like "$(cat "$scratch/lines")" \
		'^remote:        waiting for the release command to end \([0-9] s\)' \
		'it counts the seconds of the release command'
	like "$(cat "$scratch/lines")" \
		'^remote: -----> Launching\.\.\. waiting for web\.1 to answer on port [0-9]+ \([0-9] s\)' \
		'and those of the process'
	like "$(cat "$scratch/lines")" 'answer on port [0-9]+ \(3 s\)' 'each one'
	like "$(cat "$scratch/lines")" \
		'^remote: -----> Launching\.\.\. done, v' 'and then it is done'
	is "$(grep -c 'waiting' "$scratch/said")" 1 'in one line'
else
	skip 6 'no script(1)'
fi

finish
