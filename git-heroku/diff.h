/* SPDX-License-Identifier: ISC */
#ifndef DIFF_H
#define DIFF_H

#include "heroku.h"

/*
 * What differs between two releases of the app, both of the API's shape with
 * their config vars as the member config_vars, into *out (caller's
 * reference):
 *
 *	{"from": "v41", "to": "v42",
 *	 "code": {"from": COMMIT|null, "to": COMMIT|null, "missing": [COMMIT],
 *		  "commits": [...], "gone": [...], "folders": {...}},
 *	 "config": {"added": {}, "removed": {}, "changed": {}},
 *	 "addons": {"added": [], "removed": []}}
 *
 * commits, gone and folders (see clone.h) are null where the clone lacks a
 * commit, which is in missing then, or one of the releases has no code. In
 * config, a key has its value (changed: the new one), or null where values
 * is false.
 * Errors: those of clone_log() and clone_folders().
 */
int diff_releases(json_t **out, const json_t *from, const json_t *to,
		  bool values);

#endif
