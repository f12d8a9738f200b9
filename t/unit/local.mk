# SPDX-License-Identifier: ISC
# Unit tests of common/: each program is one t/unit/test-NOUN.c, and
# t/0010-unit.t runs them.

unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JANSSON_CFLAGS)
unit_ldadd = common/libcommon.a $(CMOCKA_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) \
	$(MHD_LIBS) $(UUID_LIBS) $(HTTP_PARSER_LIBS) $(NETTLE_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += \
	t/unit/test-client \
	t/unit/test-config \
	t/unit/test-cut \
	t/unit/test-err \
	t/unit/test-fence \
	t/unit/test-frames \
	t/unit/test-http \
	t/unit/test-jobs \
	t/unit/test-json \
	t/unit/test-lease \
	t/unit/test-ledger \
	t/unit/test-ledger-history \
	t/unit/test-lines \
	t/unit/test-manifest \
	t/unit/test-names \
	t/unit/test-peer \
	t/unit/test-ports \
	t/unit/test-proc \
	t/unit/test-procfile \
	t/unit/test-repo-sync \
	t/unit/test-retention \
	t/unit/test-text
endif

t_unit_test_client_SOURCES = t/unit/test-client.c t/unit/unit.h
t_unit_test_client_CPPFLAGS = $(unit_cppflags)
t_unit_test_client_LDADD = $(unit_ldadd)

t_unit_test_config_SOURCES = t/unit/test-config.c t/unit/unit.h
t_unit_test_config_CPPFLAGS = $(unit_cppflags)
t_unit_test_config_LDADD = $(unit_ldadd)

t_unit_test_cut_SOURCES = t/unit/test-cut.c t/unit/unit.h \
	slugpack/cut.c slugpack/cut.h slugpack/entry.h
t_unit_test_cut_CPPFLAGS = $(unit_cppflags)
t_unit_test_cut_LDADD = $(unit_ldadd)

t_unit_test_err_SOURCES = t/unit/test-err.c t/unit/unit.h
t_unit_test_err_CPPFLAGS = $(unit_cppflags)
t_unit_test_err_LDADD = $(unit_ldadd)

t_unit_test_fence_SOURCES = t/unit/test-fence.c t/unit/unit.h
t_unit_test_fence_CPPFLAGS = $(unit_cppflags)
t_unit_test_fence_LDADD = $(unit_ldadd) $(SECCOMP_LIBS)

t_unit_test_frames_SOURCES = t/unit/test-frames.c t/unit/unit.h
t_unit_test_frames_CPPFLAGS = $(unit_cppflags)
t_unit_test_frames_LDADD = $(unit_ldadd)

t_unit_test_http_SOURCES = t/unit/test-http.c t/unit/unit.h
t_unit_test_http_CPPFLAGS = $(unit_cppflags)
t_unit_test_http_LDADD = $(unit_ldadd)

# At the limit of threads as often as the test wants.
t_unit_test_jobs_SOURCES = t/unit/test-jobs.c t/unit/unit.h \
	slugd/jobs.c slugd/jobs.h
t_unit_test_jobs_CPPFLAGS = $(unit_cppflags)
t_unit_test_jobs_LDADD = $(unit_ldadd)
t_unit_test_jobs_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_create

t_unit_test_json_SOURCES = t/unit/test-json.c t/unit/unit.h
t_unit_test_json_CPPFLAGS = $(unit_cppflags)
t_unit_test_json_LDADD = $(unit_ldadd)

t_unit_test_lease_SOURCES = t/unit/test-lease.c t/unit/unit.h \
	slugd/lease.c slugd/lease.h
t_unit_test_lease_CPPFLAGS = $(unit_cppflags)
t_unit_test_lease_LDADD = $(unit_ldadd)

# The ledger's rules, with the sources that slugd has.
unit_ledger_sources = t/unit/ledger-kit.c t/unit/ledger-kit.h t/unit/unit.h \
	$(slugd_ledger_sources)
unit_ledger_cppflags = $(unit_cppflags) $(SQLITE_CFLAGS) $(UUID_CFLAGS)

t_unit_test_ledger_SOURCES = t/unit/test-ledger.c $(unit_ledger_sources)
t_unit_test_ledger_CPPFLAGS = $(unit_ledger_cppflags)
t_unit_test_ledger_LDADD = $(unit_ldadd) $(SQLITE_LIBS)

t_unit_test_ledger_history_SOURCES = t/unit/test-ledger-history.c \
	$(unit_ledger_sources)
t_unit_test_ledger_history_CPPFLAGS = $(unit_ledger_cppflags)
t_unit_test_ledger_history_LDADD = $(unit_ldadd) $(SQLITE_LIBS)

t_unit_test_manifest_SOURCES = t/unit/test-manifest.c t/unit/unit.h
t_unit_test_manifest_CPPFLAGS = $(unit_cppflags)
t_unit_test_manifest_LDADD = $(unit_ldadd)

t_unit_test_names_SOURCES = t/unit/test-names.c t/unit/unit.h
t_unit_test_names_CPPFLAGS = $(unit_cppflags)
t_unit_test_names_LDADD = $(unit_ldadd)

t_unit_test_lines_SOURCES = t/unit/test-lines.c t/unit/unit.h \
	slugrun/lines.c slugrun/lines.h
t_unit_test_lines_CPPFLAGS = $(unit_cppflags)
t_unit_test_lines_LDADD = $(unit_ldadd)

t_unit_test_peer_SOURCES = t/unit/test-peer.c t/unit/unit.h
t_unit_test_peer_CPPFLAGS = $(unit_cppflags)
t_unit_test_peer_LDADD = $(unit_ldadd)

t_unit_test_ports_SOURCES = t/unit/test-ports.c t/unit/unit.h \
	slugrun/bind-fence.c slugrun/bind-fence.h \
	slugrun/ports.c slugrun/ports.h \
	slugrun/holders.c slugrun/holders.h \
	slugrun/listeners.c slugrun/listeners.h
t_unit_test_ports_CPPFLAGS = $(unit_cppflags)
t_unit_test_ports_LDADD = $(unit_ldadd)

t_unit_test_proc_SOURCES = t/unit/test-proc.c t/unit/unit.h
t_unit_test_proc_CPPFLAGS = $(unit_cppflags)
t_unit_test_proc_LDADD = $(unit_ldadd)

t_unit_test_procfile_SOURCES = t/unit/test-procfile.c t/unit/unit.h
t_unit_test_procfile_CPPFLAGS = $(unit_cppflags)
t_unit_test_procfile_LDADD = $(unit_ldadd)

t_unit_test_repo_sync_SOURCES = t/unit/test-repo-sync.c t/unit/unit.h \
	slugd/repo-sync.c slugd/repo.h
t_unit_test_repo_sync_CPPFLAGS = $(unit_cppflags)
t_unit_test_repo_sync_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync
t_unit_test_repo_sync_LDADD = $(unit_ldadd)

t_unit_test_retention_SOURCES = t/unit/test-retention.c \
	$(unit_ledger_sources)
t_unit_test_retention_CPPFLAGS = $(unit_ledger_cppflags)
t_unit_test_retention_LDADD = $(unit_ldadd) $(SQLITE_LIBS)

t_unit_test_text_SOURCES = t/unit/test-text.c t/unit/unit.h
t_unit_test_text_CPPFLAGS = $(unit_cppflags)
t_unit_test_text_LDADD = $(unit_ldadd)
