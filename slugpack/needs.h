/* SPDX-License-Identifier: ISC */
#ifndef NEEDS_H
#define NEEDS_H

#include "json.h"
#include "tree.h"

/*
 * slugd builds nothing: a package.json without node_modules will not run.
 * That is told, and refuses nothing, since a machine may have what is needed.
 */

/*
 * Append a line to the notices, an array of strings, for each file in the
 * root folder that names what the app needs where the tree lacks it; and one
 * for a Procfile whose name is in another case. What cannot be read is passed
 * over.
 */
void needs_notice(struct tree *t, json_t *notices);

#endif
