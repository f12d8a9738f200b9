/* SPDX-License-Identifier: ISC */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Where a process that should listen on a port listens instead, in words:
 *
 *	it listens on [::1]:3000
 *	it listens on 10.0.0.1:5103, not on 127.0.0.1
 *	it listens on the Unix socket /tmp/web.sock alone
 *	it listens on no port
 *
 * Asked are the process of that pid, those of its session, and all that they
 * started. NULL where that cannot be seen. Caller frees.
 */
char *sockets_describe(pid_t pid, uint16_t port);

#endif
