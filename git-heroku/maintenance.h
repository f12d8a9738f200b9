/* SPDX-License-Identifier: ISC */
#ifndef MAINTENANCE_H
#define MAINTENANCE_H

#include <stdbool.h>

#include "heroku.h"

/*
 * Switch the app's maintenance on or off: connect, and say so.
 * Errors: those of heroku_connect() and client_call().
 */
int maintenance_switch(struct heroku *h, bool on);

#endif
