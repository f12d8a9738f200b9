/* SPDX-License-Identifier: ISC */
#ifndef BOX_SEAL_H
#define BOX_SEAL_H

#include <stdbool.h>

/*
 * What may be done on mounts of a box, as flags of mount(2): MS_RDONLY,
 * MS_NOSUID, MS_NODEV and MS_NOEXEC. Flags are added, never taken away.
 */

/*
 * To be called before the new root is mounted on /proc: an older kernel can
 * change one mount at a time only, and /proc tells which ones there are.
 * Returns a descriptor for box_seal(), or -1 where it needs none.
 */
int box_seal_open(void);

/*
 * Add flags to the mount at path, an absolute path, and, with all, to each
 * mount below it. Errors: ERR_SYSTEM.
 */
int box_seal(int mounts, const char *path, bool all, unsigned long flags);

#endif
