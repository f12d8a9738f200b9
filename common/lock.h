/* SPDX-License-Identifier: ISC */
#ifndef LOCK_H
#define LOCK_H

/*
 * flock(2) on fd, by how (LOCK_EX or LOCK_SH), within ms milliseconds; path
 * is what messages call it. Held until fd is closed.
 * Errors: ERR_CONFLICT where somebody has it all that time; ERR_SYSTEM.
 */
int lock_wait(int fd, int how, int ms, const char *path);

#endif
