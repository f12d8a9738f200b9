/* SPDX-License-Identifier: ISC */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Control groups of a process: its memory and the number of its processes,
 * by version 2 of cgroups or by version 1, each where this process may make
 * a group below its own. A group has a name that no other one on the machine
 * has, and is the same in each hierarchy.
 */

/*
 * Make the groups name and enter them, with limits (bytes; 0: none). That
 * there are none to be had is no error. Errors: ERR_SYSTEM.
 */
int cgroup_enter(const char *name, int64_t memory, int64_t max_processes);

/* Did the kernel kill for want of memory in group name? */
bool cgroup_was_full(const char *name);

/* Kill what is in the group name, and remove it. */
void cgroup_remove(const char *name);

/* The same for all groups whose names begin so. */
void cgroup_remove_all(const char *prefix);

/* What is live here: "v1 memory pids", or NULL: nothing. Caller frees. */
char *cgroup_live(void);

#endif
