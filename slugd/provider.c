/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "proc.h"
#include "text.h"

#define MAX_ANSWER    (256UL << 10)
#define MAX_COMPLAINT 4096UL

/* What a program says, on one of its two outputs. */
struct said {
	int fd;
	char *text;
	size_t len, max;
	bool over; /* it said more than max */
};

static void said_init(struct said *s, int fd, size_t max)
{
	s->fd = fd;
	s->max = max;
	s->text = xcalloc(1, 1);
}

/* Read what is there; false at the end. */
static bool said_read(struct said *s)
{
	char buf[4096];
	ssize_t n = read(s->fd, buf, sizeof(buf));
	size_t take;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	take = (size_t)n;
	if (s->len + take > s->max) {
		s->over = true;
		take = s->max - s->len;
	}
	s->text = xrealloc(s->text, s->len + take + 1, 1);
	memcpy(s->text + s->len, buf, take);
	s->len += take;
	s->text[s->len] = '\0';
	return true;
}

/* The order as a file that the program can read to its end. */
static int order_file(const struct provider_call *call, int *out)
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
	int fd = memfd_create("order", MFD_CLOEXEC), rc = 0;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    lseek(fd, 0, SEEK_SET))
		rc = err_sys("order for the provider");
	if (rc && fd >= 0)
		close(fd);
	*out = fd;
	explicit_bzero(text, strlen(text));
	free(text);
	json_decref(order);
	free(plan);
	return rc;
}

/* The folder in which a service's program may keep what it needs. */
static int state_folder(const struct provider_call *call, char **out)
{
	char *top = xasprintf("%s/addons", call->dir);
	char *dir = xasprintf("%s/%s", top, call->service->name);
	int rc = 0;

	if ((mkdir(top, 0700) && errno != EEXIST) ||
	    (mkdir(dir, 0700) && errno != EEXIST))
		rc = err_sys("%s", dir);
	free(top);
	if (rc)
		free(dir);
	else
		*out = dir;
	return rc;
}

/*
 * Read both outputs to their ends, for the time that the service allows.
 * Returns ERR_FAILED, with the program still there, where it must be killed.
 */
static int listen_to(const struct provider_call *call, struct said *answer,
		     struct said *complaint)
{
	int64_t end = clock_mono_ms() + call->service->timeout * 1000;
	struct pollfd p[2] = { { answer->fd, POLLIN, 0 },
			       { complaint->fd, POLLIN, 0 } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int64_t left = end - clock_mono_ms();

		if (left <= 0)
			return err_set(ERR_FAILED,
				       "it did not end within %" PRId64
				       " seconds",
				       call->service->timeout);
		if (poll(p, 2, (int)(left < 1000 ? left : 1000)) <= 0)
			continue;
		if (p[0].revents && !said_read(answer))
			p[0].fd = -1;
		if (p[1].revents && !said_read(complaint))
			p[1].fd = -1;
		if (answer->over)
			return err_set(ERR_FAILED,
				       "it answered with more than %lu bytes",
				       MAX_ANSWER);
	}
	return 0;
}

/* The last line that is not empty, made safe. Caller frees. */
static char *last_line(const char *text)
{
	char *copy = xstrdup(text), *save = NULL, *line, *last = NULL, *safe;

	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		last = line;
	safe = last ? text_escape(last) : NULL;
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
static int parse_answer(const struct said *answer, json_t **config)
{
	json_t *v = NULL, *vars, *value;
	const char *key;
	int rc = json_read(&v, answer->text, answer->len);

	if (rc)
		return err_set(ERR_FAILED, "its answer is no JSON");
	vars = json_object_get(v, "config");
	if (!json_is_object(vars))
		rc = err_set(ERR_FAILED, "its answer has no \"config\"");
	json_object_foreach(vars, key, value)
	{
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

/* Start the program, listen, and wait for its end. */
static int run_program(const struct provider_call *call, const char *dir,
		       struct said *answer, struct said *complaint)
{
	const char *program = call->service->provider + strlen("exec:");
	const char *argv[] = { program, call->action, NULL };
	char *folder = xasprintf("SLUGD_ADDON_DIR=%s", dir);
	const char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			      "/usr/bin:/sbin:/bin",
			      "LANG=C.UTF-8", "HOME=/", folder, NULL };
	struct proc_spec spec = {
		.argv = argv, .env = env, .dir = dir, .session = true
	};
	int out[2] = { -1, -1 }, errs[2] = { -1, -1 }, order = -1, rc, ended;
	pid_t pid;

	rc = order_file(call, &order);
	if (!rc && (pipe2(out, O_CLOEXEC) || pipe2(errs, O_CLOEXEC)))
		rc = err_sys("pipe");
	if (rc)
		goto done;
	spec.in = order;
	spec.out = out[1];
	spec.err = errs[1];
	rc = proc_spawn(&pid, &spec);
	if (rc)
		goto done;
	close(out[1]);
	close(errs[1]);
	out[1] = errs[1] = -1;
	said_init(answer, out[0], MAX_ANSWER);
	said_init(complaint, errs[0], MAX_COMPLAINT);
	rc = listen_to(call, answer, complaint);
	if (rc) {
		char *why = xstrdup(err_msg());

		kill(-pid, SIGKILL);
		proc_wait(pid, "it");
		err_set(rc, "%s", why);
		free(why);
	} else {
		ended = proc_wait(pid, "it");
		rc = ended;
	}
done:
	if (order >= 0)
		close(order);
	if (out[0] >= 0)
		close(out[0]);
	if (out[1] >= 0)
		close(out[1]);
	if (errs[0] >= 0)
		close(errs[0]);
	if (errs[1] >= 0)
		close(errs[1]);
	free(folder);
	return rc;
}

static int run_exec(const struct provider_call *call, json_t **config)
{
	struct said answer = { .fd = -1 }, complaint = { .fd = -1 };
	char *dir = NULL;
	int rc = state_folder(call, &dir);

	if (rc)
		return rc;
	rc = run_program(call, dir, &answer, &complaint);
	if (!rc && strcmp(call->action, "destroy") != 0)
		rc = parse_answer(&answer, config);
	else if (!rc)
		*config = json_object();
	rc = explain(call, complaint.text ? complaint.text : "", rc);
	if (answer.text)
		explicit_bzero(answer.text, answer.len);
	free(answer.text);
	free(complaint.text);
	free(dir);
	return rc;
}

/* The config vars stand in slugd.ini: there is nothing to do. */
static int run_static(const struct provider_call *call, json_t **config)
{
	*config = json_deep_copy(call->service->vars);
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
