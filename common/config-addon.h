/* SPDX-License-Identifier: ISC */
#ifndef CONFIG_ADDON_H
#define CONFIG_ADDON_H

#include "config.h"

/*
 * The sections [addon NAME] of slugd.ini, for config.c, which reads the
 * file. Errors are ERR_INVALID, without the place.
 */

/* Begin an add-on of that name, the last of c->addons. */
int config_addon_begin(struct config *c, const char *name);

/*
 * Set a key of the add-on. *seen has a bit for each key that was set; it
 * begins as 0.
 */
int config_addon_set(struct config_addon *a, unsigned *seen, const char *name,
		     const char *value);

/* Free what the add-on has. */
void config_addon_clear(struct config_addon *a);

#endif
