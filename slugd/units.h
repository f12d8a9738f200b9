/* SPDX-License-Identifier: ISC */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>

/*
 * systemd, where it runs slugd (contrib/systemd): it is told how slugd does,
 * and starts slugruns as units of their own. Its unit says so by
 *
 *	NOTIFY_SOCKET	where it is told (sd_notify(3), without the library)
 *	SLUGRUN_UNIT	what the units of slugruns are called up to the name
 *			of the app, as in slugrun@
 */
struct units;

/* Take the two out of the environment: no child of slugd's has them. */
struct units *units_new(void);

/* Free u; it may be NULL. */
void units_free(struct units *u);

/* Does systemd run slugd? Then apps end when it says so, not with slugd. */
bool units_run_slugd(const struct units *u);

/* Tell systemd, in the words of sd_notify(3): "READY=1". */
void units_notify(const struct units *u, const char *state);

/*
 * Let systemd start the slugrun of the app; it answers when it does.
 * Errors: ERR_NOTFOUND where slugruns are no units, or slugd may not start
 * any; ERR_FAILED with systemctl's reason.
 */
int units_start(const struct units *u, const char *app);

#endif
