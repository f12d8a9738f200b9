/* SPDX-License-Identifier: ISC */
#include "needs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

#define MAX_TEXT (1 << 20) /* bytes of a file that is looked into */

typedef bool asks(const char *text, size_t len);

/* Has package.json dependencies, beside those of development? */
static bool asks_npm(const char *text, size_t len)
{
	json_t *v = NULL;
	bool asked = true;

	if (!json_read(&v, text, len))
		asked = json_object_size(json_object_get(v, "dependencies"));
	json_decref(v);
	return asked;
}

/* Is there a line that is neither blank nor a comment? */
static bool asks_pip(const char *text, size_t len)
{
	bool comment = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\n')
			comment = false;
		else if (text[i] == '#')
			comment = true;
		else if (!comment && !strchr(" \t\r", text[i]))
			return true;
	}
	return false;
}

/* Is there a line that begins with gem or gemspec? */
static bool asks_gem(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));

		while (text < end && (*text == ' ' || *text == '\t'))
			text++;
		if (end - text > 3 && !memcmp(text, "gem", 3))
			return true;
		text = next ? next + 1 : end;
	}
	return false;
}

static const struct need {
	const char *file;
	const char *found[6]; /* any of these will do; the first one is named */
	const char *what;     /* to commit */
	asks *asks;           /* NULL: its presence says it */
} needs[] = {
	{ "package.json",
	  { "node_modules", ".pnp.cjs", "dist" },
	  "the packages",
	  asks_npm },
	{ "requirements.txt",
	  { "vendor", "venv", ".venv", "site-packages", "wheels" },
	  "the packages",
	  asks_pip },
	{ "Pipfile",
	  { "vendor", "venv", ".venv", "site-packages", "wheels" },
	  "the packages",
	  asks_pip },
	{ "Gemfile", { "vendor" }, "the gems, in vendor/bundle", asks_gem },
	{ "composer.json", { "vendor" }, "the packages", NULL },
	{ "go.mod", { "bin" }, "the program that was built", NULL },
	{ "Cargo.toml",
	  { "target", "bin" },
	  "the program that was built",
	  NULL },
	{ "pom.xml", { "target" }, "the program that was built", NULL },
	{ "build.gradle", { "build" }, "the program that was built", NULL },
	{ "build.gradle.kts", { "build" }, "the program that was built", NULL },
	{ "mix.exs", { "_build" }, "the program that was built", NULL },
};

#define NR_NEEDS (sizeof(needs) / sizeof(needs[0]))

struct seen {
	bool asked[NR_NEEDS], found[NR_NEEDS];
	bool procfile;
	char *near; /* Procfile, in another case */
};

/* Does the file ask for something? What is not looked into does. */
static bool does_ask(struct tree *t, const struct tree_entry *e,
		     const struct need *need)
{
	const char *text;
	uint64_t size = 0;
	size_t len;

	if (e->kind != ENTRY_FILE && e->kind != ENTRY_EXECUTABLE)
		return false;
	if (!need->asks)
		return true;
	if (tree_blob_size(t, e, &size))
		return false;
	if (size > MAX_TEXT || tree_blob_read(t, e, &text, &len))
		return size > MAX_TEXT;
	return need->asks(text, len);
}

static void look_at(struct seen *s, struct tree *t, const struct tree_entry *e)
{
	size_t i, j;

	for (i = 0; i < NR_NEEDS; i++) {
		if (!strcmp(e->name, needs[i].file))
			s->asked[i] = does_ask(t, e, &needs[i]);
		for (j = 0; j < 6 && needs[i].found[j]; j++)
			if (!strcmp(e->name, needs[i].found[j]))
				s->found[i] = true;
	}
	if (!strcmp(e->name, "Procfile"))
		s->procfile = true;
	else if (!strcasecmp(e->name, "Procfile"))
		str_replace(&s->near, xstrdup(e->name));
}

static void add(json_t *notices, char *line)
{
	json_array_append_new(notices, json_string(line));
	free(line);
}

void needs_notice(struct tree *t, json_t *notices)
{
	struct seen seen = { .procfile = false };
	struct tree_folder *f = NULL;
	struct tree_entry e;
	size_t i;

	if (!tree_folder_open(&f, t, "", tree_root(t)))
		while (tree_folder_next(f, &e) > 0)
			look_at(&seen, t, &e);
	tree_folder_free(f);
	for (i = 0; i < NR_NEEDS; i++)
		if (seen.asked[i] && !seen.found[i])
			add(notices,
			    xasprintf("%s, but no %s: slugd does not build; "
				      "commit %s",
				      needs[i].file, needs[i].found[0],
				      needs[i].what));
	if (seen.near && !seen.procfile)
		add(notices,
		    xasprintf("%s is not read: name it Procfile", seen.near));
	free(seen.near);
}
