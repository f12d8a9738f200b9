/* SPDX-License-Identifier: ISC */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
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

#define OWN   "hooks/reference-transaction.chained"
#define HOOK  "slugd.hooks/reference-transaction"
#define WATCH "slugd.hooks/watched-ref" /* a link to its name */

/* What fails costs no release: the push is settled when it ends, too. */
void hook_watch_ref(const char *ref)
{
	if (!ref)
		return;
	if ((unlink(WATCH) && errno != ENOENT) || symlink(ref, WATCH))
		return;
	(void)!link(HOOK ".idle", HOOK);
}

int hook_pass_others(void)
{
	static const char *const others[] = { "update", "post-update",
					      "proc-receive",
					      "push-to-checkout" };
	char idle[80], live[64], own[64];
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(live, sizeof(live), "slugd.hooks/%s", others[i]);
		snprintf(idle, sizeof(idle), "%s.idle", live);
		snprintf(own, sizeof(own), "hooks/%s", others[i]);
		/* Without it they are those of a folder elsewhere. */
		if (access(idle, F_OK))
			continue;
		if (access(own, X_OK))
			unlink(live);
		else if (link(idle, live) && errno != EEXIST)
			return err_sys("%s", live);
	}
	return 0;
}

int hook_watch_all(void)
{
	if (!access(OWN, F_OK) && link(HOOK ".idle", HOOK) && errno != EEXIST)
		return err_sys(HOOK);
	return 0;
}

bool hook_is_watched(const char *name)
{
	char ref[4096];
	ssize_t n = readlink(WATCH, ref, sizeof(ref) - 1);

	if (n < 0)
		return !strncmp(name, "refs/heads/", strlen("refs/heads/"));
	ref[n] = '\0';
	return !strcmp(name, ref);
}

void hook_watch_end(void)
{
	/* One of the repository's own is started for all refs. */
	if (access(OWN, F_OK) && errno == ENOENT)
		unlink(HOOK);
}

/* The path that the link leads to, in full where that can be. Caller frees. */
static char *socket_path(void)
{
	char target[4096], *slash, *dir, *path;
	ssize_t n = readlink(LINK, target, sizeof(target) - 1);

	if (n < 0)
		return xstrdup(LINK);
	target[n] = '\0';
	slash = strrchr(target, '/');
	if (*target == '/' || !slash)
		return xstrdup(target);
	*slash = '\0';
	dir = realpath(target, NULL);
	path = xasprintf("%s/%s", dir ? dir : target, slash + 1);
	free(dir);
	return path;
}

int hook_connect(struct client **out)
{
	char *path;
	int fd, rc;

	*out = NULL;
	if (!sock_connect_unix(&fd, LINK)) {
		rc = client_open_fd(out, fd);
		if (!rc)
			client_set_timeout(*out, SILENCE_MS);
		return rc;
	}
	path = socket_path();
	rc = err_set(ERR_UNAVAILABLE,
		     "slugd is not running: nothing answers at %s. Start it "
		     "with: slugd -d DIR",
		     path);
	free(path);
	return rc;
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

/* What was said, for those who say more: two threads may. */
static struct {
	pthread_mutex_t lock;
	int waited;     /* ms, for a developer who does not read */
	int64_t ms;     /* when the last of it was, by clock_mono_ms(); 0 */
	char open[256]; /* the line begun, as far as it fits */
	size_t len;     /* of that line */
} said = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Under the lock: the line begun, after len bytes more. */
static void note(const char *data, size_t len)
{
	const char *end = memrchr(data, '\n', len);
	size_t room;

	if (end) {
		said.len = 0;
		len -= (size_t)(end + 1 - data);
		data = end + 1;
	}
	room = said.len < sizeof(said.open) ? sizeof(said.open) - said.len : 0;
	memcpy(said.open + said.len, data, len < room ? len : room);
	said.len += len;
}

/* Under the lock. */
static void write_bytes(const char *data, size_t len)
{
	struct pollfd p = { STDERR_FILENO, POLLOUT, 0 };

	while (len && said.waited < MAX_WAIT_MS) {
		ssize_t n;

		if (poll(&p, 1, 100) <= 0) {
			said.waited += 100;
			continue;
		}
		if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
			break;
		/* A pipe that polls writable has room for PIPE_BUF bytes. */
		n = write(STDERR_FILENO, data, len > 512 ? 512 : len);
		if (n <= 0)
			break;
		data += n;
		len -= (size_t)n;
	}
}

int hook_say_bytes(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	pthread_mutex_lock(&said.lock);
	write_bytes(data, len);
	note(data, len);
	said.ms = clock_mono_ms();
	pthread_mutex_unlock(&said.lock);
	return 0;
}

int64_t hook_silent_ms(void)
{
	int64_t now = clock_mono_ms(), ms;

	pthread_mutex_lock(&said.lock);
	if (!said.ms)
		said.ms = now;
	ms = now - said.ms;
	pthread_mutex_unlock(&said.lock);
	return ms;
}

/* Is the line begun one of slugd's own, and known as a whole? */
static bool is_step(void)
{
	return said.len > 6 && said.len <= sizeof(said.open) &&
	       !memcmp(said.open, "-----> ", 7);
}

void hook_say_meanwhile(const char *begin, const char *text, char end)
{
	char *line = NULL;

	pthread_mutex_lock(&said.lock);
	/* git shows no line before its end: so it is ended, and begun again. */
	if (!said.len)
		line = xasprintf("%s%s%c", begin, text, end);
	else if (is_step())
		line = xasprintf("%s%s%c%.*s",
				 said.open[said.len - 1] == ' ' ? "" : " ",
				 text, end, (int)said.len, said.open);
	if (line)
		write_bytes(line, strlen(line));
	pthread_mutex_unlock(&said.lock);
	free(line);
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

	if (said.len)
		hook_say("\n");
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *safe = text_escape(line);

		hook_say(" !     %s\n", safe);
		free(safe);
	}
	free(copy);
}
