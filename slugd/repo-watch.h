/* SPDX-License-Identifier: ISC */
#ifndef REPO_WATCH_H
#define REPO_WATCH_H

#include "json.h"

/*
 * The repositories of apps, looked at when slugd starts and every five
 * minutes: git takes a push without a word where its hooks are not run, and
 * anybody with the account may move a branch by hand. What is found is logged
 * once, and shown by slugctl status and with the next push.
 */
struct slugd;
struct repo_watch;

struct repo_watch *repo_watch_new(struct slugd *d);

/* End the looks, and free w; it may be NULL. */
void repo_watch_free(struct repo_watch *w);

/*
 * Before anybody is served: renew hooks that an older slugd made, and find
 * repositories of a folder that was moved. What fails is logged.
 */
void repo_watch_recover(struct slugd *d);

/* Look from now on. Errors: ERR_SYSTEM. */
int repo_watch_start(struct repo_watch *w);

/* What was found last, ["app myapp: ..."]. Caller's reference. */
json_t *repo_watch_findings(struct repo_watch *w);

#endif
