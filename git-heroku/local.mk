bin_PROGRAMS += git-heroku/git-heroku

git_heroku_git_heroku_SOURCES = \
	git-heroku/alias.c git-heroku/alias.h \
	git-heroku/attach.c git-heroku/attach.h \
	git-heroku/change.c git-heroku/change.h \
	git-heroku/clone.c git-heroku/clone.h \
	git-heroku/cmd-addons-create.c \
	git-heroku/cmd-addons-destroy.c \
	git-heroku/cmd-addons-downgrade.c \
	git-heroku/cmd-addons-info.c \
	git-heroku/cmd-addons-plans.c \
	git-heroku/cmd-addons-rotate.c \
	git-heroku/cmd-addons-services.c \
	git-heroku/cmd-addons-upgrade.c \
	git-heroku/cmd-addons.c \
	git-heroku/cmd-apps.c \
	git-heroku/cmd-complete.c \
	git-heroku/cmd-config-edit.c \
	git-heroku/cmd-config-get.c \
	git-heroku/cmd-config-set.c \
	git-heroku/cmd-config-unset.c \
	git-heroku/cmd-config.c \
	git-heroku/cmd-deploy.c \
	git-heroku/cmd-help.c \
	git-heroku/cmd-info.c \
	git-heroku/cmd-logs.c \
	git-heroku/cmd-maintenance.c \
	git-heroku/cmd-maintenance-off.c \
	git-heroku/cmd-maintenance-on.c \
	git-heroku/cmd-open.c \
	git-heroku/cmd-ps.c \
	git-heroku/cmd-ps-restart.c \
	git-heroku/cmd-ps-scale.c \
	git-heroku/cmd-ps-stop.c \
	git-heroku/cmd-releases-diff.c \
	git-heroku/cmd-releases-info.c \
	git-heroku/cmd-releases-output.c \
	git-heroku/cmd-releases-pin.c \
	git-heroku/cmd-releases-retry.c \
	git-heroku/cmd-releases-unpin.c \
	git-heroku/cmd-releases.c \
	git-heroku/cmd-rollback.c \
	git-heroku/cmd-run-detached.c \
	git-heroku/cmd-run.c \
	git-heroku/cmd-version.c \
	git-heroku/command.c git-heroku/command.h \
	git-heroku/diff.c git-heroku/diff.h \
	git-heroku/dyno.c git-heroku/dyno.h \
	git-heroku/git-heroku.c \
	git-heroku/gitconfig.c git-heroku/gitconfig.h \
	git-heroku/heroku.c git-heroku/heroku.h \
	git-heroku/maintenance.c git-heroku/maintenance.h \
	git-heroku/oneoff.c git-heroku/oneoff.h \
	git-heroku/options.c git-heroku/options.h \
	git-heroku/pin.c git-heroku/pin.h \
	git-heroku/plan.c git-heroku/plan.h \
	git-heroku/progress.c git-heroku/progress.h \
	git-heroku/release-name.c git-heroku/release-name.h \
	git-heroku/remote.c git-heroku/remote.h \
	git-heroku/show.c git-heroku/show.h \
	git-heroku/stream.c git-heroku/stream.h \
	git-heroku/terminal.c git-heroku/terminal.h \
	git-heroku/vars.c git-heroku/vars.h \
	git-heroku/where.c git-heroku/where.h
git_heroku_git_heroku_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
git_heroku_git_heroku_LDADD = common/libcommon.a $(JANSSON_LIBS) \
	$(HTTP_PARSER_LIBS)

dist_man_MANS += git-heroku/git-heroku.1

# git's own completion looks for it under this name.
completions = $(DESTDIR)$(datadir)/bash-completion/completions
install-data-local:
	$(MKDIR_P) "$(completions)"
	$(INSTALL_DATA) $(top_srcdir)/contrib/completion/git-heroku.bash \
		"$(completions)/git-heroku"

uninstall-local:
	rm -f "$(completions)/git-heroku"

check_PROGRAMS += t/lib/gitconfig-list
t_lib_gitconfig_list_SOURCES = t/lib/gitconfig-list.c \
	git-heroku/gitconfig.c git-heroku/gitconfig.h
t_lib_gitconfig_list_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/git-heroku
t_lib_gitconfig_list_LDADD = common/libcommon.a
