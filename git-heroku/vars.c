/* SPDX-License-Identifier: ISC */
#include "vars.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"
#include "err.h"
#include "mem.h"
#include "text.h"

/* What needs no quotes, in a shell and in a .env file. */
#define PLAIN                                                                  \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"              \
 "_-./:@%+,"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **vars_keys(json_t *v)
{
	const char **keys = xcalloc(json_object_size(v) + 1, sizeof(*keys));
	size_t n = 0;
	void *i;

	for (i = json_object_iter(v); i; i = json_object_iter_next(v, i))
		keys[n++] = json_object_iter_key(i);
	qsort(keys, n, sizeof(*keys), by_name);
	return keys;
}

static void write_all(FILE *f, json_t *vars,
		      void (*quote)(FILE *f, const char *value))
{
	const char **keys = vars_keys(vars), **p;

	for (p = keys; *p; p++) {
		const char *value = json_str(vars, *p, "");

		fprintf(f, "%s=", *p);
		if (value[strspn(value, PLAIN)])
			quote(f, value);
		else
			fputs(value, f);
		putc('\n', f);
	}
	free(keys);
}

static void quote_shell(FILE *f, const char *value)
{
	char *word = text_shell_word(value);

	fputs(word, f);
	free(word);
}

static void quote_dotenv(FILE *f, const char *value)
{
	static const char from[] = "\n\r\t\"\\$", to[] = "nrt\"\\$";
	const char *p;

	putc('"', f);
	for (; *value; value++) {
		p = strchr(from, *value);
		if (p)
			fprintf(f, "\\%c", to[p - from]);
		else
			putc(*value, f);
	}
	putc('"', f);
}

void vars_shell(FILE *f, json_t *vars)
{
	write_all(f, vars, quote_shell);
}

void vars_dotenv(FILE *f, json_t *vars)
{
	write_all(f, vars, quote_dotenv);
}

json_t *vars_owners(const json_t *addons)
{
	json_t *owners = json_object();
	size_t i, j;

	for (i = 0; i < json_array_size(addons); i++) {
		const json_t *addon = json_array_get(addons, i);
		const json_t *keys = json_object_get(addon, "config_vars");

		for (j = 0; j < json_array_size(keys); j++)
			json_object_set(
				owners,
				json_string_value(json_array_get(keys, j)),
				json_object_get(addon, "name"));
	}
	return owners;
}

int vars_read(json_t **out, FILE *f)
{
	char *text = xcalloc(VARS_MAX_TEXT + 1, 1);
	size_t len = fread(text, 1, VARS_MAX_TEXT + 1, f);
	int rc;

	if (ferror(f))
		rc = err_sys("cannot read");
	else if (len > VARS_MAX_TEXT)
		rc = err_set(ERR_TOOBIG, "it is larger than %lu KB",
			     VARS_MAX_TEXT >> 10);
	else
		rc = dotenv_parse(out, text, len);
	explicit_bzero(text, len);
	free(text);
	return rc;
}
