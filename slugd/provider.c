/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "err.h"
#include "file.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "program.h"
#include "text.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#define MAX_ANSWER (64UL << 10) /* an environment has limits, too */
#define MAX_LINE   300          /* characters of what a program complained of */

/* The order, as JSON. Caller frees. */
static char *order_text(const struct provider_call *call)
{
	const struct addon *a = call->addon;
	char *plan = xasprintf("%s:%s", a->service, a->plan);
	json_t *order =
		json_make("{s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:O, s:O}",
			  "action", call->action, "app", "id", call->app->uuid,
			  "name", call->app->name, "addon", "id", a->uuid,
			  "name", a->name, "plan", plan, "config", a->config,
			  "defaults", call->service->vars);
	char *text = json_text(order);

	json_decref(order);
	free(plan);
	return text;
}

/* The folder in which a service's program may keep what it needs. */
static int state_folder(const struct provider_call *call, char **out)
{
	char *top = xasprintf("%s/addons", call->dir);
	char *dir = xasprintf("%s/%s", top, call->service->name);
	int rc = file_make_folder(top, 0700);

	if (!rc)
		rc = file_make_folder(dir, 0700);
	free(top);
	if (rc)
		free(dir);
	else
		*out = dir;
	return rc;
}

/* The last line that is not empty, made safe. Caller frees. */
static char *last_line(const char *text)
{
	char *copy = xstrdup(text), *save = NULL, *line, *last = NULL, *safe;

	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		last = line;
	safe = last ? text_cell(last, MAX_LINE) : NULL;
	free(copy);
	return safe;
}

/* Keep what the program complained of, and add its end to the message. */
static int explain(const struct provider_call *call, const char *complaint,
		   int rc)
{
	char *copy = xstrdup(complaint), *save = NULL, *line;
	char *why = xstrdup(err_msg()), *last = last_line(complaint);

	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		log_line("addon=%s app=%s %s: %s", call->service->name,
			 call->app->name, call->action, line);
	if (rc)
		rc = err_set(ERR_UNAVAILABLE,
			     "The provider of %s failed: %s%s%s",
			     call->service->name, why, last ? ": " : "",
			     last ? last : "");
	free(last);
	free(why);
	free(copy);
	return rc;
}

/* {"config": {...}} of the answer; each key as a config var's must be. */
static int parse_answer(const struct program_said *said, json_t **config)
{
	json_t *v = NULL, *vars, *value;
	const char *key;
	int rc = json_read(&v, said->answer, said->len);

	if (rc)
		return err_set(ERR_FAILED, "its answer is no JSON");
	vars = json_object_get(v, "config");
	if (!json_is_object(vars))
		rc = err_set(ERR_FAILED, "its answer has no \"config\"");
	json_object_foreach(vars, key, value) {
		const char *s = json_string_value(value);

		if (rc)
			break;
		if (name_check_config_key(key))
			rc = ERR_FAILED;
		else if (!s || strlen(s) != json_string_length(value))
			rc = err_set(ERR_FAILED,
				     "%s of its answer is not a string", key);
	}
	if (!rc)
		*config = json_incref(vars);
	json_decref(v);
	return rc;
}

static int run_exec(const struct provider_call *call, json_t **config)
{
	struct program_said said = { 0 };
	char *dir = NULL, *folder, *record, *order;
	int rc = state_folder(call, &dir);

	if (rc)
		return rc;
	folder = xasprintf("SLUGD_ADDON_DIR=%s", dir);
	record = xasprintf("%s/addons/%s.pid", call->dir, call->addon->uuid);
	order = order_text(call);
	rc = program_run(
		&(struct program){
			.path = call->service->provider + strlen("exec:"),
			.argument = call->action,
			.env = (const char *[]){ PATH, "LANG=C.UTF-8", "HOME=/",
						 folder, NULL },
			.dir = dir,
			.record = record,
			.order = order,
			.max_answer = MAX_ANSWER,
			.timeout = call->service->timeout,
		},
		&said);
	if (call->told)
		*call->told = said.told;
	if (!rc && !strcmp(call->action, "destroy"))
		*config = json_object();
	else if (!rc && !strcmp(call->action, "resume"))
		*config = json_incref(call->addon->config);
	else if (!rc)
		rc = parse_answer(&said, config);
	rc = explain(call, said.complaint ? said.complaint : "", rc);
	program_said_clear(&said);
	explicit_bzero(order, strlen(order));
	free(order);
	free(record);
	free(folder);
	free(dir);
	return rc;
}

/* The config vars stand in slugd.ini: there is nothing to do. */
static int run_static(const struct provider_call *call, json_t **config)
{
	*config = strcmp(call->action, "resume")
			  ? json_deep_copy(call->service->vars)
			  : json_incref(call->addon->config);
	return 0;
}

/* Kinds of providers, by how the value of "provider" begins. */
static const struct {
	const char *prefix;
	int (*run)(const struct provider_call *call, json_t **config);
} providers[] = {
	{ "static", run_static },
	{ "exec:", run_exec },
};

int provider_run(const struct provider_call *call, json_t **config)
{
	const char *name = call->service->provider;
	size_t i;

	for (i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (!strncmp(name, providers[i].prefix,
			     strlen(providers[i].prefix)))
			return providers[i].run(call, config);
	return err_set(ERR_FAILED, "%s: unknown provider", name);
}
