/* SPDX-License-Identifier: ISC */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Where in a target a slug's entry goes: a thread's walk through the
 * target's folders. Each step goes down by one name, and through no symbolic
 * link; so none of them is left, whatever other threads make there.
 *
 *	place_open(&p)		the working folder is the target
 *	place_enter(&p, path, ...)	it is now the folder of path
 *	place_close(&p)
 */
struct place {
	int root;
	char *folder; /* where the thread is, below the root; NULL: nowhere */
	size_t len;   /* of it */
	size_t room;
};

/*
 * In this thread's working folder, which from now on is the thread's alone,
 * and its umask, too. Errors: ERR_SYSTEM.
 */
int place_open(struct place *p);

/* Where the thread is then is not said. */
void place_close(struct place *p);

/*
 * Go to the folder that path lies in, or to path itself where that is a
 * folder; what is not there of it is made, with mode 0755. *base is the last
 * name of path, borrowed from it.
 * Errors: ERR_INVALID, ERR_SYSTEM, with a reason that goes behind path.
 */
int place_enter(struct place *p, const char *path, bool folder,
		const char **base);

#endif
