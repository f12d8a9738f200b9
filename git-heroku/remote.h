/* SPDX-License-Identifier: ISC */
#ifndef REMOTE_H
#define REMOTE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The remotes of the repository that the working folder belongs to.
 *
 *	struct remotes r = { 0 };
 *
 *	rc = remotes_read(&r);
 *	...
 *	remotes_release(&r);
 */
struct remote {
	char *name;
	char *url;     /* remote.NAME.url, the first; NULL: none */
	char *pushurl; /* remote.NAME.pushurl, the first; NULL: none */
};

/* One url.BASE.insteadOf or url.BASE.pushInsteadOf. */
struct rewrite {
	char *base, *prefix;
	bool push; /* pushInsteadOf */
};

struct remotes {
	struct remote *list; /* in the order of the configuration */
	size_t nr;
	struct rewrite *rewrites;
	size_t nr_rewrites;
	char *preferred; /* heroku.remote; NULL: not set */
};

/* Read them; none outside a repository. Errors: those of gitconfig_read(). */
int remotes_read(struct remotes *r);

/* Free what r holds, not r. */
void remotes_release(struct remotes *r);

/* The remote of that name, borrowed; NULL if there is none. */
const struct remote *remotes_find(const struct remotes *r, const char *name);

/*
 * Where a push to that remote goes, after insteadOf and pushInsteadOf, as
 * git-config(1) says; NULL where it has no URL. Caller frees.
 */
char *remote_push_url(const struct remotes *r, const struct remote *remote);

/*
 * The folder that a URL of git's names on this machine ("/srv/x.git",
 * "../x.git", "file:///srv/x.git"), as git-push(1) tells them from others;
 * NULL where it names another machine. Caller frees.
 */
char *remote_local_path(const char *url);

#endif
