/* SPDX-License-Identifier: ISC */
#ifndef PORTS_H
#define PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Ports on 127.0.0.1 for web processes, and whether one answers there.
 */

/*
 * A port that no other supervisor of this slugd gives to a process while
 * this one holds it: between the choice and the moment when the process
 * listens there is nothing else to tell two of them apart. Held by a lock on
 * a byte of a file, which the kernel drops with its holder.
 */
struct bind_fence;

struct port_lease {
	int fd; /* -1: none */
	uint16_t port;
	const struct bind_fence *fence; /* that lets the app bind it */
};

struct port_wish {
	const char *store;    /* slugd's folder: ports.lock is in it */
	uint16_t first, last; /* the highest that is free is taken */
	uint16_t but;         /* not this one, if there is another; 0: any */
	const struct bind_fence *fence; /* of the app; NULL: none */
};

/* Take a port. Errors: ERR_UNAVAILABLE where none is free; ERR_SYSTEM. */
int port_take(struct port_lease *lease, const struct port_wish *w);

/*
 * Is it that user who would get a connection to 127.0.0.1:port? Another one
 * may listen there since the choice.
 */
bool port_is_of(uint16_t port, int64_t uid);

/*
 * Is it another user who would get one, or, where uid is -1 and all apps are
 * our own user's, a process that is none of this app? own is the inode of a
 * listener that is known to be the app's, 0 at first. What cannot be found
 * out is no yes.
 */
bool port_is_taken(uint16_t port, int64_t uid, uint64_t *own);

/* Give it back; a lease that holds none is left alone. */
void port_release(struct port_lease *lease);

/* An attempt to connect, or to ask, which never blocks. */
struct probe {
	int fd;        /* to be watched for what can be read; -1: none */
	int64_t began; /* ms */
	bool asked;    /* the request is sent */
	char head[16]; /* of the answer */
	size_t len;
	bool reached; /* some attempt got a connection */
	int status;   /* of the last answer; -1: it was no HTTP; 0: none came */
};

/*
 * Does somebody accept on 127.0.0.1:port and, where path is not NULL, answer
 * GET path with a status of 200 to 399? To be asked again every few
 * milliseconds; now is clock_mono_ms().
 */
bool probe_answers(struct probe *p, uint16_t port, const char *path,
		   int64_t now);

/* Give up the attempt under way, if any. */
void probe_clear(struct probe *p);

#endif
