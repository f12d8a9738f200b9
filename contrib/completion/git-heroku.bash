# SPDX-License-Identifier: ISC
# bash completion for "git heroku". git's own completion calls _git_heroku();
# it finds this file as completions/git-heroku, or source it after git's.
# What can be offered, "git heroku complete" knows; this only asks it.
# shellcheck shell=bash disable=SC2154 # words, cword, cur are git's

_git_heroku ()
{
	local first=${__git_cmd_idx-} word cut=
	local -a before

	# Older versions of git's completion do not say where the command is.
	if [[ -z $first ]]; then
		first=1
		while (( first < cword )) && [[ ${words[first]} != heroku ]]; do
			(( first++ ))
		done
	fi
	before=("${words[@]:first + 1:cword - first - 1}")

	# bash takes a word apart at each ":"; the last part is replaced.
	if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
		cut=${cur%"${cur##*:}"}
	fi
	COMPREPLY=()
	while IFS= read -r word; do
		word=${word#"$cut"}
		# git's completion adds no blank itself.
		[[ $word == *= ]] || word+=' '
		COMPREPLY+=("$word")
	done < <(git ${__git_C_args[@]+"${__git_C_args[@]}"} \
		${__git_dir:+--git-dir="$__git_dir"} \
		heroku complete -- "${before[@]}" "$cur" 2>/dev/null </dev/null)
	return 0
}
