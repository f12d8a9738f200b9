/* SPDX-License-Identifier: ISC */
#ifndef BOX_RIGHTS_H
#define BOX_RIGHTS_H

#include "box-settings.h"

/*
 * What a process of an app may do.
 */

/*
 * Become user uid and the group of that number, and of no other group. Until
 * another program is executed no process of that user may trace us or look
 * into /proc for our memory and files; see PR_SET_DUMPABLE in prctl(2).
 * Errors: ERR_SYSTEM.
 */
int box_become(int64_t uid);

/* The limits of s. Errors: ERR_SYSTEM. */
int box_limits(const struct box_settings *s);

/*
 * Give up all capabilities and every way to new ones; refuse the system
 * calls that no app needs, where s says so. Errors: ERR_SYSTEM.
 */
int box_drop_rights(const struct box_settings *s);

#endif
