/* SPDX-License-Identifier: ISC */
#include "hook.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "sock.h"
#include "text.h"

/* Heroku's limit of a build; so long, nothing need be heard. */
#define SILENCE_MS  (15 * 60 * 1000)
#define LINK        "slugd.sock"
#define MAX_WAIT_MS 10000 /* for a developer's terminal, in all */

int hook_read_refs(json_t **refs)
{
	json_t *list = json_array(), *item;
	char *line = NULL, *save, *old, *new, *name;
	size_t size = 0;
	int rc = 0;

	while (!rc && getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		save = NULL;
		old = strtok_r(line, " ", &save);
		new = strtok_r(NULL, " ", &save);
		name = save;
		item = old && new &&name &&*name
			       ? json_pack("{s:s, s:s, s:s}", "name", name,
					   "old", old, "new", new)
			       : NULL;
		if (item)
			json_array_append_new(list, item);
		else
			rc = err_set(ERR_INVALID, "a ref's name is not UTF-8");
	}
	free(line);
	if (rc)
		json_decref(list);
	else
		*refs = list;
	return rc;
}

json_t *hook_branches(const json_t *refs)
{
	json_t *branches = json_array(), *ref;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)refs, i, ref)
		if (!strncmp(json_str(ref, "name", ""), "refs/heads/", 11) &&
		    strcmp(json_str(ref, "new", ""), NAME_ZERO_OID))
			json_array_append(branches, ref);
	return branches;
}

int hook_connect(struct client **out)
{
	char path[4096];
	ssize_t n = readlink(LINK, path, sizeof(path) - 1);
	int fd, rc;

	*out = NULL;
	path[n < 0 ? 0 : n] = '\0';
	if (!sock_connect_unix(&fd, LINK)) {
		rc = client_open_fd(out, fd);
		if (!rc)
			client_set_timeout(*out, SILENCE_MS);
		return rc;
	}
	return err_set(ERR_UNAVAILABLE,
		       "slugd is not running: nothing answers at %s. Start "
		       "it with: slugd -d DIR",
		       n < 0 ? LINK : path);
}

int hook_post(struct client *c, const char *path, const json_t *refs,
	      const json_t *more, json_t **out)
{
	char *cwd = getcwd(NULL, 0);
	json_t *body;
	int rc;

	if (!cwd)
		return err_sys("working folder");
	body = json_pack("{s:s, s:O}", "repository", cwd, "refs", refs);
	if (!body) {
		rc = err_set(ERR_INVALID, "the repository's path is not UTF-8");
	} else {
		json_object_update(body, (json_t *)(uintptr_t)more);
		rc = client_call(c, "POST", path, body, out);
	}
	json_decref(body);
	free(cwd);
	return rc;
}

static char last = '\n'; /* byte that was said */

int hook_say_bytes(void *ctx, const char *data, size_t len)
{
	static int waited;
	struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };

	(void)ctx;
	while (len && waited < MAX_WAIT_MS) {
		ssize_t n;

		if (poll(&p, 1, 100) <= 0) {
			waited += 100;
			continue;
		}
		if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
			break;
		/* A pipe that polls writable has room for PIPE_BUF bytes. */
		n = write(STDERR_FILENO, data, len > 512 ? 512 : len);
		if (n <= 0)
			break;
		last = data[n - 1];
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

void hook_say(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	hook_say_bytes(NULL, s, strlen(s));
	free(s);
}

void hook_complain(const char *text)
{
	char *copy = xstrdup(text), *save = NULL, *line;

	if (last != '\n')
		hook_say("\n");
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *safe = text_escape(line);

		hook_say(" !     %s\n", safe);
		free(safe);
	}
	free(copy);
}
