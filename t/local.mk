# SPDX-License-Identifier: ISC
# The tests, and the tools that look at the source.
#
#	make check                     every t/*.t, by prove
#	make check T=t/0300-pack.t     one, or some; also PROVE_FLAGS=-v
#	make lint                      clang-format, clang-tidy, cppcheck, ...
#	make coverage                  after configure --enable-coverage
#	make bench                     t/perf, against its bars

T = $(TESTS_TO_RUN)
PROVE_FLAGS = -j2 --timer
TEST_SECONDS = 900
stage = $(abs_top_builddir)/stage

include t/unit/local.mk

# What the tests see: the programs that were just built, under the names by
# which they are installed. What a sanitizer finds in any of them, however
# deep below a test, goes to files of one folder.
reports = $(abs_top_builddir)/sanitizer-reports
# Not of the program, but of a test that holds it short of memory or runs it
# under strace.
no_report = -e 'using ulimit -v' -e 'does not work under ptrace'
test_env = SLUGD_EXEC_PATH="$(stage)/libexec" PATH="$(stage)/bin:$$PATH" \
	TOP_BUILDDIR="$(abs_top_builddir)" CC="$(CC)" \
	ASAN_OPTIONS="detect_stack_use_after_return=1:log_path='$(reports)/r'" \
	TSAN_OPTIONS="suppressions='$$PWD/t/lib/tsan.supp':log_path='$(reports)/r'" \
	UBSAN_OPTIONS="print_stacktrace=1:log_path='$(reports)/r'" \
	LSAN_OPTIONS="suppressions='$$PWD/t/lib/lsan.supp':print_suppressions=0"

.PHONY: stage bench coverage
stage: all $(check_PROGRAMS)
	@rm -rf stage && $(MKDIR_P) stage/bin stage/libexec
	@for p in $(bin_PROGRAMS) $(sbin_PROGRAMS); do \
		ln -s "$(abs_top_builddir)/$$p" stage/bin/ || exit 1; done
	@for p in $(pkglibexec_PROGRAMS) $(filter slugpack/%,$(bin_PROGRAMS)); \
	do ln -s "$(abs_top_builddir)/$$p" stage/libexec/ || exit 1; done

check-local: stage
	@test -n "$(PROVE)" || { echo "make check: prove not found"; exit 1; }
	@rm -rf sanitizer-reports && $(MKDIR_P) sanitizer-reports
	@cd $(top_srcdir) && $(test_env) PROVE="$(PROVE)" \
		PROVE_FLAGS="$(PROVE_FLAGS)" TEST_SECONDS="$(TEST_SECONDS)" \
		STATE="$(abs_top_builddir)/prove.state" t/lib/prove-tests $(T)
	@bad=; for r in sanitizer-reports/*; do \
		test ! -s "$$r" || grep -q $(no_report) "$$r" || \
			{ cat "$$r"; bad=yes; }; \
	done; test -z "$$bad" || \
		{ echo "make check: a sanitizer found this"; exit 1; }

bench: stage
	@cd $(top_srcdir) && $(test_env) t/perf/bench $(BENCH)

coverage:
	@test -n "$(LCOV)" || { echo "make coverage: lcov not found"; exit 1; }
	-@$(MAKE) check
	@$(LCOV) -q -c -d . -o coverage.all
	@$(LCOV) -q -r coverage.all '/usr/*' '*/t/unit/*' -o coverage.info
	@$(GENHTML) -q -o coverage coverage.info
	@$(LCOV) --list coverage.info
	@echo "coverage/index.html shows each line"

clean-local:
	rm -rf stage prove.state sanitizer-reports coverage coverage.all coverage.info \
		lint.log
	find . -name '*.gcda' -o -name '*.gcno' | xargs rm -f

# The whole of it is for make check; here, what the tarball could break.
AM_DISTCHECK_CONFIGURE_FLAGS = TESTS_TO_RUN='t/00*.t'

# --- make lint -----------------------------------------------------------

rooms = $(addprefix $(top_srcdir)/,common hooks slugd slugpack slugrun \
	git-heroku t)
find_c = find $(rooms) -name '*.c' -print0 | sort -z
find_ch = find $(rooms) -name '*.[ch]' -print0 | sort -z
find_sh = { find $(top_srcdir)/t -name '*.t' -print0 -o -name '*.sh' -print0; \
	grep -rlZ '^\#!/bin/sh' $(rooms) $(top_srcdir)/contrib \
		$(top_srcdir)/.ci $(top_srcdir)/autogen.sh; } | sort -zu
find_man = find $(rooms) -name '*.[1-8]' -print0 | sort -z
jobs = $$(nproc 2>/dev/null || echo 1)

lint_cflags = -std=gnu11 $(DEFS) $(AM_CPPFLAGS) $(CPPFLAGS) \
	-I$(top_srcdir)/git-heroku \
	$(ARCHIVE_CFLAGS) $(CMOCKA_CFLAGS) $(GIT2_CFLAGS) $(INIH_CFLAGS) \
	$(JANSSON_CFLAGS) $(MHD_CFLAGS) $(SQLITE_CFLAGS) \
	$(UUID_CFLAGS) $(ZSTD_CFLAGS)

# $(call have,TOOL,$(TOOL)): stop in words where configure did not find it.
have = @test -n "$(2)" || { echo "make lint: $(1) not found:" \
	"contrib/install-deps --check installs it"; exit 1; }

.PHONY: lint lint-format lint-shell lint-man lint-cppcheck lint-tidy
lint: lint-format lint-shell lint-man lint-cppcheck lint-tidy

lint-format:
	$(call have,clang-format,$(CLANG_FORMAT))
	@echo "  LINT     clang-format"
	@$(find_ch) | xargs -0 $(CLANG_FORMAT) --dry-run -Werror

# SC2119 and SC2120 see a mistake where a function's arguments are optional.
lint-shell:
	$(call have,shellcheck,$(SHELLCHECK))
	@echo "  LINT     shellcheck"
	@$(find_sh) | xargs -0 $(SHELLCHECK) -x -s sh -e SC2119,SC2120 \
		-P SCRIPTDIR:$(top_srcdir)

lint-man:
	$(call have,mandoc,$(MANDOC))
	@echo "  LINT     mandoc"
	@$(find_man) | xargs -0 -r $(MANDOC) -Tlint -W warning

# readdir() is safe in glibc, and readdir_r() deprecated. Which arguments may
# be NULL its libraries have wrong for accept4() and fts_open(); clang-tidy
# looks for that.
lint-cppcheck:
	$(call have,cppcheck,$(CPPCHECK))
	@echo "  LINT     cppcheck"
	@$(find_c) | xargs -0 $(CPPCHECK) --quiet --error-exitcode=1 \
		--enable=warning,performance,portability --std=c11 \
		--library=bsd,gnu,posix --inline-suppr \
		--library=$(top_srcdir)/t/lib/cppcheck.cfg \
		--suppress=readdirCalled --suppress=nullPointer \
		-j $(jobs) -I $(top_srcdir)/common

# It counts the warnings of system headers on standard error: kept for the
# case that it fails.
lint-tidy:
	$(call have,clang-tidy,$(CLANG_TIDY))
	@echo "  LINT     clang-tidy"
	@$(find_c) | xargs -0 -I{} -P $(jobs) $(CLANG_TIDY) --quiet {} -- \
		$(lint_cflags) 2>lint.log || { cat lint.log; exit 1; }

EXTRA_DIST += t/lib $(wildcard $(srcdir)/t/perf/*) $(wildcard $(srcdir)/t/*.t)
