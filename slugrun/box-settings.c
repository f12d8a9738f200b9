/* SPDX-License-Identifier: ISC */
#include "box-settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "json.h"
#include "mem.h"
#include "release.h"

#define ROOM 3 /* variables that are set later */

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys("the settings of a process");
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int box_settings_write(int fd, const struct release *r, const char *run,
		       const char *command, const char *cgroup, int64_t mark)
{
	json_t *j = json_make(
		"{s:s, s:s, s:s, s:s, s:o, s:o?, s:o?,"
		" s:I, s:b, s:b, s:I, s:I, s:I, s:I}",
		"command", command, "tree", r->dir, "run", run, "mask",
		r->store, "cgroup", json_str_or_null(cgroup), "hide",
		json_incref(r->hide), "show", json_incref(r->show), "uid",
		(json_int_t)r->uid, "namespaces", r->namespaces, "seccomp",
		r->seccomp, "memory", (json_int_t)r->memory, "max_processes",
		(json_int_t)r->max_processes, "max_files",
		(json_int_t)r->max_files, "mark", (json_int_t)mark);
	char *text = json_dumps(j, JSON_COMPACT);
	int rc;

	if (!text)
		abort();
	if (lseek(fd, 0, SEEK_END) < 0 || write(fd, "", 1) != 1)
		rc = err_sys("the settings of a process");
	else
		rc = write_all(fd, text, strlen(text));
	if (!rc && lseek(fd, 0, SEEK_SET))
		rc = err_sys("the settings of a process");
	free(text);
	json_decref(j);
	return rc;
}

static int read_all(int fd, char **out, size_t *len)
{
	size_t size = 4096;
	ssize_t n;

	*len = 0;
	*out = xcalloc(size, 1);
	do {
		if (*len + 1 == size) {
			size *= 2;
			*out = xrealloc(*out, size, 1);
		}
		n = read(fd, *out + *len, size - *len - 1);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	(*out)[*len] = '\0';
	return n < 0 ? err_sys("reading the environment") : 0;
}

/* The variables in s->text, as execve(2) takes them; where they end. */
static const char *split(struct box_settings *s, size_t len)
{
	size_t n = 0, at;

	for (at = 0; at < len && s->text[at]; at += strlen(s->text + at) + 1)
		n++;
	s->env = xcalloc(n + ROOM + 1, sizeof(*s->env));
	n = 0;
	for (at = 0; at < len && s->text[at]; at += strlen(s->text + at) + 1)
		s->env[n++] = s->text + at;
	return at < len ? s->text + at + 1 : s->text + len;
}

static char *dup_str(const json_t *j, const char *key)
{
	const char *text = json_str(j, key, NULL);

	return text ? xstrdup(text) : NULL;
}

/* An array of strings; what is none is an empty list. */
static char **dup_list(const json_t *j, const char *key)
{
	const json_t *array = json_object_get(j, key);
	size_t i, n = json_array_size(array), nr = 0;
	char **list = xcalloc(n + 1, sizeof(*list));
	const char *text;

	for (i = 0; i < n; i++) {
		text = json_string_value(json_array_get(array, i));
		if (text)
			list[nr++] = xstrdup(text);
	}
	return list;
}

static void free_list(char **list)
{
	size_t i;

	for (i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static int parse(struct box_settings *s, const char *text)
{
	json_t *j = json_loads(text, 0, NULL);

	s->command = dup_str(j, "command");
	s->tree = dup_str(j, "tree");
	s->run = dup_str(j, "run");
	s->mask = dup_str(j, "mask");
	s->cgroup = dup_str(j, "cgroup");
	s->hide = dup_list(j, "hide");
	s->show = dup_list(j, "show");
	s->uid = json_int(j, "uid", -1);
	s->namespaces = json_is_true(json_object_get(j, "namespaces"));
	s->seccomp = json_is_true(json_object_get(j, "seccomp"));
	s->memory = json_int(j, "memory", 0);
	s->max_processes = json_int(j, "max_processes", 0);
	s->max_files = json_int(j, "max_files", 0);
	s->mark = json_int(j, "mark", 0);
	json_decref(j);
	if (!s->command || !s->tree || !s->run)
		return err_set(ERR_INVALID, "settings are missing");
	return 0;
}

int box_settings_read(struct box_settings *s, int fd)
{
	size_t len;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = read_all(fd, &s->text, &len);
	if (!rc && ftruncate(fd, 0))
		rc = err_sys("the settings of a process");
	return rc ? rc : parse(s, split(s, len));
}

void box_settings_release(struct box_settings *s)
{
	free(s->command);
	free(s->tree);
	free(s->run);
	free(s->mask);
	free(s->cgroup);
	free(s->tty);
	free_list(s->hide);
	free_list(s->show);
	free(s->env);
	free(s->text);
	memset(s, 0, sizeof(*s));
}

void box_settings_set(struct box_settings *s, const char *key,
		      const char *value)
{
	size_t n = 0, len = strlen(key);

	while (s->env[n] &&
	       (strncmp(s->env[n], key, len) != 0 || s->env[n][len] != '='))
		n++;
	s->env[n] = xasprintf("%s=%s", key, value);
}
