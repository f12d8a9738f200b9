/* SPDX-License-Identifier: ISC */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include <stdbool.h>

/*
 * Who is root. A slugd that is started as root, on a DIR of another account,
 * becomes that account; slugd-parent stays root and does for it what takes
 * root (parent.c). See slugd(8), PRIVILEGES.
 */

/* The variable that names slugd's end of the socket to its parent. */
#define PRIVILEGE_SOCKET "SLUGD_PARENT"

/* The size of a request and of an answer. */
#define PRIVILEGE_SIZE 1024

struct privilege;

/*
 * For main(), before anything is opened: as root, where dir is another
 * account's, run slugd-parent in place of this program, which starts it again
 * as that account; there is no return then. A dir that does not exist is made
 * for account (NULL: "slugd", where there is such an account, else root).
 * 0: go on as what we are. Errors: ERR_INVALID where dir is not account's;
 * ERR_SYSTEM.
 */
int privilege_give_up(const char *dir, const char *account, char **argv);

/* The parent, where there is one; else NULL. */
struct privilege *privilege_open(void);
void privilege_close(struct privilege *p);

/* Ask it to start an app's slugrun. Errors: what it answers; ERR_SYSTEM. */
int privilege_start(struct privilege *p, const char *app);

/* Ask it to reserve uids. Errors: as uids_take(). */
struct config;
int privilege_reserve(struct privilege *p, const struct config *c);

#endif
