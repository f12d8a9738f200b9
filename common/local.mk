# SPDX-License-Identifier: ISC
noinst_LIBRARIES += common/libcommon.a

common_libcommon_a_SOURCES = \
	common/client.c common/client.h \
	common/clock.c common/clock.h \
	common/config-addon.c common/config-addon.h \
	common/config-sample.c common/config.c common/config.h \
	common/digest.c common/digest.h \
	common/dotenv.c common/dotenv.h \
	common/err.c common/err.h \
	common/etag.c common/etag.h \
	common/fence-calls.c \
	common/fence-files.c \
	common/fence-parts.h \
	common/fence.c common/fence.h \
	common/haproxy.c common/haproxy.h \
	common/http-admit.c \
	common/http-parts.c common/http-parts.h \
	common/http-peer.c \
	common/file.c common/file.h \
	common/frames.c common/frames.h \
	common/http-private.h \
	common/http-rest.c \
	common/http-stream.c \
	common/http-upgrade.c \
	common/http.c common/http.h \
	common/ids.c common/ids.h \
	common/json.c common/json.h \
	common/lock.c common/lock.h \
	common/log.c common/log.h \
	common/manifest.c common/manifest.h \
	common/mem.c common/mem.h \
	common/names.c common/names.h \
	common/proc.c common/proc.h \
	common/procfile.c common/procfile.h \
	common/sock.c common/sock.h \
	common/standard.c common/standard.h \
	common/text.c common/text.h
common_libcommon_a_CPPFLAGS = $(AM_CPPFLAGS) $(INIH_CFLAGS) \
	$(JANSSON_CFLAGS) $(MHD_CFLAGS) $(NETTLE_CFLAGS) $(SECCOMP_CFLAGS) \
	$(UUID_CFLAGS)
if COVERAGE
# A program behind the fence, too, writes down what was run of it.
common_libcommon_a_CPPFLAGS += -DFENCE_COVERAGE='"$(abs_top_builddir)"'
endif

dist_man_MANS += common/slugd.ini.5
