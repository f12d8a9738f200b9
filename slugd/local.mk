sbin_PROGRAMS += slugd/slugd
bin_PROGRAMS += slugd/slugctl
dist_man_MANS += slugd/slugctl.1 slugd/slugd-addons.5 slugd/slugd.8

slugd_ledger_sources = \
	slugd/addon-changes.c \
	slugd/backend.h \
	slugd/changes.c \
	slugd/ledger-apps.c \
	slugd/expire.c \
	slugd/formation.c \
	slugd/ledger-internal.h \
	slugd/ledger-sql.c slugd/ledger-sql.h \
	slugd/ledger-sqlite.c \
	slugd/ledger.c slugd/ledger.h \
	slugd/retention.c slugd/retention.h \
	slugd/retry.c \
	slugd/rollback.c

slugd_slugd_SOURCES = \
	slugd/addons.c slugd/addons.h \
	slugd/adopt.c slugd/adopt.h \
	slugd/aliases.c slugd/aliases.h \
	slugd/alternates.c slugd/alternates.h \
	slugd/api-addons.c \
	slugd/api-apps.c \
	slugd/api-builds.c \
	slugd/api-config.c \
	slugd/api-dynos.c \
	slugd/api-formation.c \
	slugd/api-logs.c \
	slugd/api-pushes.c \
	slugd/api-releases.c \
	slugd/api-run.c \
	slugd/api-slugs.c \
	slugd/api-waiting.c \
	slugd/api.c slugd/api.h \
	slugd/build.c slugd/build.h \
	slugd/checksum.c slugd/checksum.h \
	slugd/configs.c slugd/configs.h \
	slugd/gc.c slugd/gc.h \
	slugd/head.c slugd/head.h \
	slugd/hidden.c slugd/hidden.h \
	slugd/idle.c slugd/idle.h \
	slugd/jobs.c slugd/jobs.h \
	slugd/kept.c slugd/kept.h \
	slugd/lane.c slugd/lane.h \
	slugd/launch.c slugd/launch.h \
	slugd/lease.c slugd/lease.h \
	slugd/log-file.c slugd/log-file.h \
	slugd/logs.c slugd/logs.h \
	slugd/name-set.c slugd/name-set.h \
	slugd/order.c slugd/order.h \
	slugd/program.c slugd/program.h \
	slugd/provider.c slugd/provider.h \
	slugd/privilege.c slugd/privilege.h \
	slugd/pushes-internal.h \
	slugd/pushes.c slugd/pushes.h \
	slugd/repo-sync.c \
	slugd/reflog.c slugd/reflog.h \
	slugd/refusals.c slugd/refusals.h \
	slugd/repo-hooks.c slugd/repo-hooks.h \
	slugd/repo-mend.c slugd/repo-mend.h \
	slugd/repo-moved.c slugd/repo-moved.h \
	slugd/repo-watch.c slugd/repo-watch.h \
	slugd/repo.c slugd/repo.h \
	slugd/runner.c slugd/runner.h \
	slugd/route-config.c slugd/route-config.h \
	slugd/route-process.c slugd/route-process.h \
	slugd/route.c slugd/route.h \
	slugd/settle.c \
	slugd/safe-path.c slugd/safe-path.h \
	slugd/slugd.c slugd/slugd.h \
	slugd/slugs.c slugd/slugs.h \
	slugd/streams.c slugd/streams.h \
	slugd/trial.c \
	slugd/uids.c slugd/uids.h \
	slugd/users.c slugd/users.h \
	slugd/units.c slugd/units.h \
	slugd/watches.c slugd/watches.h \
	$(slugd_ledger_sources)
slugd_slugd_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(MHD_CFLAGS) \
	$(SQLITE_CFLAGS) $(UUID_CFLAGS)
slugd_slugd_LDADD = common/libcommon.a $(MHD_LIBS) $(JANSSON_LIBS) \
	$(SQLITE_LIBS) $(UUID_LIBS) $(INIH_LIBS) $(NETTLE_LIBS) \
	$(HTTP_PARSER_LIBS)

pkglibexec_PROGRAMS += slugd/slugd-parent
slugd_slugd_parent_SOURCES = \
	slugd/parent.c slugd/privilege.h \
	slugd/uids.c slugd/uids.h \
	slugd/units.c slugd/units.h
slugd_slugd_parent_LDADD = common/libcommon.a

slugd_slugctl_SOURCES = \
	slugd/adopt.c slugd/adopt.h \
	slugd/alternates.c slugd/alternates.h \
	slugd/ctl-backup.c \
	slugd/ctl-cat-slug.c \
	slugd/ctl-check.c \
	slugd/ctl-fences.c slugd/ctl-fences.h \
	slugd/ctl-fsck.c \
	slugd/ctl-gc.c \
	slugd/ctl-init.c \
	slugd/ctl-reload.c \
	slugd/ctl-repair.c \
	slugd/ctl-signal.c \
	slugd/ctl-status.c \
	slugd/ctl-stop.c \
	slugd/ctl.h \
	slugd/fsck.c slugd/fsck.h \
	slugd/head.c slugd/head.h \
	slugd/lease.c slugd/lease.h \
	slugd/name-set.c slugd/name-set.h \
	slugd/repo-hooks.c slugd/repo-hooks.h \
	slugd/repo-mend.c slugd/repo-mend.h \
	slugd/repo-sync.c \
	slugd/repo-moved.c slugd/repo-moved.h \
	slugd/repo.c slugd/repo.h \
	slugd/safe-path.c slugd/safe-path.h \
	slugd/slugctl.c \
	slugd/slugs.c slugd/slugs.h \
	slugd/users.c slugd/users.h \
	$(slugd_ledger_sources)
slugd_slugctl_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(SQLITE_CFLAGS) \
	$(UUID_CFLAGS)
slugd_slugctl_LDADD = common/libcommon.a $(JANSSON_LIBS) $(SQLITE_LIBS) \
	$(UUID_LIBS) $(INIH_LIBS) $(HTTP_PARSER_LIBS) \
	$(NETTLE_LIBS) $(SECCOMP_LIBS)
