/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "ctl.h"

int ctl_stop(const struct ctl *ctl)
{
	struct pollfd p = { -1, POLLIN, 0 };
	int rc = ctl_signal_slugd(ctl, SIGTERM, &p.fd);

	if (!rc) {
		poll(&p, 1, -1);
		printf("slugd in %s has ended\n", ctl->dir);
	}
	if (p.fd >= 0)
		close(p.fd);
	return rc;
}
