# The tests: "make check" runs prove over t/*.t, against a folder of links to
# what was just built. T='t/0300-slugpack.t' picks some, PROVE_FLAGS=-v.

T =
PROVE_FLAGS =
stage = $(abs_top_builddir)/stage

# The programs under the names by which they are installed.
stage: all $(check_PROGRAMS)
	@rm -rf stage && $(MKDIR_P) stage/bin stage/libexec
	@for p in $(bin_PROGRAMS) $(sbin_PROGRAMS); do \
		ln -s $(abs_top_builddir)/$$p stage/bin/ || exit 1; done
	@for p in $(pkglibexec_PROGRAMS) slugpack/slugpack; do \
		ln -s $(abs_top_builddir)/$$p stage/libexec/ || exit 1; done

check-local: stage
	cd $(top_srcdir) && SLUGD_EXEC_PATH=$(stage)/libexec \
		PATH=$(stage)/bin:$$PATH \
		TOP_BUILDDIR=$(abs_top_builddir) \
		$(PROVE) $(PROVE_FLAGS) $(if $(T),$(T),t/*.t)

clean-local:
	rm -rf stage

.PHONY: stage

EXTRA_DIST += t/lib/test.sh
EXTRA_DIST += t/lib/server.pl
