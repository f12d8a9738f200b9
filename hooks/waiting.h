/* SPDX-License-Identifier: ISC */
#ifndef WAITING_H
#define WAITING_H

/*
 * While a push waits, say for what: when nothing was said for two seconds,
 * once a second where git-receive-pack has a terminal, as when the push is to
 * a folder of this machine; else a line for each thing that is waited for.
 * git tells a hook nothing of a terminal at the other end of a connection, so
 * that is none.
 *
 *	waiting_start("/pushes/ID/waiting");
 *	... wait, and hook_say() what comes ...
 *	waiting_stop();
 */

/*
 * Begin, in a thread of its own, which asks slugd by GET path. What cannot be
 * found out is not said.
 */
void waiting_start(const char *path);

/* End. Nothing is said any more when this returns. */
void waiting_stop(void);

#endif
