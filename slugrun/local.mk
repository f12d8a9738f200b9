pkglibexec_PROGRAMS += slugrun/slugrun
slugrun_slugrun_SOURCES = \
	slugrun/api.c \
	slugrun/appdir.c \
	slugrun/bind-fence.c slugrun/bind-fence.h \
	slugrun/box-settings.c slugrun/box-settings.h \
	slugrun/box.c slugrun/box.h \
	slugrun/cgroup.c slugrun/cgroup.h \
	slugrun/capture.c slugrun/capture.h \
	slugrun/change.c slugrun/change.h \
	slugrun/formation.c slugrun/formation.h \
	slugrun/guard.c slugrun/guard.h \
	slugrun/helper.c slugrun/helper.h \
	slugrun/journal.c slugrun/journal.h \
	slugrun/launch.c slugrun/launch.h \
	slugrun/leaving.c \
	slugrun/lines.c slugrun/lines.h \
	slugrun/holders.c slugrun/holders.h \
	slugrun/listeners.c slugrun/listeners.h \
	slugrun/oneoff.c slugrun/oneoff.h \
	slugrun/output.c slugrun/output.h \
	slugrun/ports.c slugrun/ports.h \
	slugrun/process.c slugrun/process.h \
	slugrun/relay.c slugrun/relay.h \
	slugrun/release.c slugrun/release.h \
	slugrun/route.c slugrun/route.h \
	slugrun/runnable.c slugrun/runnable.h \
	slugrun/servers.c slugrun/servers.h \
	slugrun/slugrun.c \
	slugrun/sockets.c slugrun/sockets.h \
	slugrun/strays.c slugrun/strays.h \
	slugrun/supervisor.c slugrun/supervisor.h \
	slugrun/traffic.c slugrun/traffic.h \
	slugrun/tree.c slugrun/tree.h \
	slugrun/trees.c slugrun/trees.h
slugrun_slugrun_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(MHD_CFLAGS)
slugrun_slugrun_LDADD = common/libcommon.a $(JANSSON_LIBS) $(MHD_LIBS) \
	$(UUID_LIBS) $(SECCOMP_LIBS)

pkglibexec_PROGRAMS += slugrun/slugrun-box
slugrun_slugrun_box_SOURCES = \
	slugrun/attach.c slugrun/attach.h \
	slugrun/attached.c slugrun/attached.h \
	slugrun/bind-fence.c slugrun/bind-fence.h \
	slugrun/box-copy.c slugrun/box-copy.h \
	slugrun/box-dev.c slugrun/box-dev.h \
	slugrun/box-hide.c slugrun/box-hide.h \
	slugrun/box-rights.c slugrun/box-rights.h \
	slugrun/box-root.c slugrun/box-root.h \
	slugrun/box-seal.c slugrun/box-seal.h \
	slugrun/box-settings.c slugrun/box-settings.h \
	slugrun/box-spaces.c slugrun/box-spaces.h \
	slugrun/box.c slugrun/box.h \
	slugrun/cgroup.c slugrun/cgroup.h \
	slugrun/exec.c slugrun/exec.h \
	slugrun/fences.c slugrun/fences.h \
	slugrun/guard.c slugrun/guard.h \
	slugrun/init.c slugrun/init.h \
	slugrun/slugrun-box.c \
	slugrun/strays.c slugrun/strays.h \
	slugrun/tree.c slugrun/tree.h
slugrun_slugrun_box_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
slugrun_slugrun_box_LDADD = common/libcommon.a $(JANSSON_LIBS) \
	$(SECCOMP_LIBS)
# A program of its own: libarchive brings many other libraries, and slugrun
# and its children stay in memory.
pkglibexec_PROGRAMS += slugrun/slugunpack
slugrun_slugunpack_SOURCES = \
	slugrun/extract.c slugrun/extract.h \
	slugrun/link.c slugrun/link.h \
	slugrun/paths.c slugrun/paths.h \
	slugrun/place.c slugrun/place.h \
	slugrun/slugunpack.c \
	slugrun/tree.c slugrun/tree.h \
	slugrun/unpack.c slugrun/unpack.h
slugrun_slugunpack_CPPFLAGS = $(AM_CPPFLAGS) $(ARCHIVE_CFLAGS)
slugrun_slugunpack_LDADD = common/libcommon.a $(ARCHIVE_LIBS) $(UUID_LIBS) \
	$(NETTLE_LIBS) $(SECCOMP_LIBS)
dist_man_MANS += slugrun/slugrun.8 slugrun/slugunpack.8
