/* SPDX-License-Identifier: ISC */
#include "ctl-fences.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "err.h"
#include "json.h"
#include "mem.h"
#include "proc.h"

/* In the child: what slugrun says as slugd's user, to out. */
static void say(const struct ctl *ctl, int out)
{
	char *helper = proc_helper("slugrun");

	if (!ctl_become_owner(ctl) && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0)
		execl(helper, helper, "fences", ctl->dir, (char *)NULL);
	_exit(127);
}

static size_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, size - 1 - len)) > 0 ||
	       (n < 0 && errno == EINTR))
		len += n > 0 ? (size_t)n : 0;
	buf[len] = '\0';
	return len;
}

/* What the machine can, as slugrun(8) says it; NULL: it cannot be told. */
static json_t *ask(const struct ctl *ctl)
{
	json_t *live = NULL;
	char text[4096];
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return NULL;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		say(ctl, fds[1]);
	close(fds[1]);
	if (pid > 0 && read_all(fds[0], text, sizeof(text)))
		live = json_loads(text, 0, NULL);
	close(fds[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return live;
}

/* A comma between what is printed, and what was before it. */
static void add(char **list, char *words)
{
	str_replace(list,
		    *list ? xasprintf("%s, %s", *list, words) : xstrdup(words));
	free(words);
}

struct fences {
	char *live, *missing; /* NULL: none */
};

static void take(struct fences *f, const char *name, bool wanted,
		 const json_t *is)
{
	const char *why = json_string_value(is);

	if (wanted && json_is_true(is))
		add(&f->live, xstrdup(name));
	else
		add(&f->missing, xasprintf("no %s (%s)", name,
					   !wanted ? "switched off"
					   : why   ? why
						   : "cannot be told"));
}

/* It is by uid that slugrun's own binds are told from an app's. */
static void take_ports(struct fences *f, bool own_uid, const json_t *is)
{
	const char *why = json_string_value(is);

	if (!why)
		why = "they have no uid of their own";
	if (own_uid && json_is_true(is))
		add(&f->live, xstrdup("ports of their own"));
	else
		add(&f->missing,
		    xasprintf("no ports of their own (watched only: %s)", why));
}

/* "v1 memory pids" */
static void take_cgroups(struct fences *f, bool wanted, const char *words)
{
	bool memory = words && strstr(words, " memory");
	bool pids = words && strstr(words, " pids");

	if (wanted && (memory || pids))
		add(&f->live, xasprintf("%s by cgroup %.2s",
					memory && pids ? "memory and processes"
					: memory       ? "memory"
						       : "processes",
					words));
	if (!wanted || !memory)
		add(&f->missing,
		    xasprintf("no limit of memory (%s)",
			      wanted ? "no cgroup to be had" : "switched off"));
}

static int read_config(const struct ctl *ctl, struct config **out)
{
	char *path = xasprintf("%s/slugd.ini", ctl->dir);
	bool none = access(path, F_OK) && errno == ENOENT;
	int rc = config_read(out, none ? NULL : path);

	free(path);
	return rc;
}

void ctl_show_fences(const struct ctl *ctl)
{
	struct fences f = { NULL, NULL };
	struct config *c = NULL;
	json_t *live = NULL;
	bool hidden;

	if (read_config(ctl, &c) || !(live = ask(ctl))) {
		printf("apps: what fences them cannot be told\n");
		goto done;
	}
	take(&f, "own uid", c->own_uid, json_object_get(live, "own_uid"));
	take(&f, "namespaces", c->namespaces,
	     json_object_get(live, "namespaces"));
	hidden = c->namespaces &&
		 json_is_true(json_object_get(live, "namespaces"));
	if (hidden)
		take(&f, "overlay", true, json_object_get(live, "overlay"));
	take(&f, "seccomp", c->seccomp, json_object_get(live, "seccomp"));
	take_ports(&f, c->own_uid, json_object_get(live, "ports"));
	take_cgroups(&f, c->cgroups, json_str(live, "cgroups", NULL));
	printf("apps: %s%s%s\n", f.live ? f.live : "",
	       f.live && f.missing ? "; " : "", f.missing ? f.missing : "");
	if (!hidden)
		printf("apps: without namespaces no file is hidden from them%s\n",
		       json_is_true(json_object_get(live, "own_uid")) &&
				       c->own_uid
			       ? ""
			       : ", not even slugd's");
done:
	free(f.live);
	free(f.missing);
	json_decref(live);
	config_free(c);
}
