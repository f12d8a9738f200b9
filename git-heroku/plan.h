/* SPDX-License-Identifier: ISC */
#ifndef PLAN_H
#define PLAN_H

#include "heroku.h"

/*
 * Change an add-on to another plan, as addons:upgrade and addons:downgrade
 * do: h->args are NAME PLAN, or SERVICE:PLAN for the only add-on of that
 * service. Errors: ERR_NOTFOUND and ERR_INVALID where that names no add-on,
 * or several; those of change_make().
 */
int plan_change(struct heroku *h);

#endif
