/* SPDX-License-Identifier: ISC */
#include "units.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "proc.h"

#define BOOTED "/run/systemd/system" /* sd_booted(3) */

struct units {
	char *socket; /* NULL: systemd does not run slugd */
	char *prefix; /* of units' names; NULL: slugruns are none */
};

/* A variable's value, or NULL; the variable goes. Caller frees. */
static char *take_variable(const char *name)
{
	const char *value = getenv(name);
	char *copy = value && *value ? xstrdup(value) : NULL;

	unsetenv(name);
	return copy;
}

struct units *units_new(void)
{
	struct units *u = xcalloc(1, sizeof(*u));

	u->socket = take_variable("NOTIFY_SOCKET");
	u->prefix = take_variable("SLUGRUN_UNIT");
	return u;
}

void units_free(struct units *u)
{
	if (!u)
		return;
	free(u->socket);
	free(u->prefix);
	free(u);
}

bool units_run_slugd(const struct units *u)
{
	return u->socket;
}

/* A path, or an @ and the name of an abstract one. */
void units_notify(const struct units *u, const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = u->socket ? strlen(u->socket) : 0;
	int fd;

	if (!len || len > sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, u->socket, len);
	if (*addr.sun_path == '@')
		*addr.sun_path = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* One that is not there, or not listening, is not to be helped. */
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

int units_start(const struct units *u, const char *app)
{
	char *unit, *said = NULL;
	int rc;

	if (!u->prefix || geteuid() || access(BOOTED, F_OK))
		return ERR_NOTFOUND;
	unit = xasprintf("%s%s.service", u->prefix, app);
	rc = proc_capture(
		&said, NULL,
		&(struct proc_spec){ .dir = "/",
				     .argv = (const char *const[]){
					     "systemctl", "start", "--no-block",
					     "--quiet", unit, NULL } });
	free(said);
	free(unit);
	return rc;
}
