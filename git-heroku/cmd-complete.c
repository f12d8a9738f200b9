/* SPDX-License-Identifier: ISC */
/*
 * What a shell may offer: "git heroku complete -- WORD... BEGINNING" prints
 * what can stand for BEGINNING behind the words, one a line, for
 * contrib/completion. Nothing is an error; it waits for a second at most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "err.h"
#include "mem.h"
#include "options.h"
#include "proc.h"
#include "remote.h"

#define TIMEOUT_MS 1000
#define SAFE                                                                   \
 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"              \
 "._/@:+%-"

/* Where the typing is: h->args of a call that has the words before it. */
struct typing {
	struct heroku *h;
	const char *beginning;
	const struct command *cmd; /* NULL: not typed yet */
	bool unknown;              /* what was typed for it is none */
	int nr;                    /* how many of its arguments are typed */
};

/* A word with anything that a shell takes apart is not offered. */
static void offer(const struct typing *t, const char *word, const char *end)
{
	if (word && *word && !word[strspn(word, SAFE)] &&
	    !strncmp(word, t->beginning, strlen(t->beginning)))
		printf("%s%s\n", word, end);
}

static void offer_members(const struct typing *t, const json_t *list,
			  const char *member)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		offer(t, json_str(json_array_get(list, i), member, ""), "");
}

static bool connected(const struct typing *t)
{
	if (t->h->client)
		return true;
	if (heroku_connect(t->h))
		return false;
	client_set_timeout(t->h->client, TIMEOUT_MS);
	return true;
}

/* What slugd answers at path; NULL: nothing. Caller's reference. */
static json_t *ask(const struct typing *t, const char *path)
{
	json_t *v = NULL;

	if (connected(t))
		client_call(t->h->client, "GET", path, NULL, &v);
	return v;
}

static json_t *ask_app(const struct typing *t, const char *rest)
{
	char *path;
	json_t *v;

	if (!connected(t))
		return NULL;
	path = heroku_path(t->h, "%s", rest);
	v = ask(t, path);
	free(path);
	return v;
}

static void commands(const struct typing *t)
{
	const struct command *const *p;

	for (p = command_table; *p; p++)
		if ((*p)->help)
			offer(t, (*p)->name, "");
}

static void apps(const struct typing *t)
{
	json_t *v = ask(t, "/apps");

	offer_members(t, v, "name");
	json_decref(v);
}

static void remotes(const struct typing *t)
{
	struct remotes r = { 0 };
	size_t i;

	if (!remotes_read(&r))
		for (i = 0; i < r.nr; i++)
			offer(t, r.list[i].name, "");
	remotes_release(&r);
}

static void releases(const struct typing *t)
{
	json_t *v = NULL;
	size_t i;

	if (connected(t))
		client_set_header(t->h->client, "Range",
				  "version ..; max=100, order=desc");
	v = ask_app(t, "/releases");
	for (i = 0; i < json_array_size(v); i++) {
		int64_t version = json_int(json_array_get(v, i), "version", 0);
		char *name = xasprintf("v%lld", (long long)version);

		offer(t, name, "");
		free(name);
	}
	json_decref(v);
}

static void keys_with(const struct typing *t, const char *end)
{
	json_t *v = ask_app(t, "/config-vars");
	void *i;

	for (i = json_object_iter(v); i; i = json_object_iter_next(v, i))
		offer(t, json_object_iter_key(i), end);
	json_decref(v);
}

static void vars(const struct typing *t)
{
	keys_with(t, "");
}

static void settings(const struct typing *t)
{
	keys_with(t, "=");
}

static void addons(const struct typing *t)
{
	json_t *v = ask_app(t, "/addons");

	offer_members(t, v, "name");
	json_decref(v);
}

static void services(const struct typing *t)
{
	json_t *v = ask(t, "/addon-services");

	offer_members(t, v, "name");
	json_decref(v);
}

static void plans(const struct typing *t)
{
	json_t *list = ask(t, "/addon-services");
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		char *service = client_path_segment(
			json_str(json_array_get(list, i), "name", ""));
		char *path = xasprintf("/addon-services/%s/plans", service);
		json_t *v = ask(t, path);

		offer_members(t, v, "name");
		json_decref(v);
		free(path);
		free(service);
	}
	json_decref(list);
}

static void refs(const struct typing *t)
{
	static const char *const argv[] = {
		"git",        "for-each-ref", "--format=%(refname:strip=2)",
		"refs/heads", "refs/tags",    NULL
	};
	struct proc_spec spec = { .argv = argv };
	char *text = NULL, *rest, *line;

	if (proc_capture(&text, NULL, &spec))
		return;
	for (rest = text; (line = strsep(&rest, "\n"));)
		offer(t, line, "");
	free(text);
}

static void formation_types(const struct typing *t, const char *end)
{
	json_t *v = ask_app(t, "/formation");
	size_t i;

	for (i = 0; i < json_array_size(v); i++)
		offer(t, json_str(json_array_get(v, i), "type", ""), end);
	json_decref(v);
}

static void types(const struct typing *t)
{
	formation_types(t, "");
}

static void scales(const struct typing *t)
{
	formation_types(t, "=");
}

static void dynos(const struct typing *t)
{
	json_t *v = ask_app(t, "/dynos");

	types(t);
	offer_members(t, v, "name");
	json_decref(v);
}

static void log_sources(const struct typing *t)
{
	offer(t, "app", "");
	offer(t, "heroku", "");
}

static void switches(const struct typing *t)
{
	offer(t, "on", "");
	offer(t, "off", "");
}

/* The words of struct command's, and of options' arguments. */
static const struct {
	const char *name;
	void (*offer)(const struct typing *t);
} sources[] = {
	{ "addons", addons },     { "apps", apps },
	{ "commands", commands }, { "dynos", dynos },
	{ "plans", plans },       { "refs", refs },
	{ "releases", releases }, { "remotes", remotes },
	{ "scales", scales },     { "services", services },
	{ "settings", settings }, { "sources", log_sources },
	{ "switches", switches }, { "types", types },
	{ "vars", vars },
};

static void offer_from(const struct typing *t, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strlen(sources[i].name) == len &&
		    !strncmp(sources[i].name, name, len))
			sources[i].offer(t);
}

/* The argument that comes next: the last source is also for those behind. */
static void argument(const struct typing *t)
{
	const char *p = t->cmd->words, *next;
	int i;

	if (!p || (t->cmd->max_args != ANY_ARGS && t->nr >= t->cmd->max_args))
		return;
	for (i = 0; i < t->nr && (next = strchr(p, ' ')); i++)
		p = next + 1;
	offer_from(t, p, strcspn(p, " "));
}

static void options(const struct typing *t)
{
	const struct option_def *o;

	for (o = option_table; o->key; o++) {
		char *word = xasprintf("--%s", o->name);

		if (o->key == 'h' ||
		    (t->cmd ? strchr(t->cmd->options, o->key) != NULL
			    : strchr("ar", o->key) != NULL))
			offer(t, word, "");
		free(word);
	}
}

/* Take the words that are typed; the option whose argument comes next. */
static const struct option_def *read_words(struct typing *t, char **words,
					   int nr)
{
	const struct option_def *o = NULL;
	int i;

	for (i = 0; i < nr; i++) {
		if (o) {
			if (o->key == 'a')
				t->h->app = words[i];
			else if (o->key == 'r')
				t->h->remote = words[i];
			o = NULL;
		} else if (words[i][0] == '-' && words[i][1]) {
			o = option_of_word(words[i], t->cmd);
			if (o && !o->arg)
				o = NULL;
		} else if (!t->cmd) {
			t->cmd = command_find(words[i]);
			t->unknown = t->unknown || !t->cmd;
		} else {
			t->nr++;
		}
	}
	return o;
}

static int run(struct heroku *h)
{
	struct typing t = { .h = h };
	int typed = h->nr_args - 1;
	const struct option_def *o;

	if (typed < 0)
		return 0;
	t.beginning = h->args[typed];
	o = read_words(&t, h->args, typed);
	if (t.unknown)
		return 0;
	if (o)
		offer_from(&t, o->words, strlen(o->words));
	else if (t.beginning[0] == '-')
		options(&t);
	else if (t.cmd)
		argument(&t);
	else
		commands(&t);
	return 0;
}

const struct command cmd_complete = {
	.name = "complete",
	.args = "-- WORD... BEGINNING",
	.options = "",
	.max_args = ANY_ARGS,
	.run = run,
};
