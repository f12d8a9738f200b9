/* SPDX-License-Identifier: ISC */
#include "standard.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "err.h"

int standard_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return err_sys("/dev/null");
	close(fd);
	return 0;
}

int standard_flush(void)
{
	static const char words[] = "cannot write to standard output";

	if (fflush(stdout))
		return err_sys("%s", words);
	/* An earlier part was lost, and why is not known any more. */
	return ferror(stdout) ? err_set(ERR_SYSTEM, "%s", words) : 0;
}
