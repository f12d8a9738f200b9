# SPDX-License-Identifier: ISC
EXTRA_DIST += contrib .ci/run

# The programs that provide add-ons, and what they share.
addonsdir = $(pkglibexecdir)/addons
dist_addons_SCRIPTS = \
	contrib/addons/memcached \
	contrib/addons/postgresql \
	contrib/addons/redis
dist_addons_DATA = contrib/addons/Provider.pm
