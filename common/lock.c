/* SPDX-License-Identifier: ISC */
#include "lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "clock.h"
#include "err.h"

#define PAUSE_MS 5 /* between two attempts */

int lock_wait(int fd, int how, int ms, const char *path)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	int64_t deadline = clock_mono_ms() + ms;

	while (flock(fd, how | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys("%s", path);
		if (clock_mono_ms() >= deadline)
			return err_set(ERR_CONFLICT, "%s is locked", path);
		nanosleep(&pause, NULL);
	}
	return 0;
}
