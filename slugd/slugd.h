/* SPDX-License-Identifier: ISC */
#ifndef SLUGD_H
#define SLUGD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "config.h"
#include "jobs.h"
#include "kept.h"
#include "lane.h"
#include "ledger.h"
#include "logs.h"
#include "privilege.h"
#include "slugs.h"
#include "streams.h"
#include "units.h"
#include "watches.h"

/*
 * The daemon's parts, put together in slugd.c and handed to whoever works.
 * Only what stands under a lock of its own may be used from every thread:
 * that is all of these but the writer, which belongs to the ledger's lane.
 */
struct slugd {
	const struct config *_Atomic config; /* replaced by SIGHUP */
	struct configs *configs;
	time_t started_at;
	char *dir;                /* absolute */
	char *socket;             /* DIR/slugd.sock */
	uid_t uid;                /* the service account */
	struct privilege *parent; /* that is root; NULL: there is none */
	bool roots_apps;          /* slugruns are root's, apps have uids */
	struct ledger *ledger;    /* for reading */
	struct ledger *writer;    /* for jobs of JOBS_LEDGER */
	struct slug_store *slugs;
	struct streams *streams;
	struct logs *logs;
	struct jobs *jobs;
	struct lanes *lanes;
	struct kept *kept;
	struct pushes *pushes;
	struct units *units;
	struct route *route; /* NULL: nothing is launched */
	struct watches *watches;
	struct repo_watch *repo_watch;
	bool recovering; /* before anybody is served */
	atomic_bool stopping;
	int stop_fd; /* an eventfd, which can be read when stopping is set */
	atomic_bool gc_due; /* there is something to remove */
};

/* Does slugd launch releases, or only record them? */
bool slugd_launches(const struct slugd *d);

#endif
