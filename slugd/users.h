/* SPDX-License-Identifier: ISC */
#ifndef USERS_H
#define USERS_H

#include <stdbool.h>

/*
 * Has root other users here? Then an app is run as one of them. In a user
 * namespace, such as a container's, there may be root alone, who is no more
 * than an ordinary user outside; see user_namespaces(7).
 */
bool users_are_there(void);

#endif
