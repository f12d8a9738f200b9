/* SPDX-License-Identifier: ISC */
#ifndef BIND_FENCE_H
#define BIND_FENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A fence around an app's control group (version 2): no process in it binds a
 * port of slugd's range but those that were given to the app. A BPF program
 * looks at each bind(2) of IPv4 and IPv6, of TCP, UDP and all that goes
 * through the same calls in the kernel; a bind that is refused fails with
 * EPERM. See "BPF_PROG_TYPE_CGROUP_SOCK_ADDR" in Linux's bpf(2) headers.
 *
 * Root is let through, who is slugrun: an app has a user of its own where
 * this is used. The kernel drops the fence with the process that made it.
 *
 *	bind_fence_init(&f)
 *	bind_fence_open(&f, group)	the fence is ready, and refuses nothing
 *	bind_fence_guard(&f, 5100, 5999)	refuses all of the range
 *	bind_fence_allow(&f, 5999)	but this one
 *	bind_fence_close(&f)
 */
#define BIND_FENCE_HOOKS 4

struct bind_fence {
	int group;                  /* the folder; -1: no fence here */
	int map;                    /* of the ports that are allowed */
	int link[BIND_FENCE_HOOKS]; /* what holds the programs there */
	uint16_t first, last;       /* the range; 0: none yet */
};

/* Does the kernel let us have one? Errors: ERR_SYSTEM, with the reason. */
int bind_fence_try(void);

/* There is none; all calls do nothing. */
void bind_fence_init(struct bind_fence *f);

/* Have one around the group of that folder. Errors: ERR_SYSTEM. */
int bind_fence_open(struct bind_fence *f, const char *group);

/*
 * Refuse the ports from first to last from now on, instead of those before;
 * ports that are allowed stay so. Errors: ERR_SYSTEM, and all is as it was.
 */
int bind_fence_guard(struct bind_fence *f, uint16_t first, uint16_t last);

/* Is a range refused now? */
bool bind_fence_holds(const struct bind_fence *f);

/* Allow a port. Errors: ERR_SYSTEM. */
int bind_fence_allow(const struct bind_fence *f, uint16_t port);

/* Allow it no more. */
void bind_fence_refuse(const struct bind_fence *f, uint16_t port);

/* Take the fence down. */
void bind_fence_close(struct bind_fence *f);

#endif
