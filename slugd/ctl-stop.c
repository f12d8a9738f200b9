/* SPDX-License-Identifier: ISC */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "sock.h"

/* slugd is whoever listens on the socket (unix(7), SO_PEERCRED). */
int ctl_stop(const struct ctl *ctl)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct pollfd p = { -1, POLLIN, 0 };
	int fd = -1, rc;

	rc = sock_connect_unix(&fd, ctl->socket);
	if (rc)
		return err_set(rc,
			       "slugd is not running: nothing answers at %s",
			       ctl->socket);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		rc = err_sys("%s", ctl->socket);
	close(fd);
	if (rc)
		return rc;
	p.fd = (int)syscall(SYS_pidfd_open, cred.pid, 0);
	if (p.fd < 0 || kill(cred.pid, SIGTERM)) {
		rc = err_sys("process %d", (int)cred.pid);
	} else {
		poll(&p, 1, -1);
		printf("slugd in %s has ended\n", ctl->dir);
	}
	if (p.fd >= 0)
		close(p.fd);
	return rc;
}
