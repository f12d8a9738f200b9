/* SPDX-License-Identifier: ISC */
#ifndef FENCES_H
#define FENCES_H

/*
 * What is live on this machine of an app's fences.
 */

/*
 * Print it as one JSON object, for boxes in the folder dir: own_uid,
 * namespaces, overlay and seccomp, each true or a string that says why not;
 * cgroups, words such as "v1 memory pids", or null. It is tried out in a
 * folder made for it. Errors: ERR_SYSTEM, ERR_FAILED.
 */
int fences_print(const char *dir);

#endif
