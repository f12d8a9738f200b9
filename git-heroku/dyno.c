/* SPDX-License-Identifier: ISC */
#include "dyno.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "mem.h"

/* The number in "web.1"; 0 where there is none. */
static long number_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? strtol(dot + 1, NULL, 10) : 0;
}

static int by_type_and_number(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
	int n = strcmp(json_str(one, "type", ""), json_str(other, "type", ""));
	long i = number_of(json_str(one, "name", ""));
	long j = number_of(json_str(other, "name", ""));

	return n ? n : (i > j) - (i < j);
}

static bool is_meant(const json_t *dyno, const char *name)
{
	return !name || !strcmp(json_str(dyno, "name", ""), name) ||
	       !strcmp(json_str(dyno, "type", ""), name);
}

int dyno_list(struct heroku *h, const char *name, json_t **out)
{
	json_t *all = NULL, *dyno, **v;
	size_t n = 0, i;
	int rc = heroku_get(h, &all, "/dynos");

	if (rc)
		return rc;
	v = xcalloc(json_array_size(all) + 1, sizeof(json_t *));
	json_array_foreach(all, i, dyno)
		if (is_meant(dyno, name))
			v[n++] = dyno;
	qsort(v, n, sizeof(json_t *), by_type_and_number);
	*out = json_array();
	for (i = 0; i < n; i++)
		json_array_append(*out, v[i]);
	free(v);
	json_decref(all);
	return 0;
}

bool dyno_is_run(const json_t *dyno)
{
	return !strcmp(json_str(dyno, "type", ""), "run");
}

int dyno_change(struct heroku *h, const char *name, const char *words,
		const char *method, const char *suffix)
{
	bool one = name && strchr(name, '.');
	char *segment = client_path_segment(name ? name : "");
	char *path = heroku_path(h, "/%s%s%s%s",
				 name && !one ? "formations" : "dynos",
				 name ? "/" : "", segment, suffix);
	struct change c = { .method = method, .path = path };
	int rc = change_make(h, &c, "%s %s%sdyno%s", words, name ? name : "",
			     name ? " " : "", one ? "" : "s");

	if (!rc)
		puts(" done");
	change_release(&c);
	free(path);
	free(segment);
	return rc;
}
