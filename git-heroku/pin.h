/* SPDX-License-Identifier: ISC */
#ifndef PIN_H
#define PIN_H

#include <stdbool.h>

#include "heroku.h"

/*
 * releases:pin and releases:unpin: the release of the argument, or the
 * current one, keeps its slug, or no longer. Errors: those of the API.
 */
int pin_release(struct heroku *h, bool pin);

#endif
