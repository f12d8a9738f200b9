/* SPDX-License-Identifier: ISC */
#include "gitconfig.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "proc.h"

#define NAME "abcdefghijklmnopqrstuvwxyz0123456789-"

/* "[core]", "[remote \"heroku\"]" as the beginning of keys, into *section. */
static bool plain_section(char **section, const char *line)
{
	size_t len = strspn(line + 1, NAME);
	const char *p = line + 1 + len, *end = p + strlen(p) - 1;

	if (!len || !strncmp(line + 1, "include", 7) || *end != ']')
		return false;
	if (p == end) {
		str_replace(section, xstrndup(line + 1, len));
		return true;
	}
	if (strncmp(p, " \"", 2) || end < p + 3 || end[-1] != '"' ||
	    strchr(p, '\\') || strchr(p + 2, '"') != end - 1)
		return false;
	str_replace(section, xasprintf("%.*s.%.*s", (int)len, line + 1,
				       (int)(end - p - 3), p + 2));
	return true;
}

/* "bare = false": its key and value to out, in the form of "git config -z". */
static bool plain_variable(FILE *out, const char *section, char *line)
{
	char *p;

	if (!isalpha((unsigned char)*line))
		return false;
	for (p = line; *p; p++) {
		*p = (char)tolower((unsigned char)*p);
		if (!strchr(NAME, *p))
			break;
	}
	if (strncmp(p, " = ", 3))
		return false;
	*p = '\0';
	p += 3;
	if (p[0] == ' ' || strpbrk(p, "\"\\#;\t\r"))
		return false;
	fprintf(out, "%s.%s\n%s%c", section, line, p, '\0');
	return true;
}

/*
 * Most files hold nothing but what git-config(1) itself writes, in one way:
 * those are read here, which saves a process. Says false, and reads nothing,
 * where a file has anything else: git reads it then.
 */
static bool list_plain(char **out, size_t *len, const char *file)
{
	FILE *in = fopen(file, "re"), *mem = open_memstream(out, len);
	char *line = NULL, *section = NULL;
	bool plain = in != NULL;
	size_t size = 0;
	ssize_t n;

	if (!mem)
		abort();
	while (plain && (n = getline(&line, &size, in)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (strlen(line) != (size_t)n || (n && line[n - 1] == ' '))
			plain = false;
		else if (line[0] == '[')
			plain = plain_section(&section, line);
		else
			plain = section && line[0] == '\t' &&
				plain_variable(mem, section, line + 1);
	}
	plain = plain && !ferror(in);
	fclose(mem);
	if (in)
		fclose(in);
	if (!plain) {
		free(*out);
		*out = NULL;
	}
	free(section);
	free(line);
	return plain;
}

/* git-config(1), -z: "key LF value NUL", or "key NUL". */
static void split(char *out, size_t len, gitconfig_each *each, void *ctx)
{
	char *p = out, *next, *value;

	for (; p < out + len; p = next) {
		next = p + strlen(p) + 1;
		value = strchr(p, '\n');
		if (value)
			*value++ = '\0';
		each(ctx, p, value ? value : "");
	}
}

int gitconfig_read(const char *file, gitconfig_each *each, void *ctx)
{
	const char *argv[] = {
		"git", "config", "-z", "--list", "-f", file, NULL
	};
	struct proc_spec spec = { .argv = argv };
	char *out = NULL;
	size_t len = 0;
	int rc = 0;

	if (!file)
		argv[4] = NULL;
	if (!file || !list_plain(&out, &len, file))
		rc = proc_capture(&out, &len, &spec);
	if (!rc)
		split(out, len, each, ctx);
	free(out);
	return rc;
}
