/* SPDX-License-Identifier: ISC */
#ifndef HOLDERS_H
#define HOLDERS_H

#include <stdint.h>

/*
 * Which process has a socket? Where all apps are one user's, this tells them
 * apart: what this slugrun started, and what that started, is its app.
 */
enum holder {
	HOLDER_OURS,    /* a process below this one */
	HOLDER_OTHER,   /* none of them */
	HOLDER_UNKNOWN, /* not all of them can be looked at */
};

/* Who has the socket of that inode? See proc(5), /proc/PID/fd. */
enum holder holder_of(uint64_t inode);

#endif
