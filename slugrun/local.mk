pkglibexec_PROGRAMS += slugrun/slugrun
slugrun_slugrun_SOURCES = \
	slugrun/api.c \
	slugrun/appdir.c \
	slugrun/attach.c slugrun/attach.h \
	slugrun/attached.c slugrun/attached.h \
	slugrun/exec.c slugrun/exec.h \
	slugrun/guard.c slugrun/guard.h \
	slugrun/helper.c slugrun/helper.h \
	slugrun/launch.c \
	slugrun/output.c slugrun/output.h \
	slugrun/place.c slugrun/place.h \
	slugrun/ports.c slugrun/ports.h \
	slugrun/process.c slugrun/process.h \
	slugrun/relay.c slugrun/relay.h \
	slugrun/release.c slugrun/release.h \
	slugrun/route.c slugrun/route.h \
	slugrun/servers.c slugrun/servers.h \
	slugrun/slugrun.c \
	slugrun/strays.c slugrun/strays.h \
	slugrun/supervisor.c slugrun/supervisor.h \
	slugrun/tree.c slugrun/tree.h \
	slugrun/trees.c slugrun/trees.h \
	slugrun/unpack.c slugrun/unpack.h
slugrun_slugrun_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS) \
	$(JANSSON_CFLAGS) $(MHD_CFLAGS)
slugrun_slugrun_LDADD = common/libcommon.a $(ARCHIVE_LIBS) \
	$(JANSSON_LIBS) $(MHD_LIBS) $(UUID_LIBS) \
	$(NETTLE_LIBS) $(SECCOMP_LIBS)
dist_man_MANS += slugrun/slugrun.8
