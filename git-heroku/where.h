/* SPDX-License-Identifier: ISC */
#ifndef WHERE_H
#define WHERE_H

/*
 * Which app a command is about, and at which socket its slugd listens.
 */
struct where {
	char *app;    /* its name, as typed or as its repository says */
	char *socket; /* the path of slugd's socket */
	char *remote; /* the remote that is the app's; NULL: none is known */
};

/*
 * The app is app, if given (-a); else that of the remote: remote, if given
 * (-r), else what git's configuration has as heroku.remote, else "heroku",
 * else the only remote that is an app's repository. The socket is the
 * remote's, or, where -a is given and no remote is an app's repository, that
 * in the folder SLUGD_DIR. What slugctl-init wrote into the repository
 * (slugd.app, slugd.socket) says whose it is.
 * Errors: ERR_NOTFOUND where nothing says so, ERR_INVALID where what does is
 * wrong; in words that say what to type instead.
 */
int where_find(struct where *out, const char *app, const char *remote);

/*
 * The same where no app is asked about: any remote that is an app's repository
 * says where slugd listens, or else the folder SLUGD_DIR. out->app is NULL
 * where several apps of one slugd are there, and none was chosen.
 * Errors: as where_find().
 */
int where_find_server(struct where *out, const char *app, const char *remote);

/* Free what w holds, not w. */
void where_release(struct where *w);

#endif
