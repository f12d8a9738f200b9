/* SPDX-License-Identifier: ISC */
#include "release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "route.h"

/* How long a trial waits for the order to go on, in seconds. */
#define TRIAL_S 600

#define MAX_PATH 1024

static bool is_port(int64_t n)
{
	return n > 0 && n < 65536;
}

static int parse_ports(struct release *r, const json_t *body)
{
	const json_t *ports = json_object_get(body, "ports");
	int64_t first = json_integer_value(json_array_get(ports, 0));
	int64_t last = json_integer_value(json_array_get(ports, 1));
	int64_t at = json_int(body, "listen", 0);

	if (!release_has_web(r) && !is_port(at))
		return 0;
	if (!is_port(at))
		return err_set(ERR_INVALID, "listen is no port");
	if (!is_port(first) || !is_port(last) || first > last)
		return err_set(ERR_INVALID, "ports is no range of ports");
	r->listen = (uint16_t)at;
	r->port_first = (uint16_t)first;
	r->port_last = (uint16_t)last;
	return 0;
}

/* The command of a type of r; NULL where it has none of that type. */
static const char *command_of(const struct release *r, const char *type)
{
	const struct process *p;

	for (p = r ? TAILQ_FIRST(&r->processes) : NULL; p;
	     p = TAILQ_NEXT(p, link))
		if (!strcmp(p->type, type))
			return p->command;
	return NULL;
}

static int parse_process(struct release *r, const json_t *v,
			 const struct release *base)
{
	const char *type = json_str(v, "type", "");
	const char *command = json_str(v, "command", command_of(base, type));
	const json_t *quantity = json_object_get(v, "quantity");
	int64_t n = json_integer_value(quantity), i;
	struct process *p;
	int rc = name_check_process_type(type);

	if (rc)
		return rc;
	if (!json_is_integer(quantity) || n < 0 || n > MAX_QUANTITY)
		return err_set(ERR_INVALID, "the quantity of %s is not 0 to %d",
			       type, MAX_QUANTITY);
	if (!n)
		return 0;
	if (!strcmp(type, PROCESS_RUN) || !strcmp(type, PROCESS_RELEASE))
		return err_set(ERR_INVALID, "%s has no quantity", type);
	if (command_of(r, type))
		return err_set(ERR_INVALID, "%s is there twice", type);
	if (!command)
		return err_set(ERR_INVALID, "%s has no command", type);
	for (i = 1; i <= n; i++) {
		p = process_new(r, type, (unsigned)i, command);
		TAILQ_INSERT_TAIL(&r->processes, p, link);
	}
	return 0;
}

static int parse_processes(struct release *r, const json_t *types,
			   const struct release *base)
{
	const struct process *p;
	size_t i, total = 0;
	int rc = 0;

	if (types && !json_is_array(types))
		return err_set(ERR_INVALID, "processes is no array");
	for (i = 0; !rc && i < json_array_size(types); i++)
		rc = parse_process(r, json_array_get(types, i), base);
	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
		total++;
	if (!rc && total > MAX_PROCESSES)
		rc = err_set(ERR_INVALID, "more than %d processes",
			     MAX_PROCESSES);
	return rc;
}

int release_check_env(json_t *env, const char *what)
{
	const char *key;
	void *i;

	if (!json_is_object(env))
		return err_set(ERR_INVALID, "%s is no object", what);
	for (i = json_object_iter(env); i; i = json_object_iter_next(env, i)) {
		key = json_object_iter_key(i);
		if (!*key || strchr(key, '='))
			return err_set(ERR_INVALID, "%s has a bad key", what);
		if (!json_is_string(json_object_iter_value(i)))
			return err_set(ERR_INVALID, "%s %s is no string", what,
				       key);
	}
	return 0;
}

static int parse_config(struct release *r, const json_t *body)
{
	json_t *config = json_object_get(body, "config");

	r->config = config ? json_deep_copy(config) : json_object();
	return release_check_env(r->config, "config");
}

static int parse_times(struct release *r, const json_t *body)
{
	r->timeout = json_int(body, "timeout", 60);
	r->grace = json_int(body, "grace", 30);
	if (r->timeout < 1 || r->timeout > 86400)
		return err_set(ERR_INVALID, "timeout is not 1 to 86400");
	if (r->grace < 0 || r->grace > 86400)
		return err_set(ERR_INVALID, "grace is not 0 to 86400");
	return 0;
}

/* A number from 0 to max; what is not there is 0. */
static int parse_limit(int64_t *out, const json_t *body, const char *name,
		       int64_t max)
{
	*out = json_int(body, name, 0);
	if (*out < 0 || *out > max)
		return err_set(ERR_INVALID, "%s is not 0 to %lld", name,
			       (long long)max);
	return 0;
}

static int parse_uid(struct release *r, const json_t *body)
{
	const json_t *uid = json_object_get(body, "uid");

	r->uid = -1;
	if (!uid || json_is_null(uid))
		return 0;
	r->uid = json_integer_value(uid);
	if (r->uid < 1 || r->uid >= UINT32_MAX)
		return err_set(ERR_INVALID, "uid is no app's");
	return 0;
}

/* An array of absolute paths; may be missing. */
static int parse_paths(json_t **out, const json_t *body, const char *name)
{
	json_t *paths = json_object_get(body, name);
	const char *path;
	size_t i;

	if (!paths || json_is_null(paths))
		return 0;
	if (!json_is_array(paths))
		return err_set(ERR_INVALID, "%s is no array", name);
	for (i = 0; i < json_array_size(paths); i++) {
		path = json_string_value(json_array_get(paths, i));
		if (!path || *path != '/')
			return err_set(ERR_INVALID,
				       "%s has what is no absolute path", name);
	}
	*out = json_deep_copy(paths);
	return 0;
}

/* What its processes may, and how they are held. */
static int parse_fences(struct release *r, const json_t *body)
{
	int rc = parse_uid(r, body);

	r->namespaces = json_is_true(json_object_get(body, "namespaces"));
	r->seccomp = json_is_true(json_object_get(body, "seccomp"));
	r->cgroups = json_is_true(json_object_get(body, "cgroups"));
	if (!rc)
		rc = parse_paths(&r->hide, body, "hide");
	if (!rc)
		rc = parse_paths(&r->show, body, "show");
	if (!rc)
		rc = parse_limit(&r->memory, body, "memory", INT64_MAX);
	if (!rc)
		rc = parse_limit(&r->max_processes, body, "max_processes",
				 INT32_MAX);
	if (!rc)
		rc = parse_limit(&r->max_files, body, "max_files", INT32_MAX);
	if (!rc)
		rc = parse_limit(&r->log_size, body, "log_size", INT64_MAX);
	return rc;
}

/* May it stand in the first line of a request? */
static bool is_path(const char *s)
{
	if (*s != '/' || strlen(s) > MAX_PATH)
		return false;
	while (*s > ' ' && *s < 127)
		s++;
	return !*s;
}

static int parse_launch(struct release *r, const json_t *body)
{
	const json_t *route = json_object_get(body, "route");
	const json_t *events = json_object_get(body, "events");

	r->trial = json_is_true(json_object_get(body, "trial"));
	r->trial_timeout = json_int(body, "trial_timeout", TRIAL_S);
	r->release_command = xstrdup(json_str(body, "release_command", NULL));
	r->release_timeout = json_int(body, "release_timeout", 3600);
	r->check = xstrdup(json_str(body, "check", NULL));
	if (json_is_object(route))
		r->route = json_deep_copy(route);
	if (json_is_array(events))
		r->events = json_deep_copy(events);
	if (r->release_timeout < 1 || r->release_timeout > 86400)
		return err_set(ERR_INVALID,
			       "release_timeout is not 1 to 86400");
	if (r->trial_timeout < 1 || r->trial_timeout > 86400)
		return err_set(ERR_INVALID, "trial_timeout is not 1 to 86400");
	if (r->check && !is_path(r->check))
		return err_set(ERR_INVALID, "check is no path");
	return 0;
}

static int parse_names(struct release *r, const json_t *body)
{
	int rc;

	r->app = xstrdup(json_str(body, "app", ""));
	r->commit = xstrdup(json_str(body, "commit", NULL));
	r->store = xstrdup(json_str(body, "store", ""));
	r->slug = xstrdup(json_str(body, "slug", ""));
	r->created_at = json_int(body, "created_at", -1);
	r->version = json_int(body, "version", 0);
	if (r->version < 1)
		return err_set(ERR_INVALID, "version is no release's");
	if (*r->store != '/')
		return err_set(ERR_INVALID, "store is no absolute path");
	if (r->created_at < 0)
		return err_set(ERR_INVALID, "created_at is no time");
	rc = name_check_app(r->app);
	if (!rc)
		rc = name_check_uuid(r->slug);
	if (!rc && r->commit)
		rc = name_check_oid(r->commit);
	return rc;
}

int release_parse(struct release **out, const json_t *body)
{
	struct release *r = xcalloc(1, sizeof(*r));
	int rc;

	TAILQ_INIT(&r->processes);
	rc = parse_names(r, body);
	if (!rc)
		rc = parse_config(r, body);
	if (!rc)
		rc = parse_processes(r, json_object_get(body, "processes"),
				     NULL);
	if (!rc)
		rc = parse_ports(r, body);
	if (!rc)
		rc = parse_times(r, body);
	if (!rc)
		rc = parse_launch(r, body);
	if (!rc)
		rc = parse_fences(r, body);
	if (rc)
		release_free(r);
	else
		*out = r;
	return rc;
}

int release_parse_formation(struct release **out, const json_t *types,
			    const struct release *base)
{
	struct release *r = xcalloc(1, sizeof(*r));
	int rc = 0;

	TAILQ_INIT(&r->processes);
	if (!types)
		rc = err_set(ERR_INVALID, "no processes");
	if (!rc)
		rc = parse_processes(r, types, base);
	if (!rc && release_has_web(r) && !base->listen)
		rc = err_set(ERR_INVALID, "the app has no address");
	if (rc)
		release_free(r);
	else
		*out = r;
	return rc;
}

static bool is_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool release_is_same(const struct release *a, const struct release *b)
{
	const struct process *p;
	const char *command;

	if (a->version != b->version || strcmp(a->slug, b->slug) != 0 ||
	    strcmp(a->app, b->app) != 0 || !is_equal(a->commit, b->commit) ||
	    a->listen != b->listen || !json_equal(a->config, b->config))
		return false;
	for (p = TAILQ_FIRST(&a->processes); p; p = TAILQ_NEXT(p, link)) {
		command = command_of(b, p->type);
		if (command && strcmp(command, p->command) != 0)
			return false;
	}
	return true;
}

static void take_paths(json_t **to, json_t *from)
{
	json_t *old = *to;

	*to = json_incref(from);
	json_decref(old);
}

void release_take_fences(struct release *r, const struct release *from)
{
	take_paths(&r->hide, from->hide);
	take_paths(&r->show, from->show);
	r->namespaces = from->namespaces;
	r->seccomp = from->seccomp;
	r->cgroups = from->cgroups;
	r->memory = from->memory;
	r->max_processes = from->max_processes;
	r->max_files = from->max_files;
	r->log_size = from->log_size;
}

int release_change_fences(struct release *r, const json_t *fences)
{
	struct release fresh = { 0 };
	int rc = parse_fences(&fresh, fences);

	if (!rc)
		release_take_fences(r, &fresh);
	json_decref(fresh.hide);
	json_decref(fresh.show);
	return rc;
}

void release_take_events(struct release *r, struct release *from)
{
	json_decref(r->events);
	r->events = from->events;
	from->events = NULL;
}

void release_free(struct release *r)
{
	struct process *p;

	if (!r)
		return;
	while ((p = TAILQ_FIRST(&r->processes))) {
		TAILQ_REMOVE(&r->processes, p, link);
		process_free(p);
	}
	route_free(r->old_route);
	json_decref(r->config);
	json_decref(r->hide);
	json_decref(r->show);
	json_decref(r->route);
	json_decref(r->events);
	free(r->release_command);
	free(r->check);
	free(r->app);
	free(r->commit);
	free(r->store);
	free(r->slug);
	free(r->dir);
	free(r);
}

bool release_has_web(const struct release *r)
{
	const struct process *p;

	for (p = TAILQ_FIRST(&r->processes); p; p = TAILQ_NEXT(p, link))
		if (p->web && process_counts(p))
			return true;
	return false;
}

static void set(json_t *env, const char *key, char *value)
{
	if (value)
		json_object_set_new(env, key, json_string(value));
	else
		json_object_del(env, key);
	free(value);
}

/* Config, below it the defaults, above it what slugd promises. */
static json_t *environment(const struct release *r, const struct process *p)
{
	json_t *env =
		json_make("{s:s, s:s}", "PATH", "/usr/local/bin:/usr/bin:/bin",
			  "LANG", "C.UTF-8");

	json_object_update(env, r->config);
	if (p->env)
		json_object_update(env, p->env);
	/* HOME is the box's to tell. */
	set(env, "HOME", NULL);
	set(env, "PORT", p->web ? xasprintf("%u", p->port.port) : NULL);
	set(env, "DYNO", xstrdup(p->name));
	set(env, "HEROKU_APP_NAME", xstrdup(r->app));
	set(env, "HEROKU_RELEASE_VERSION",
	    xasprintf("v%lld", (long long)r->version));
	set(env, "HEROKU_SLUG_COMMIT", xstrdup(r->commit));
	return env;
}

int release_environment(int *fd, const struct release *r,
			const struct process *p)
{
	int rc = 0, mem = memfd_create("environment", MFD_CLOEXEC);
	json_t *env;
	void *i;
	FILE *f;

	if (mem < 0)
		return err_sys("memfd_create");
	f = fdopen(mem, "w");
	if (!f)
		abort();
	env = environment(r, p);
	for (i = json_object_iter(env); i; i = json_object_iter_next(env, i))
		fprintf(f, "%s=%s%c", json_object_iter_key(i),
			json_string_value(json_object_iter_value(i)), 0);
	json_decref(env);
	if (fflush(f))
		rc = err_sys("the environment");
	if (!rc) {
		*fd = fcntl(mem, F_DUPFD_CLOEXEC, 0);
		if (*fd < 0 || lseek(*fd, 0, SEEK_SET))
			rc = err_sys("the environment");
	}
	fclose(f);
	return rc;
}
