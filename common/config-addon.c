/* SPDX-License-Identifier: ISC */
#include "config-addon.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dotenv.h"
#include "err.h"
#include "mem.h"
#include "names.h"
#include "text.h"

/* Seconds that a provider's program may take, unless told otherwise. */
#define ADDON_TIMEOUT 30

/* "100:15", "pro:4.50" */
static int add_plan(struct config_addon *a, char *word)
{
	char *colon = strchr(word, ':'), *end;
	struct config_plan *plan;
	double dollars;
	size_t i;

	if (!colon || colon == word)
		return err_set(ERR_INVALID, "'%s' is not a plan such as free:0",
			       word);
	*colon = '\0';
	dollars = strtod(colon + 1, &end);
	if (end == colon + 1 || *end || !(dollars >= 0 && dollars < 1e6))
		return err_set(ERR_INVALID, "'%s' is not a price", colon + 1);
	for (i = 0; word[i]; i++)
		if (!isalnum((unsigned char)word[i]) && word[i] != '-')
			return err_set(ERR_INVALID, "'%s' is not a plan's name",
				       word);
	for (i = 0; i < a->nr_plans; i++)
		if (!strcmp(a->plans[i].name, word))
			return err_set(ERR_INVALID, "plan '%s' twice", word);
	a->plans = xrealloc(a->plans, a->nr_plans + 1, sizeof(*a->plans));
	plan = &a->plans[a->nr_plans++];
	plan->name = xstrdup(word);
	plan->price = (int64_t)(dollars * 100 + 0.5);
	return 0;
}

static int set_plans(struct config_addon *a, const char *value)
{
	char *copy = xstrdup(value), *save = NULL, *word;
	int rc = 0;

	for (word = strtok_r(copy, ",", &save); word && !rc;
	     word = strtok_r(NULL, ",", &save))
		rc = add_plan(a, text_strip(word));
	free(copy);
	if (!rc && !a->nr_plans)
		rc = err_set(ERR_INVALID, "has no value");
	return rc;
}

static int addon_var(struct config_addon *a, const char *key, const char *value)
{
	json_t *v;

	if (name_check_config_key(key))
		return ERR_INVALID;
	if (json_object_get(a->vars, key))
		return err_set(ERR_INVALID, "stands there twice");
	v = json_string(value);
	if (!v)
		return err_set(ERR_INVALID, "is not UTF-8");
	json_object_set_new(a->vars, key, v);
	return 0;
}

static int set_provider(struct config_addon *a, const char *value)
{
	if (strcmp(value, "static") &&
	    (strncmp(value, "exec:/", 6) || !value[6]))
		return err_set(ERR_INVALID,
			       "'%s' is neither static nor exec:/a/program",
			       value);
	str_replace(&a->provider, xstrdup(value));
	return 0;
}

static int set_timeout(struct config_addon *a, const char *value)
{
	return text_parse_int(&a->timeout, value, 1, 3600);
}

/* Values too long for a line of the ini, from a file of KEY=VALUE. */
static int set_config_file(struct config_addon *a, const char *value)
{
	char *text = NULL;
	size_t len = 0;
	json_t *vars = NULL, *var;
	FILE *f = fopen(value, "re");
	const char *key;
	int rc;

	if (!f)
		return err_sys("%s", value);
	str_replace(&a->file, realpath(value, NULL));
	if (getdelim(&text, &len, '\0', f) < 0)
		str_replace(&text, xstrdup(""));
	fclose(f);
	rc = err_prefix(dotenv_parse(&vars, text, strlen(text)), "%s", value);
	free(text);
	json_object_foreach(vars, key, var)
		if (!rc)
			rc = addon_var(a, key, json_string_value(var));
	json_decref(vars);
	return rc;
}

/* The keys of an add-on's section, beside config.KEY. */
static const struct {
	const char *name;
	int (*set)(struct config_addon *a, const char *value);
} addon_keys[] = {
	{ "plans", set_plans }, /* must be there */
	{ "provider", set_provider },
	{ "timeout", set_timeout },
	{ "config_file", set_config_file },
};

int config_addon_set(struct config_addon *a, unsigned *seen, const char *name,
		     const char *value)
{
	unsigned i;

	if (!strncmp(name, "config.", 7))
		return err_prefix(addon_var(a, name + 7, value), "%s", name);
	for (i = 0; i < sizeof(addon_keys) / sizeof(addon_keys[0]); i++) {
		if (strcmp(addon_keys[i].name, name))
			continue;
		if (*seen & 1U << i)
			return err_set(ERR_INVALID, "%s stands there twice",
				       name);
		*seen |= 1U << i;
		return err_prefix(addon_keys[i].set(a, value), "%s", name);
	}
	return err_set(ERR_INVALID, "unknown key '%s' in [addon %s]", name,
		       a->name);
}

int config_addon_begin(struct config *c, const char *name)
{
	struct config_addon *a;
	size_t i;

	if (!*name)
		return err_set(ERR_INVALID, "[addon ] has no name");
	for (i = 0; name[i]; i++)
		if (!islower((unsigned char)name[i]) &&
		    !isdigit((unsigned char)name[i]) && name[i] != '-')
			return err_set(ERR_INVALID,
				       "[addon %s]: a name is of lower-case "
				       "letters, digits and dashes",
				       name);
	if (config_addon(c, name))
		return err_set(ERR_INVALID, "[addon %s] stands there twice",
			       name);
	c->addons = xrealloc(c->addons, c->nr_addons + 1, sizeof(*c->addons));
	a = &c->addons[c->nr_addons++];
	memset(a, 0, sizeof(*a));
	a->name = xstrdup(name);
	a->provider = xstrdup("static");
	a->timeout = ADDON_TIMEOUT;
	a->vars = json_object();
	return 0;
}

void config_addon_clear(struct config_addon *a)
{
	size_t i;

	for (i = 0; i < a->nr_plans; i++)
		free(a->plans[i].name);
	free(a->plans);
	free(a->name);
	free(a->provider);
	json_decref(a->vars);
	free(a->file);
}

const struct config_addon *config_addon(const struct config *c,
					const char *name)
{
	size_t i;

	for (i = 0; i < c->nr_addons; i++)
		if (!strcmp(c->addons[i].name, name))
			return &c->addons[i];
	return NULL;
}

const struct config_plan *config_plan(const struct config_addon *a,
				      const char *name)
{
	size_t i;

	for (i = 0; i < a->nr_plans; i++)
		if (!name || !strcmp(a->plans[i].name, name))
			return &a->plans[i];
	return NULL;
}
