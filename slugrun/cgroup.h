/* SPDX-License-Identifier: ISC */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Control groups of a process: its memory and the number of its processes,
 * by version 2 of cgroups or by version 1, each where slugrun may make a group
 * below its own. A group has a name that no other one on the machine has, and
 * is the same in each hierarchy.
 */

/*
 * When slugrun begins, before it has children: where it has a group of
 * version 2 for itself, move into one below that, so that others can be made
 * beside it. Elsewhere move into a new group of the name own; nothing changes
 * where that is NULL. See "No Internal Process Constraint" in Linux's
 * cgroup-v2.rst. The folder of the group that has no other processes but ours
 * and those that we start; NULL: none. Caller frees.
 */
char *cgroup_prepare(const char *own);

/* At the end: leave the group of that call, and remove it if it is new. */
void cgroup_leave(const char *group, const char *own);

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

/*
 * A new group of version 2, for a try; NULL: none is to be had. To be removed
 * by rmdir(2), and freed.
 */
char *cgroup_try(void);

#endif
