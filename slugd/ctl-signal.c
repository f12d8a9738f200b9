/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl.h"
#include "err.h"
#include "sock.h"

/* slugd is whoever listens on the socket (unix(7), SO_PEERCRED). */
int ctl_signal_slugd(const struct ctl *ctl, int sig, int *pidfd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
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
	*pidfd = (int)syscall(SYS_pidfd_open, cred.pid, 0);
	if (*pidfd < 0 || syscall(SYS_pidfd_send_signal, *pidfd, sig, NULL, 0))
		rc = err_sys("process %d", (int)cred.pid);
	return rc;
}
