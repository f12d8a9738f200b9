/* SPDX-License-Identifier: ISC */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Sockets. Every descriptor is close-on-exec. A Unix socket's path may be
 * of any length: a long one is reached through /proc/self/fd.
 */

/* Connect to the Unix socket at path, into *out. Errors: ERR_UNAVAILABLE. */
int sock_connect_unix(int *out, const char *path);

/* The same within ms milliseconds: a listener that is stuck takes nobody. */
int sock_connect_unix_within(int *out, const char *path, int ms);

/*
 * Listen on a Unix socket at path with the given mode, into *out. What lies
 * at path is replaced: the caller holds a lock that says it may.
 * Errors: ERR_SYSTEM.
 */
int sock_listen_unix(int *out, const char *path, unsigned mode);

/* Listen on 127.0.0.1:port, into *out. Errors: ERR_SYSTEM. */
int sock_listen_loopback(int *out, uint16_t port);

/* Connect to 127.0.0.1:port, into *out. Errors: ERR_UNAVAILABLE. */
int sock_connect_loopback(int *out, uint16_t port);

/* Could a program listen on 127.0.0.1:port just now? */
bool sock_port_is_free(uint16_t port);

#endif
