/* SPDX-License-Identifier: ISC */
#ifndef CONFIGS_H
#define CONFIGS_H

#include <stdint.h>

struct config;
struct slugd;

/*
 * slugd's configuration: slugd.ini as it was read last. Any thread may be
 * looking at an older one, so each stays until slugd ends.
 */
struct configs;

/*
 * Read the file, or where that is NULL DIR/slugd.ini, which may be absent,
 * into d->config. Errors: as config_read().
 */
int configs_open(struct slugd *d, const char *file);

/*
 * Read it again. A good one replaces d->config, except for what cannot
 * change while slugd runs; of a bad one each mistake is logged, and nothing
 * changes.
 */
void configs_reload(struct slugd *d);

/*
 * Reserve the uids of c for d's apps, where they have some.
 * Errors: as uids_take().
 */
int configs_reserve_uids(const struct slugd *d, const struct config *c);

/* The file that is read; NULL: there is none, and the defaults hold. Caller frees. */
char *configs_path(const struct slugd *d);

/* How often it was read without a mistake. */
int64_t configs_reads(const struct slugd *d);

/* Free all that were read. */
void configs_close(struct slugd *d);

#endif
