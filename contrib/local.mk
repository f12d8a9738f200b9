# SPDX-License-Identifier: ISC
EXTRA_DIST += contrib .ci/run

# The programs that provide add-ons, and what they share.
addonsdir = $(pkglibexecdir)/addons
dist_addons_SCRIPTS = \
	contrib/addons/memcached \
	contrib/addons/postgresql \
	contrib/addons/redis
dist_addons_DATA = contrib/addons/Provider.pm

# systemd looks below /usr and /usr/local alike.
units = contrib/systemd/slugd.service contrib/systemd/slugrun@.service
if UNITS
systemdsystemunit_DATA = $(units)
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = contrib/systemd/slugd.conf
endif
noinst_DATA += $(units)
CLEANFILES += $(units)

$(units): %: %.in Makefile
	@$(MKDIR_P) contrib/systemd
	$(AM_V_GEN)sed -e 's,@sbindir\@,$(sbindir),' \
		-e 's,@pkglibexecdir\@,$(pkglibexecdir),' \
		'$(srcdir)/$@.in' >$@
