# SPDX-License-Identifier: ISC
bin_PROGRAMS += slugpack/slugpack
dist_man_MANS += slugpack/slugpack.1

slugpack_slugpack_SOURCES = \
	slugpack/cache.c slugpack/cache.h \
	slugpack/catfile.c slugpack/catfile.h \
	slugpack/compress.c slugpack/compress.h \
	slugpack/cut.c slugpack/cut.h \
	slugpack/entry.c slugpack/entry.h \
	slugpack/glob.c slugpack/glob.h \
	slugpack/ignore.c slugpack/ignore.h \
	slugpack/maker.c slugpack/maker.h \
	slugpack/missing.c slugpack/missing.h \
	slugpack/needs.c slugpack/needs.h \
	slugpack/options.c slugpack/options.h \
	slugpack/output.c slugpack/output.h \
	slugpack/pack.c slugpack/pack.h \
	slugpack/plan-internal.h \
	slugpack/plan.c slugpack/plan.h \
	slugpack/pool.c slugpack/pool.h \
	slugpack/progress.c slugpack/progress.h \
	slugpack/reach.c slugpack/reach.h \
	slugpack/report.c slugpack/report.h \
	slugpack/segments.c \
	slugpack/sink.h \
	slugpack/slug.c slugpack/slug.h \
	slugpack/slugpack.c \
	slugpack/store.c slugpack/store.h \
	slugpack/stuck.c slugpack/stuck.h \
	slugpack/tree.c slugpack/tree.h
slugpack_slugpack_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) \
	$(GIT2_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS)
slugpack_slugpack_LDADD = common/libcommon.a $(GIT2_LIBS) \
	$(ARCHIVE_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(JANSSON_LIBS) \
	$(NETTLE_LIBS) $(SECCOMP_LIBS)

EXTRA_DIST += t/perf/make-repo t/perf/pack
