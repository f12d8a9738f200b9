/* SPDX-License-Identifier: ISC */
#include "oneoff.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"
#include "text.h"

/* Put s, and each double quote of it behind a backslash. */
static void put_quoted(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s; s++) {
		if (*s == '"')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

char *oneoff_command(const struct heroku *h)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int i;

	if (h->nr_args == 1)
		return xstrdup(h->args[0]);
	f = open_memstream(&text, &len);
	if (!f)
		abort();
	for (i = 0; i < h->nr_args; i++) {
		if (i)
			putc(' ', f);
		if (strpbrk(h->args[i], " \""))
			put_quoted(f, h->args[i]);
		else
			fputs(h->args[i], f);
	}
	fclose(f);
	return text;
}

/* "A=b;C=d", as -e has it, into env. */
static int take_env(json_t *env, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *item, *equals, *shown;
	int rc = 0;

	while (!rc && (item = strsep(&rest, ";"))) {
		if (!*item)
			continue;
		equals = strchr(item, '=');
		if (equals && equals != item) {
			*equals = '\0';
			if (!json_object_set_new(env, item,
						 json_string(equals + 1)))
				continue;
		}
		shown = text_cell(item, 60);
		rc = err_set(ERR_INVALID,
			     "%s is invalid. Must be in the format "
			     "KEY=VALUE;KEY=VALUE.",
			     shown);
		free(shown);
	}
	free(copy);
	return rc;
}

int oneoff_body(const struct heroku *h, const char *command, bool attach,
		json_t **out)
{
	json_t *env = json_object();
	int rc = h->env ? take_env(env, h->env) : 0;

	if (!rc) {
		*out = json_pack("{s:s, s:b, s:O, s:s*, s:s*}", "command",
				 command, "attach", attach, "env", env, "size",
				 h->size, "type", h->type);
		if (!*out)
			rc = err_set(ERR_INVALID, "An argument is not UTF-8.");
	}
	json_decref(env);
	return rc;
}

void oneoff_announce(FILE *f, const char *command, const char *words)
{
	char *safe = text_escape(command);

	fprintf(f, "Running `%s` %s...", safe, words);
	fflush(f);
	free(safe);
}
