#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/install-deps: knows the library of each line of configure.ac, and
# behaves where there is nothing to do, or no way to do it.

. "$(dirname "$0")/lib/test.sh"

top=$(dirname "$t")
deps=$top/contrib/install-deps

# The Debian package that its tables have for a pkg-config name.
package_of() {
	sed -n "s/^$1  *\\([a-z0-9.-]*\\)\$/\\1/p" "$deps"
}

modules=$(sed -n 's/^PKG_CHECK_MODULES(\[[A-Z0-9]*\], \[\([a-z0-9_-]*\).*/\1/p' \
	"$top/configure.ac")
like "$modules" '^libgit2$' 'configure.ac asks for libraries'
is "$(printf '%s\n' "$modules" | wc -l)" \
	"$(grep -c '^PKG_CHECK_MODULES' "$top/configure.ac")" \
	'each by a line that this test can read'

for module in $modules; do
	package=$(package_of "$module")
	isnt "$package" '' "$module: install-deps names its package"
	like "$("$deps" --check --print)" "^$package\$" \
		"$module: $package is installed with --check"
	command -v dpkg >/dev/null || continue
	like "$(dpkg -L "$package" 2>&1)" "/$module\\.pc\$" \
		"$module: $package has its .pc file"
done
unlike "$("$deps" --print)" '^lib(cmocka|archive-tools)' \
	'what only tests need is not for a build'

tools=$(sed -n 's/^AC_CHECK_PROGS(\[[A-Z_]*\], \[\(.*\)\])$/\1/p' \
	"$top/configure.ac")
like "$tools" '^prove$' 'configure.ac looks for tools'
for tool in $tools; do
	case $tool in
	prove) package=perl ;;
	genhtml) package=lcov ;;
	*) package=$tool ;;
	esac
	like "$("$deps" --check --print)" "^$package\$" \
		"$tool: $package is installed with --check"
done

# From here on with a dpkg-query, an id and an apt-get of our own; the file
# "have" names what is installed.
mkdir bin
for tool in sh sed cat env grep; do
	ln -s "$(command -v "$tool")" bin/
done
cat >bin/dpkg-query <<'EOF'
#!/bin/sh
for package; do :; done
grep -qx "$package" have && echo installed
EOF
cat >bin/apt-get <<'EOF'
#!/bin/sh
echo "apt-get $*" >>calls
EOF
cat >bin/id <<'EOF'
#!/bin/sh
cat uid
EOF
chmod +x bin/dpkg-query bin/apt-get bin/id

on_their_machine() {
	rm -f calls
	run env PATH="$scratch/bin" "$deps" "$@"
	calls=$(cat calls 2>/dev/null)
}

echo 0 >uid
"$deps" --check --print >have
on_their_machine --check
is "$status:$out:$err:$calls" 0::: 'not a word where nothing is missing'

sed -i '/^libgit2-dev$/d; /^shellcheck$/d' have
on_their_machine
is "$status" 0 'as root, it installs'
like "$calls" '^apt-get .*update' 'after apt-get update'
like "$calls" '^apt-get .*install .* libgit2-dev$' 'just what is missing'
on_their_machine --check
like "$calls" 'install .* libgit2-dev shellcheck' 'and with --check the rest'

echo 1000 >uid
on_their_machine
is "$status" 1 'neither root nor sudo: it fails'
like "$err" 'run it as root.*libgit2-dev' 'and says who must install what'
is "$calls" '' 'having tried nothing'

cat >bin/sudo <<'EOF'
#!/bin/sh
[ "$1" = -n ] && shift
echo sudo >>calls
exec "$@"
EOF
chmod +x bin/sudo
on_their_machine
is "$status" 0 'a user with sudo: it installs'
like "$calls" '^sudo$' 'through sudo'

rm bin/dpkg-query
on_their_machine
is "$status" 0 'no Debian: it leaves the word to configure'
like "$err" 'libgit2-dev' 'and says what is needed'

on_their_machine --frob
is "$status" 1 'an unknown option is an error'
like "$err" '^usage: contrib/install-deps' 'that shows the usage'

finish
