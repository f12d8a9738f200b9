/* SPDX-License-Identifier: ISC */
#include "route-process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "haproxy.h"
#include "log.h"
#include "mem.h"
#include "proc.h"
#include "route-config.h"

#define START_MS  10000 /* for HAProxy to start, which takes 0.1 s */
#define END_MS    5000  /* for it to end */
#define MIN_MAJOR 2     /* of its version: "add server" */
#define MIN_MINOR 6

/* Where the program is: as SLUGD_HAPROXY says, in PATH, or beside it. */
char *route_find_program(void)
{
	const char *own = getenv("SLUGD_HAPROXY"), *path = getenv("PATH");
	char *all, *save = NULL, *dir, *file = NULL;

	if (own)
		return *own && !access(own, X_OK) ? xstrdup(own) : NULL;
	all = xasprintf("%s:/usr/local/sbin:/usr/sbin", path ? path : "");
	for (dir = strtok_r(all, ":", &save); dir && !file;
	     dir = strtok_r(NULL, ":", &save)) {
		file = xasprintf("%s/haproxy", dir);
		if (access(file, X_OK))
			str_replace(&file, NULL);
	}
	free(all);
	return file;
}

/* "HAProxy version 2.6.12-1+deb12u4 ...": the number, where it will do. */
int route_read_version(const char *program, char **out)
{
	const char *argv[] = { program, "-v", NULL };
	const struct proc_spec spec = { .argv = argv, .dir = "/" };
	unsigned long major = 0, minor = 0;
	char *text = NULL, *at, *dot = NULL;
	int rc = proc_capture(&text, NULL, &spec);

	if (rc)
		return rc;
	at = strstr(text, "version ");
	if (at)
		major = strtoul(at + 8, &dot, 10);
	if (dot && *dot == '.')
		minor = strtoul(dot + 1, NULL, 10);
	if (!major)
		rc = err_set(ERR_FAILED, "%s does not say its version",
			     program);
	else if (major < MIN_MAJOR || (major == MIN_MAJOR && minor < MIN_MINOR))
		rc = err_set(ERR_FAILED, "HAProxy %lu.%lu is older than %d.%d",
			     major, minor, MIN_MAJOR, MIN_MINOR);
	else
		*out = xstrndup(at + 8, strspn(at + 8, "0123456789."));
	free(text);
	return rc;
}

/* The value behind "key: " at the beginning of a line; "" where none is. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && (strncmp(text, key, len) != 0 || text[len] != ':')) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text ? text + len + 1 + strspn(text + len + 1, " ") : "";
}

/* Which HAProxy answers. Errors: ERR_UNAVAILABLE. */
int route_look(const char *socket, struct running *now)
{
	char *info = NULL;
	int rc;

	memset(now, 0, sizeof(*now));
	rc = haproxy_ask(&info, socket, "show info", HAPROXY_MS);
	if (!rc)
		rc = haproxy_ask(&now->frontends, socket, "show stat -1 1 -1",
				 HAPROXY_MS);
	if (!rc) {
		now->pid = (pid_t)strtol(value_of(info, "Pid"), NULL, 10);
		snprintf(now->id, sizeof(now->id), "%s",
			 value_of(info, "description"));
	}
	if (!rc && now->pid <= 1)
		rc = err_set(ERR_UNAVAILABLE, "HAProxy does not say its pid");
	free(info);
	return rc;
}

/* Does it listen for this front end? */
bool route_has_frontend(const struct running *now, const char *name)
{
	const char *p = now->frontends;
	size_t len = strlen(name);

	while (p && (strncmp(p, name, len) != 0 || p[len] != ',')) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return p;
}

/* The first [ALERT] of what HAProxy wrote, as this thread's error. */
static int alert(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	const char *words = NULL;

	while (f && !words && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		words = strstr(line, "[ALERT]");
	}
	words = words ? words + 7 + strcspn(words + 7, ":") : NULL;
	err_set(ERR_FAILED, "HAProxy does not start%s; see %s",
		words ? words : "", path);
	if (f)
		fclose(f);
	return ERR_FAILED;
}

/* Wait until the one that was started is in the background. */
static int await(pid_t child, const char *log)
{
	struct pollfd p = { -1, POLLIN, 0 };
	bool late;

	p.fd = (int)syscall(SYS_pidfd_open, child, 0);
	late = p.fd >= 0 && poll(&p, 1, START_MS) == 0;
	if (p.fd >= 0)
		close(p.fd);
	if (late)
		kill(-child, SIGKILL);
	if (!proc_wait(child, "haproxy"))
		return 0;
	if (late)
		return err_set(ERR_FAILED,
			       "HAProxy does not start within %d seconds",
			       START_MS / 1000);
	return alert(log);
}

/* Start it, in place of old (0: none), from what was written. */
int route_start_program(const char *program, const char *dir, pid_t old)
{
	char *log = xasprintf("%s/log/haproxy", dir);
	char *pid = xasprintf("%d", (int)old);
	const char *argv[] = { program,
			       "-D",
			       "-f",
			       ROUTE_CONFIG,
			       "-p",
			       ROUTE_PID,
			       old ? "-x" : NULL,
			       ROUTE_SOCKET,
			       "-sf",
			       pid,
			       NULL };
	struct proc_spec spec = { .argv = argv, .dir = dir, .session = true };
	pid_t child;
	int rc;

	spec.out = spec.err =
		open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = spec.out < 0 ? err_sys("%s", log) : proc_spawn(&child, &spec);
	if (!rc)
		rc = await(child, log);
	if (spec.out >= 0)
		close(spec.out);
	free(pid);
	free(log);
	return rc;
}

/* End the HAProxy that answers, if one does, and wait for that. */
void route_end_program(const char *socket)
{
	struct running now;
	struct pollfd p = { -1, POLLIN, 0 };

	if (!route_look(socket, &now))
		p.fd = (int)syscall(SYS_pidfd_open, now.pid, 0);
	free(now.frontends);
	if (p.fd < 0)
		return;
	log_line("ending HAProxy, pid %d", (int)now.pid);
	syscall(SYS_pidfd_send_signal, p.fd, SIGTERM, NULL, 0);
	if (poll(&p, 1, END_MS) == 0) {
		syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
		poll(&p, 1, END_MS);
	}
	close(p.fd);
	unlink(socket);
}
