#!/bin/sh
# SPDX-License-Identifier: ISC
# Completion: what git heroku complete offers, and that bash offers it, by
# git's own completion.
# shellcheck disable=SC2016 # words for another shell
# shellcheck source=t/lib/test.sh
. "$(dirname "$0")/lib/test.sh"

make_dir '[addon redis]' 'plans = small:0, large:5' \
	'config.REDIS_URL = redis://127.0.0.1/' "$@"
start_slugd || exit 1
make_app myapp >/dev/null || exit 1
slugctl -d "$dir" init other >/dev/null
cd work || exit 1
git push -q heroku master 2>/dev/null
git heroku config:set MYVAR=1 OTHER="$(printf 'a\nb')" >/dev/null
git heroku addons:create memcachier >/dev/null
git remote add staging "$dir/repos/other.git"
git branch topic
git branch 'odd;branch'

# offers WANTED WORD...: what is offered for the last of the words. It gives
# slugd a second, which may be too little on a busy machine: again, then.
offers() {
	wanted=$1
	shift
	within 1 are_offered "$@"
	is "$got" "0::$wanted" "offered for: $*"
}
# shellcheck disable=SC2317 # called by within
are_offered() {
	run git heroku complete -- "$@"
	got="$status:$err:$(printf '%s\n' "$out" | sort | tr '\n' ' ')"
	[ "$got" = "0::$wanted" ]
}

offers 'releases releases:diff releases:info releases:output releases:pin releases:retry releases:unpin ' rel
offers 'releases:diff ' releases:d
offers "$(git heroku help | sed -n 's/^  \([a-z][a-z:]*\) .*/\1/p' | sort |
	tr '\n' ' ')" ''
offers 'v1 v2 v3 v4 ' releases:info ''
offers ' ' releases:info v4 ''
offers 'v4 ' rollback v4
offers 'v1 v2 v3 v4 ' releases:diff v1 v
offers 'MEMCACHIER_SERVERS MYVAR OTHER ' config:unset ''
offers 'MYVAR ' config:unset OTHER MY
offers 'MYVAR ' config:get MY
offers 'MYVAR= ' config:set MY
offers 'MYVAR= ' config:set A=1 MY
offers ' ' config:set MYVAR=
offers 'web= ' ps:scale ''
offers 'web= ' ps:scale worker=1 w
offers 'web ' ps:restart ''
offers 'web ' logs -t -p w
offers 'app heroku ' logs -s ''
offers '--shell ' config --s
offers '--source ' logs --s
offers 'off on ' maintenance ''
offers 'memcachier ' addons:destroy ''
offers 'memcachier:100 memcachier:free redis:large redis:small ' addons:create ''
offers 'redis:large ' addons:create redis:l
offers 'memcachier ' addons:rotate ''
offers 'memcachier redis ' addons:plans ''
offers 'memcachier:100 memcachier:free ' addons:upgrade memcachier mem
offers 'master topic ' deploy ''
offers 'config config:edit config:get config:set config:unset ' help conf
offers 'myapp other ' -a ''
offers 'other ' releases --app o
offers 'heroku staging ' -r ''
offers 'heroku ' releases --remote h
offers 'other ' addons:destroy memcachier --confirm o
offers ' ' releases -n ''
offers 'v1 ' -a other releases:info ''
offers 'v1 ' --remote staging releases:info ''
offers '--app --help --remote ' -
offers '--app --help --json --remote --values ' releases:diff --
offers '--code-only --config-only ' rollback --co
offers ' ' nosuchcommand ''
offers ' ' '$(touch pwned)'
offers ' ' -a '../x' releases:info ''
run git heroku complete
is "$status:$out:$err" '0::' 'complete without a word'

# bash. Its own words are cut at ":" and "=".
if ! command -v bash >/dev/null; then
	skip 11 'no bash'
	finish
fi
export script="$t/../contrib/completion/git-heroku.bash"
cat >"$scratch/bash" <<'END'
# replies WORD...: COMPREPLY for the last of the words of a command line.
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
gits=/usr/share/bash-completion/completions/git
if [[ -r $gits ]]; then
	. "$gits"
	. "$script"
	complete_it() { __git_wrap__git_main; }
else
	# No more than git's completion would have done.
	. "$script"
	complete_it() {
		local -a words
		local cword cur line=${COMP_LINE}
		[[ $line == *' ' ]] && line+=x
		read -ra words <<<"$line"
		cword=$(( ${#words[@]} - 1 ))
		[[ $COMP_LINE == *' ' ]] && words[cword]=
		cur=${words[cword]}
		_git_heroku
	}
fi
COMP_LINE=$1
COMP_POINT=${#COMP_LINE}
IFS=$'\n' read -rd '' -a COMP_WORDS < <(printf '%s' "$COMP_LINE" |
	sed 's/[:=]/ & /g' | tr -s ' ' '\n')
[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
complete_it
printf '[%s]' "${COMPREPLY[@]}"
END
bash_offers() {
	within 1 bash_has "$1" "$2"
	is "$status:$err:$out" "0::$2" "bash: $1"
}
# shellcheck disable=SC2317 # called by within
bash_has() {
	run bash "$scratch/bash" "$1"
	[ "$status:$err:$out" = "0::$2" ]
}
bash_offers 'git heroku rel' '[releases ][releases:diff ][releases:info ][releases:output ][releases:pin ][releases:retry ][releases:unpin ]'
bash_offers 'git heroku releases:o' '[output ]'
bash_offers 'git heroku releases:info v' '[v4 ][v3 ][v2 ][v1 ]'
bash_offers 'git heroku config:set MYV' '[MYVAR=]'
bash_offers 'git heroku addons:create redis:' '[small ][large ]'
bash_offers 'git heroku -a other rollback ' '[v1 ]'
bash_offers 'git heroku rollback --conf' '[--config-only ]'
cd ..
bash_offers 'git -C work heroku addons:destroy ' '[memcachier ]'
bash_offers 'git heroku rollback ' '[]'
cd work || exit 1
stop_slugd
bash_offers 'git heroku releases:info ' '[]'
bash_offers 'git heroku vers' '[version ]'
finish
