/* SPDX-License-Identifier: ISC */
#include "route.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "clock.h"
#include "err.h"
#include "haproxy.h"
#include "jobs.h"
#include "log.h"
#include "mem.h"
#include "route-config.h"
#include "route-process.h"
#include "slugd.h"
#include "sock.h"

#define LANE      "route"
#define LOCK_MS   5000  /* for slugruns to be done */
#define TELL_MS   5000  /* for a slugrun to bring its servers in line */
#define PAUSE_MS  1000  /* before it is started again, at least */
#define RETRY_MAX 60000 /* between two attempts to start it */

struct route {
	struct slugd *slugd;
	char *program; /* NULL: there is none, or none is to be used */
	char *reason;  /* why not, in words */
	char *version, *socket, *folder;
	pthread_mutex_t lock;      /* of all below */
	pid_t pid;                 /* 0: it does not run */
	int pid_fd;                /* -1 then */
	json_t *bound;             /* {"myapp": true}: it listens for these */
	json_t *problems;          /* in words */
	int64_t started_ms;        /* when it was, last; clock_mono_ms() */
	pthread_mutex_t show_lock; /* of shown alone; never held for long */
	json_t *shown;             /* what route_json() answers */
	bool watching;
	pthread_t watcher;
	int wake_fd; /* for the watcher: look again */
	atomic_bool ending;
};

/* HAProxy or not, as slugd.ini and the machine have it. */
static int choose(struct route *r, const char *driver)
{
	int rc = 0;

	if (!strcmp(driver, "direct")) {
		r->reason = xstrdup("as slugd.ini says");
		return 0;
	}
	r->program = route_find_program();
	if (!r->program)
		rc = err_set(ERR_FAILED, "HAProxy is not installed");
	else
		rc = route_read_version(r->program, &r->version);
	if (!rc)
		return 0;
	str_replace(&r->program, NULL);
	if (strcmp(driver, "haproxy") != 0) {
		r->reason = xstrdup(err_msg());
		log_line("requests go directly to apps: %s", err_msg());
		return 0;
	}
	return err_set(ERR_FAILED,
		       "[route] driver is haproxy, but %s: install it, or "
		       "choose auto or direct",
		       err_msg());
}

/* From now on it is this process that is watched; 0: none. */
static void set_pid(struct route *r, pid_t pid)
{
	uint64_t one = 1;

	if (r->pid == pid)
		return;
	if (r->pid_fd >= 0)
		close(r->pid_fd);
	r->pid_fd = pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	r->pid = r->pid_fd < 0 ? 0 : pid;
	if (write(r->wake_fd, &one, sizeof(one)) < 0) {
		/* Its counter is full: it will be looked at. */
	}
}

/* What is answered of it from now on; with the lock held. */
static void show(struct route *r)
{
	json_t *v, *old;

	if (r->program)
		v = json_make("{s:s, s:s, s:o, s:o}", "driver", "haproxy",
			      "version", r->version, "pid",
			      r->pid ? json_integer(r->pid) : json_null(),
			      "problems", json_deep_copy(r->problems));
	else
		v = json_make("{s:s, s:s}", "driver", "direct", "reason",
			      r->reason);
	pthread_mutex_lock(&r->show_lock);
	old = r->shown;
	r->shown = v;
	pthread_mutex_unlock(&r->show_lock);
	json_decref(old);
}

static void problem(struct route *r, char *words)
{
	json_array_append_new(r->problems, json_string(words));
	log_line("%s", words);
	free(words);
}

/* Can HAProxy have this port: has it, or is it free? */
static bool may_bind(const struct running *now, const char *frontend,
		     int64_t port)
{
	return route_has_frontend(now, frontend) ||
	       sock_port_is_free((uint16_t)port);
}

/* Choose what of c is listened on; note what cannot be. */
static bool *choose_binds(struct route *r, struct route_config *c,
			  const struct running *now)
{
	bool *bind = xcalloc(c->nr_apps + 1, sizeof(*bind));
	json_t *old = r->problems;
	const char *colon;
	char *name;
	size_t i;

	r->problems = json_array();
	json_object_clear(r->bound);
	for (i = 0; i < c->nr_apps; i++) {
		const struct app *a = c->apps[i];

		if (!a->port)
			continue;
		name = xasprintf("in-%" PRId64, a->port);
		bind[i] = may_bind(now, name, a->port);
		if (!bind[i])
			problem(r, xasprintf("port %" PRId64
					     " of %s is another program's",
					     a->port, a->name));
		free(name);
	}
	colon = c->listen ? strrchr(c->listen, ':') : NULL;
	if (colon) {
		name = xasprintf("names%s", colon);
		if (!may_bind(now, name, strtol(colon + 1, NULL, 10))) {
			problem(r, xasprintf("port %s of [route] listen is "
					     "another program's",
					     colon + 1));
			c->listen = NULL;
		}
		free(name);
	}
	json_decref(old);
	return bind;
}

/* Write the configuration and have HAProxy take it. */
static int load(struct slugd *d, const struct route_config *c, pid_t old)
{
	struct route *r = d->route;
	struct running now = { 0 };
	int fd = -1, rc;

	rc = haproxy_lock(&fd, r->folder, true, LOCK_MS);
	if (!rc)
		rc = route_config_write(c);
	if (!rc)
		rc = route_start_program(r->program, d->dir, old);
	if (!rc) {
		rc = route_look(r->socket, &now);
		free(now.frontends);
	}
	if (fd >= 0)
		close(fd);
	r->started_ms = clock_mono_ms();
	if (!rc) {
		set_pid(r, now.pid);
		log_line("HAProxy %s: pid %d, %s", r->version, (int)now.pid,
			 old ? "reloaded" : "started");
		/* Launches may have failed for want of it. */
		watches_hurry(d->watches);
	}
	return rc;
}

/* Does it live, though it does not answer? */
static bool is_stuck(const struct route *r)
{
	struct pollfd p = { r->pid_fd, POLLIN, 0 };

	return r->pid_fd >= 0 && !poll(&p, 1, 0);
}

/*
 * HAProxy runs, and is what it should be; with the lock held. *changed:
 * it was (re)started, so that slugruns are to be told.
 */
static int ensure(struct slugd *d, bool *changed)
{
	struct route *r = d->route;
	struct route_config c = { .dir = d->dir };
	struct running now;
	char id[DIGEST_HEX];
	bool *bind = NULL, runs;
	size_t i;
	int rc = ledger_apps(d->ledger, &c.apps, &c.nr_apps);

	*changed = false;
	if (rc)
		return rc;
	if (strcmp(d->config->listen, "none") != 0)
		c.listen = d->config->listen;
	c.max_app = (unsigned long)d->config->app_connections;
	c.max_source = (unsigned long)d->config->source_connections;
	runs = !route_look(r->socket, &now);
	if (!runs && is_stuck(r)) {
		/* Another one would find its ports taken. */
		apps_free(c.apps, c.nr_apps);
		return err_set(ERR_UNAVAILABLE,
			       "HAProxy, pid %d, does not answer", (int)r->pid);
	}
	c.bind = bind = choose_binds(r, &c, &now);
	route_config_id(id, &c);
	if (!runs || strcmp(now.id, id) != 0) {
		*changed = true;
		rc = load(d, &c, runs ? now.pid : 0);
	} else {
		set_pid(r, now.pid);
	}
	for (i = 0; i < c.nr_apps && !rc; i++)
		if (bind[i])
			json_object_set_new(r->bound, c.apps[i]->name,
					    json_true());
	if (rc)
		json_array_append_new(r->problems, json_string(err_msg()));
	show(r);
	free(now.frontends);
	free(bind);
	apps_free(c.apps, c.nr_apps);
	return rc;
}

/* Let the app's slugrun, where it runs, bring its servers in line. */
static void tell(const struct slugd *d, const struct app *app)
{
	char *path = xasprintf("%s/apps/%s/slugrun.sock", d->dir, app->name);
	struct client *c = NULL;
	json_t *body = json_make("{s:o}", "route", route_order(d, app));

	if (!client_open(&c, path)) {
		client_set_timeout(c, TELL_MS);
		if (client_call(c, "POST", "/route", body, NULL))
			log_line("app=%s: its route: %s", app->name, err_msg());
	}
	client_free(c);
	json_decref(body);
	free(path);
}

static void tell_all(struct slugd *d)
{
	struct app **apps = NULL;
	size_t n = 0, i;

	if (ledger_apps(d->ledger, &apps, &n))
		log_line("%s", err_msg());
	for (i = 0; i < n && !d->stopping; i++)
		tell(d, apps[i]);
	apps_free(apps, n);
}

/* Bring all in line: with slugruns that held ports by relays, twice. */
static int refresh(struct slugd *d)
{
	struct route *r = d->route;
	bool changed, again;
	int rc;

	pthread_mutex_lock(&r->lock);
	rc = ensure(d, &changed);
	again = json_array_size(r->problems);
	pthread_mutex_unlock(&r->lock);
	if (changed || again)
		tell_all(d);
	if (!rc && !again)
		return 0;
	pthread_mutex_lock(&r->lock);
	rc = ensure(d, &changed);
	pthread_mutex_unlock(&r->lock);
	if (changed && !rc)
		tell_all(d);
	return rc;
}

/* Until HAProxy ends or there is another one, or slugd ends. */
static void wait_for_change(struct route *r, int ms)
{
	struct pollfd p[2] = { { r->wake_fd, POLLIN, 0 }, { -1, POLLIN, 0 } };
	uint64_t n;

	pthread_mutex_lock(&r->lock);
	p[1].fd = r->pid_fd < 0 ? -1 : fcntl(r->pid_fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&r->lock);
	poll(p, 2, ms);
	if (read(r->wake_fd, &n, sizeof(n)) < 0) {
		/* It was not that. */
	}
	if (p[1].fd >= 0)
		close(p[1].fd);
}

/* Did the one that is known end? */
static bool is_gone(struct route *r)
{
	struct pollfd p = { -1, POLLIN, 0 };
	bool gone;

	pthread_mutex_lock(&r->lock);
	p.fd = r->pid_fd;
	gone = p.fd < 0 || poll(&p, 1, 0) > 0;
	if (gone && r->pid)
		log_line("HAProxy, pid %d, ended", (int)r->pid);
	if (gone) {
		set_pid(r, 0);
		show(r);
	}
	pthread_mutex_unlock(&r->lock);
	return gone;
}

/* The thread that starts HAProxy again where it ended. */
static void *watch(void *arg)
{
	struct slugd *d = arg;
	struct route *r = d->route;
	int pause;

	/* Where the first one did not start, it is tried again. */
	pthread_mutex_lock(&r->lock);
	pause = r->pid ? 0 : PAUSE_MS;
	pthread_mutex_unlock(&r->lock);
	while (!r->ending) {
		wait_for_change(r, pause ? pause : -1);
		if (r->ending || !is_gone(r)) {
			pause = 0;
			continue;
		}
		/* One that ends at once is not started at once. */
		if (!pause && clock_mono_ms() - r->started_ms < PAUSE_MS) {
			pause = PAUSE_MS;
			continue;
		}
		if (!refresh(d)) {
			pause = 0;
			continue;
		}
		log_line("%s", err_msg());
		pause = pause ? pause * 2 : PAUSE_MS;
		if (pause > RETRY_MAX)
			pause = RETRY_MAX;
	}
	return NULL;
}

static void refresh_job(void *arg)
{
	struct slugd *d = arg;

	if (!d->stopping && refresh(d))
		log_line("%s", err_msg());
}

static void tell_job(void *arg)
{
	tell_all(arg);
}

static int start_watching(struct slugd *d)
{
	struct route *r = d->route;
	int rc;

	if (mkdir(r->folder, 0700) && errno != EEXIST)
		return err_sys("%s", r->folder);
	/* Later ones are of other threads; the first is of the start. */
	rc = refresh(d);
	if (rc)
		log_line("%s", err_msg());
	if (pthread_create(&r->watcher, NULL, watch, d))
		return err_set(ERR_SYSTEM, "the route: no thread");
	r->watching = true;
	return 0;
}

int route_start(struct slugd *d)
{
	struct route *r;
	int rc;

	if (!slugd_launches(d))
		return 0;
	r = d->route = xcalloc(1, sizeof(*r));
	r->slugd = d;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->show_lock, NULL);
	r->pid_fd = -1;
	r->bound = json_object();
	r->problems = json_array();
	r->socket = xasprintf("%s/" ROUTE_SOCKET, d->dir);
	r->folder = xasprintf("%s/route", d->dir);
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake_fd < 0)
		return err_sys("eventfd");
	rc = choose(r, d->config->route);
	if (rc)
		return rc;
	show(r);
	if (r->program)
		return start_watching(d);
	if (strcmp(d->config->listen, "none") != 0)
		log_line("[route] listen needs HAProxy: nothing listens there");
	if (!access(r->socket, F_OK)) {
		/* It was HAProxy's turn before: the relays take over. */
		route_end_program(r->socket);
		jobs_submit(d->jobs, LANE, tell_job, d);
	}
	return 0;
}

void route_end(struct slugd *d, bool stop)
{
	struct route *r = d->route;
	uint64_t one = 1;

	if (!r)
		return;
	r->ending = true;
	if (r->watching && write(r->wake_fd, &one, sizeof(one)) > 0)
		pthread_join(r->watcher, NULL);
	if (stop && r->program)
		route_end_program(r->socket);
	if (r->pid_fd >= 0)
		close(r->pid_fd);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	json_decref(r->bound);
	json_decref(r->problems);
	json_decref(r->shown);
	pthread_mutex_destroy(&r->show_lock);
	pthread_mutex_destroy(&r->lock);
	free(r->program);
	free(r->reason);
	free(r->version);
	free(r->socket);
	free(r->folder);
	free(r);
	d->route = NULL;
}

int route_app(const struct slugd *d, const struct app *app)
{
	struct route *r = d->route;
	bool changed = false;
	int rc = 0;

	if (!r || !r->program)
		return 0;
	pthread_mutex_lock(&r->lock);
	if (!r->pid || !json_object_get(r->bound, app->name))
		rc = ensure(r->slugd, &changed);
	if (!rc && app->port && !json_object_get(r->bound, app->name))
		rc = err_set(ERR_CONFLICT,
			     "port %" PRId64 " of %s is another program's",
			     app->port, app->name);
	pthread_mutex_unlock(&r->lock);
	if (changed)
		jobs_submit(d->jobs, LANE, tell_job, r->slugd);
	return rc;
}

void route_refresh(struct slugd *d)
{
	if (d->route && d->route->program)
		jobs_submit(d->jobs, LANE, refresh_job, d);
}

json_t *route_order(const struct slugd *d, const struct app *app)
{
	const struct route *r = d->route;
	json_t *order;

	if (!r || !r->program)
		return json_make("{s:s}", "driver", "direct");
	order = json_make("{s:s, s:s}", "driver", "haproxy", "socket",
			  r->socket);
	json_object_set_new(order, "backend",
			    json_sprintf("app-%s", app->name));
	json_object_set_new(order, "state",
			    json_sprintf("%s/%s", r->folder, app->name));
	return order;
}

/* The map with the app as it is to be; with the lock held. */
static int write_map(struct slugd *d, const struct app *app, bool on)
{
	struct route_config c = { .dir = d->dir };
	size_t i;
	int rc = ledger_apps(d->ledger, &c.apps, &c.nr_apps);

	for (i = 0; i < c.nr_apps; i++)
		if (c.apps[i]->id == app->id)
			c.apps[i]->maintenance = on;
	if (!rc)
		rc = route_config_map(&c);
	apps_free(c.apps, c.nr_apps);
	return rc;
}

int route_maintenance(struct slugd *d, const struct app *app, bool on)
{
	struct route *r = d->route;
	char *command = NULL, *out = NULL;
	int rc;

	if (!r || !r->program)
		return err_set(ERR_UNAVAILABLE,
			       "the page of maintenance needs HAProxy: %s",
			       r ? r->reason : "slugd launches nothing");
	command = xasprintf("del map " ROUTE_MAP " app-%s; %s", app->name,
			    on ? "add map " ROUTE_MAP " app-" : "");
	if (on)
		str_replace(&command, xasprintf("%s%s 1", command, app->name));
	pthread_mutex_lock(&r->lock);
	rc = write_map(d, app, on);
	/* One that is gone reads the file when it starts. */
	if (!rc && haproxy_ask(&out, r->socket, command, HAPROXY_MS))
		log_line("app=%s: maintenance: %s", app->name, err_msg());
	pthread_mutex_unlock(&r->lock);
	free(out);
	free(command);
	return rc;
}

json_t *route_json(struct slugd *d)
{
	struct route *r = d->route;
	json_t *v;

	if (!r)
		return json_null();
	pthread_mutex_lock(&r->show_lock);
	v = json_deep_copy(r->shown);
	pthread_mutex_unlock(&r->show_lock);
	return v;
}
