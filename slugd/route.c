/* SPDX-License-Identifier: ISC */
#include "route.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
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
#include "proc.h"
#include "route-config.h"
#include "slugd.h"
#include "sock.h"

#define LANE      "route"
#define LOCK_MS   5000  /* for slugruns to be done */
#define TELL_MS   5000  /* for a slugrun to bring its servers in line */
#define END_MS    5000  /* for HAProxy to end */
#define RETRY_MAX 60000 /* between two attempts to start it */
#define MIN_MAJOR 2     /* of its version: "add server" */
#define MIN_MINOR 6

struct route {
	struct slugd *slugd;
	char *program; /* NULL: there is none, or none is to be used */
	char *reason;  /* why not, in words */
	char *version, *socket, *folder;
	pthread_mutex_t lock; /* of all below */
	pid_t pid;            /* 0: it does not run */
	int pid_fd;           /* -1 then */
	json_t *bound;        /* {"myapp": true}: it listens for these */
	json_t *problems;     /* in words */
	bool watching;
	pthread_t watcher;
	int wake_fd; /* for the watcher: look again */
	atomic_bool ending;
};

/* What HAProxy says of itself. */
struct running {
	pid_t pid;
	char id[DIGEST_HEX];
	char *frontends; /* lines that begin with a name and a comma */
};

/* Where the program is: as SLUGD_HAPROXY says, in PATH, or beside it. */
static char *find_program(void)
{
	const char *own = getenv("SLUGD_HAPROXY"), *path = getenv("PATH");
	char *all, *save = NULL, *dir, *file = NULL;

	if (own)
		return *own && !access(own, X_OK) ? xstrdup(own) : NULL;
	all = xasprintf("%s:/usr/local/sbin:/usr/sbin", path ? path : "");
	for (dir = strtok_r(all, ":", &save); dir && !file;
	     dir = strtok_r(NULL, ":", &save)) {
		file = xasprintf("%s/haproxy", dir);
		if (access(file, X_OK))
			str_replace(&file, NULL);
	}
	free(all);
	return file;
}

/* "HAProxy version 2.6.12-1+deb12u4 ...": the number, where it will do. */
static int read_version(const char *program, char **out)
{
	const char *argv[] = { program, "-v", NULL };
	const struct proc_spec spec = { .argv = argv };
	unsigned major, minor;
	char *text = NULL, *at;
	int rc = proc_capture(&text, NULL, &spec);

	if (rc)
		return rc;
	at = strstr(text, "version ");
	if (!at || sscanf(at + 8, "%u.%u", &major, &minor) != 2)
		rc = err_set(ERR_FAILED, "%s does not say its version",
			     program);
	else if (major < MIN_MAJOR || (major == MIN_MAJOR && minor < MIN_MINOR))
		rc = err_set(ERR_FAILED, "HAProxy %u.%u is older than %d.%d",
			     major, minor, MIN_MAJOR, MIN_MINOR);
	else
		*out = xstrndup(at + 8, strspn(at + 8, "0123456789."));
	free(text);
	return rc;
}

/* HAProxy or not, as slugd.ini and the machine have it. */
static int choose(struct route *r, const char *driver)
{
	int rc = 0;

	if (!strcmp(driver, "direct")) {
		r->reason = xstrdup("as slugd.ini says");
		return 0;
	}
	r->program = find_program();
	if (!r->program)
		rc = err_set(ERR_FAILED, "HAProxy is not installed");
	else
		rc = read_version(r->program, &r->version);
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

/* The value behind "key: " at the beginning of a line; "" where none is. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && (strncmp(text, key, len) != 0 || text[len] != ':')) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text ? text + len + 1 + strspn(text + len + 1, " ") : "";
}

/* Which HAProxy answers. Errors: ERR_UNAVAILABLE. */
static int look(const struct route *r, struct running *now)
{
	char *info = NULL;
	int rc;

	memset(now, 0, sizeof(*now));
	rc = haproxy_ask(&info, r->socket, "show info");
	if (!rc)
		rc = haproxy_ask(&now->frontends, r->socket,
				 "show stat -1 1 -1");
	if (!rc) {
		now->pid = (pid_t)strtol(value_of(info, "Pid"), NULL, 10);
		snprintf(now->id, sizeof(now->id), "%s",
			 value_of(info, "description"));
	}
	if (!rc && now->pid <= 1)
		rc = err_set(ERR_UNAVAILABLE, "HAProxy does not say its pid");
	free(info);
	return rc;
}

/* Does it listen for this front end? */
static bool has_frontend(const struct running *now, const char *name)
{
	const char *p = now->frontends;
	size_t len = strlen(name);

	while (p && (strncmp(p, name, len) != 0 || p[len] != ',')) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return p;
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

/* The first [ALERT] of what HAProxy wrote, as this thread's error. */
static int alert(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");
	const char *words = NULL;

	while (f && !words && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		words = strstr(line, "[ALERT]");
	}
	words = words ? words + 7 + strcspn(words + 7, ":") : NULL;
	err_set(ERR_FAILED, "HAProxy does not start%s; see %s",
		words ? words : "", path);
	if (f)
		fclose(f);
	return ERR_FAILED;
}

/* Start it, in place of old (0: none), from what was written. */
static int start(const struct slugd *d, pid_t old)
{
	char *log = xasprintf("%s/log/haproxy", d->dir);
	char *pid = xasprintf("%d", (int)old);
	const char *argv[] = { d->route->program,
			       "-D",
			       "-f",
			       ROUTE_CONFIG,
			       "-p",
			       ROUTE_PID,
			       old ? "-x" : NULL,
			       ROUTE_SOCKET,
			       "-sf",
			       pid,
			       NULL };
	struct proc_spec spec = { .argv = argv,
				  .dir = d->dir,
				  .session = true };
	pid_t child;
	int rc;

	spec.out = spec.err =
		open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	rc = spec.out < 0 ? err_sys("%s", log) : proc_spawn(&child, &spec);
	if (!rc && proc_wait(child, "haproxy"))
		rc = alert(log);
	if (spec.out >= 0)
		close(spec.out);
	free(pid);
	free(log);
	return rc;
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
	return has_frontend(now, frontend) || sock_port_is_free((uint16_t)port);
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
	struct running now;
	int fd = -1, rc;

	rc = haproxy_lock(&fd, r->folder, true, LOCK_MS);
	if (!rc)
		rc = route_config_write(c);
	if (!rc)
		rc = start(d, old);
	if (!rc) {
		rc = look(r, &now);
		free(now.frontends);
	}
	if (fd >= 0)
		close(fd);
	if (!rc) {
		set_pid(r, now.pid);
		log_line("HAProxy %s: pid %d, %s", r->version, (int)now.pid,
			 old ? "reloaded" : "started");
	}
	return rc;
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
	runs = !look(r, &now);
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
	if (gone)
		set_pid(r, 0);
	pthread_mutex_unlock(&r->lock);
	return gone;
}

/* The thread that starts HAProxy again where it ended. */
static void *watch(void *arg)
{
	struct slugd *d = arg;
	struct route *r = d->route;
	int pause = 0;

	while (!r->ending) {
		wait_for_change(r, pause ? pause : -1);
		if (r->ending || !is_gone(r)) {
			pause = 0;
			continue;
		}
		if (!refresh(d)) {
			pause = 0;
			continue;
		}
		log_line("%s", err_msg());
		pause = pause ? pause * 2 : 1000;
		if (pause > RETRY_MAX)
			pause = RETRY_MAX;
	}
	return NULL;
}

/* End the HAProxy that answers, if one does, and wait for that. */
static void end_haproxy(struct route *r)
{
	struct running now;
	struct pollfd p = { -1, POLLIN, 0 };

	if (!look(r, &now))
		p.fd = (int)syscall(SYS_pidfd_open, now.pid, 0);
	free(now.frontends);
	if (p.fd < 0)
		return;
	log_line("ending HAProxy, pid %d", (int)now.pid);
	syscall(SYS_pidfd_send_signal, p.fd, SIGTERM, NULL, 0);
	if (poll(&p, 1, END_MS) == 0) {
		syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
		poll(&p, 1, END_MS);
	}
	close(p.fd);
	unlink(r->socket);
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
	if (r->program)
		return start_watching(d);
	if (strcmp(d->config->listen, "none") != 0)
		log_line("[route] listen needs HAProxy: nothing listens there");
	if (!access(r->socket, F_OK)) {
		/* It was HAProxy's turn before: the relays take over. */
		end_haproxy(r);
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
		end_haproxy(r);
	if (r->pid_fd >= 0)
		close(r->pid_fd);
	if (r->wake_fd >= 0)
		close(r->wake_fd);
	json_decref(r->bound);
	json_decref(r->problems);
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
	if (!rc && haproxy_ask(&out, r->socket, command))
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
	if (!r->program)
		return json_make("{s:s, s:s}", "driver", "direct", "reason",
				 r->reason);
	pthread_mutex_lock(&r->lock);
	v = json_make("{s:s, s:s, s:o, s:O}", "driver", "haproxy", "version",
		      r->version, "pid",
		      r->pid ? json_integer(r->pid) : json_null(), "problems",
		      r->problems);
	pthread_mutex_unlock(&r->lock);
	return v;
}
