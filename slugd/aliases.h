/* SPDX-License-Identifier: ISC */
#ifndef ALIASES_H
#define ALIASES_H

#include "json.h"

/*
 * A folder may be there a second time: by a bind mount, or where the file
 * system that it is on is mounted twice.
 */

/*
 * Append to paths, an array of absolute paths without symbolic links, the
 * other paths by which these, or what is in them, can be reached. Mounts on
 * the system's own files, such as /etc/resolv.conf, are left out.
 * Errors: ERR_SYSTEM.
 */
int aliases_add(json_t *paths);

#endif
