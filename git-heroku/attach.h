/* SPDX-License-Identifier: ISC */
#ifndef ATTACH_H
#define ATTACH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Be the terminal of a process elsewhere: on the connected socket conn, of
 * which len bytes at early have been read, speak common/frames.h until the
 * process ends; its exit status into *status.
 *
 * With a terminal that is raw meanwhile, and the same again on every way
 * out; a signal that ends this program does so after that. Without, the
 * process gets the signals that this program gets.
 * Errors: ERR_UNAVAILABLE where the connection breaks, ERR_SYSTEM.
 */
int attach(int conn, const char *early, size_t len, bool terminal, int *status);

#endif
