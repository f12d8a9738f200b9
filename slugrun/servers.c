/* SPDX-License-Identifier: ISC */
#include "servers.h"

#include <fcntl.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "haproxy.h"
#include "log.h"
#include "mem.h"
#include "route.h"

#define WAIT_MS  500  /* for HAProxy, and for a reload, which takes 0.1 s */
#define STUCK_MS 50   /* the same once it did not answer */
#define AGAIN_MS 1000 /* until HAProxy is asked again, where that failed */
#define DRAIN_MS 30   /* between two looks whether a server is drained */

/* What "add server" does not take from the back end's defaults. */
#define SERVER_OPTIONS "pool-max-conn -1 pool-purge-delay 5s"

enum server_state {
	SERVER_WISHED,
	SERVER_LEAVING, /* in maintenance, until it can be deleted */
	SERVER_GONE,    /* but for the HAProxy of before a reload, maybe */
};

struct server {
	char *name;
	uint16_t port;
	enum server_state state;
	bool seen, ready; /* HAProxy has it; and sends requests there */
	int64_t look_ms;  /* not asked about before that */
	TAILQ_ENTRY(server) link;
};

struct servers {
	char *socket, *backend, *state, *folder;
	bool behind;      /* HAProxy is not what is wished */
	bool told;        /* and that was logged */
	bool stuck;       /* it did not answer the last time */
	int64_t due_ms;   /* when to try again */
	int64_t until_ms; /* so long it is waited for */
	TAILQ_HEAD(, server) list;
};

static void drop(struct servers *s, struct server *v)
{
	TAILQ_REMOVE(&s->list, v, link);
	free(v->name);
	free(v);
}

static struct server *find(const struct servers *s, const char *name)
{
	struct server *v;

	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static struct server *add(struct servers *s, const char *name, uint16_t port,
			  enum server_state state)
{
	struct server *v, *next;

	/* The port is another process's now. */
	for (v = TAILQ_FIRST(&s->list); v; v = next) {
		next = TAILQ_NEXT(v, link);
		if (v->port == port && v->state == SERVER_GONE)
			drop(s, v);
	}
	v = xcalloc(1, sizeof(*v));
	v->name = xstrdup(name);
	v->port = port;
	v->state = state;
	TAILQ_INSERT_TAIL(&s->list, v, link);
	return v;
}

/* "/a/b" in which no part is a step up, and no line ends. */
static bool is_path(const char *p)
{
	return *p == '/' && !strstr(p, "/../") && !strpbrk(p, "\r\n");
}

int servers_open(struct servers **out, const json_t *spec)
{
	const char *socket = json_str(spec, "socket", "");
	const char *backend = json_str(spec, "backend", "");
	const char *state = json_str(spec, "state", "");
	struct servers *s;
	char *copy;

	if (!is_path(socket) || !is_path(state) || !haproxy_is_name(backend))
		return err_set(ERR_INVALID, "route is none of HAProxy's");
	s = xcalloc(1, sizeof(*s));
	TAILQ_INIT(&s->list);
	s->socket = xstrdup(socket);
	s->backend = xstrdup(backend);
	s->state = xstrdup(state);
	copy = xstrdup(state);
	s->folder = xstrdup(dirname(copy));
	free(copy);
	*out = s;
	return 0;
}

bool servers_fit(const struct servers *s, const json_t *spec)
{
	return !strcmp(s->socket, json_str(spec, "socket", "")) &&
	       !strcmp(s->backend, json_str(spec, "backend", "")) &&
	       !strcmp(s->state, json_str(spec, "state", ""));
}

/* The state file, as a whole: no reader sees half of it. */
static int write_state(const struct servers *s)
{
	char *copy = xstrdup(s->state);
	char *tmp = xasprintf("%s/.%s.tmp", s->folder, basename(copy));
	const struct server *v;
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int rc = 0;

	if (f) {
		for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
			if (v->state == SERVER_WISHED)
				fprintf(f, "%s %u\n", v->name, v->port);
	}
	if (!f || fclose(f) || rename(tmp, s->state))
		rc = err_sys("%s", s->state);
	free(tmp);
	free(copy);
	return rc;
}

/* How long HAProxy may take for what comes now, as a whole. */
static int begin(struct servers *s)
{
	int ms = s->stuck ? STUCK_MS : WAIT_MS;

	s->until_ms = clock_mono_ms() + ms;
	return ms;
}

static int ask(struct servers *s, const char *text, char **out)
{
	int64_t left = s->until_ms - clock_mono_ms();
	int rc = haproxy_ask(out, s->socket, text, left > 1 ? (int)left : 1);

	s->stuck = rc != 0;
	return rc;
}

/*
 * Let HAProxy do something to a server, as "del server app-myapp/web.1-4".
 * Its words into *out (caller frees).
 */
static int order(struct servers *s, const struct server *v, const char *verb,
		 const char *rest, char **out)
{
	char *text = xasprintf("%s %s/%s%s", verb, s->backend, v->name, rest);
	int rc = ask(s, text, out);

	free(text);
	return rc;
}

/* One for which it is an error where HAProxy says anything but this. */
static int command(struct servers *s, const struct server *v, const char *verb,
		   const char *rest, const char *wanted)
{
	char *out = NULL;
	int rc = order(s, v, verb, rest, &out);

	if (!rc && strncmp(out, wanted, strlen(wanted)) != 0)
		rc = err_set(ERR_UNAVAILABLE, "HAProxy: %s %s/%s: %.*s", verb,
			     s->backend, v->name, (int)strcspn(out, "\n"), out);
	free(out);
	return rc;
}

/* Let no new request go to it. */
static int disable(struct servers *s, struct server *v)
{
	int rc = command(s, v, "set server", " state maint", "\n");

	if (!rc)
		v->ready = false;
	return rc;
}

static int enable(struct servers *s, struct server *v)
{
	char *address = NULL;
	int rc = 0;

	if (!v->seen) {
		address = xasprintf(" 127.0.0.1:%u " SERVER_OPTIONS, v->port);
		rc = command(s, v, "add server", address,
			     "New server registered");
		v->seen = !rc;
	}
	if (!rc)
		rc = command(s, v, "set server", " state ready", "\n");
	if (!rc)
		v->ready = true;
	free(address);
	return rc;
}

/* The words of line, which is cut in place: n at most; how many there are. */
static size_t split(char *line, const char *words[], size_t n)
{
	char *save = NULL, *word;
	size_t i = 0;

	for (word = strtok_r(line, " \n", &save); word && i < n;
	     word = strtok_r(NULL, " \n", &save))
		words[i++] = word;
	return i;
}

/* A server of the back end, as "show servers state" describes it. */
static void take_line(struct servers *s, char *line)
{
	enum { NAME = 3, ADMIN_STATE = 6, PORT = 18, FIELDS };
	const char *words[FIELDS];
	struct server *v;

	if (split(line, words, FIELDS) < FIELDS || *words[0] == '#')
		return;
	v = find(s, words[NAME]);
	if (!v)
		v = add(s, words[NAME],
			(uint16_t)strtoul(words[PORT], NULL, 10),
			SERVER_LEAVING);
	if (v->state == SERVER_GONE)
		v->state = SERVER_LEAVING;
	v->seen = true;
	v->ready = !strtoul(words[ADMIN_STATE], NULL, 10);
}

/* What HAProxy has now. */
static int look(struct servers *s)
{
	char *text = xasprintf("show servers state %s", s->backend);
	char *out = NULL, *save = NULL, *line;
	struct server *v;
	int rc = ask(s, text, &out);

	if (!rc && strncmp(out, "1\n#", 3) != 0)
		rc = err_set(ERR_UNAVAILABLE, "HAProxy: %.*s",
			     (int)strcspn(out, "\n"), out);
	if (rc)
		goto done;
	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		v->seen = v->ready = false;
	for (line = strtok_r(out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		take_line(s, line);
done:
	free(text);
	free(out);
	return rc;
}

/* New ones are there before old ones are not. */
static int bring_in_line(struct servers *s)
{
	struct server *v;
	int rc = look(s);

	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		if (!rc && v->state == SERVER_WISHED && !v->ready)
			rc = enable(s, v);
	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		if (!rc && v->state == SERVER_LEAVING && v->ready)
			rc = disable(s, v);
	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		if (!rc && v->state == SERVER_LEAVING && !v->seen)
			v->state = SERVER_GONE;
	return rc;
}

int servers_sync(struct servers *s)
{
	int fd = -1, state, rc;

	/* Without the lock, too: slugd has us do it again after a reload. */
	rc = haproxy_lock(&fd, s->folder, false, begin(s));
	state = write_state(s);
	if (state)
		rc = state;
	if (!rc)
		rc = bring_in_line(s);
	if (fd >= 0)
		close(fd);
	s->behind = rc != 0;
	s->due_ms = clock_mono_ms() + AGAIN_MS;
	if (rc && !s->told)
		log_line("the route: %s", err_msg());
	else if (!rc && s->told && !TAILQ_EMPTY(&s->list))
		log_line("the route is in line again");
	s->told = rc != 0;
	return rc;
}

void servers_point(struct servers *s, const struct route_server *v, size_t n)
{
	struct server *old;
	size_t i;

	for (old = TAILQ_FIRST(&s->list); old; old = TAILQ_NEXT(old, link))
		if (old->state == SERVER_WISHED) {
			old->state = SERVER_LEAVING;
			old->look_ms = clock_mono_ms() + DRAIN_MS;
		}
	for (i = 0; i < n && i < HAPROXY_SERVERS; i++) {
		char *name = xasprintf("%s-%d", v[i].name, (int)v[i].pid);

		old = find(s, name);
		if (old)
			old->state = SERVER_WISHED;
		else
			add(s, name, v[i].port, SERVER_WISHED);
		free(name);
	}
	servers_sync(s);
}

/*
 * Has somebody a connection to that port? The end that HAProxy has is one of
 * IPv4, whatever the server listens on. See proc_net(5).
 */
static bool has_connections(uint16_t port)
{
	enum { REMOTE = 2, STATE = 3, FIELDS };
	FILE *f = fopen("/proc/self/net/tcp", "re");
	const char *words[FIELDS], *colon;
	char line[256];
	bool has = false;

	while (f && !has && fgets(line, sizeof(line), f)) {
		if (split(line, words, FIELDS) < FIELDS)
			continue;
		colon = strchr(words[REMOTE], ':');
		has = colon && strtoul(colon + 1, NULL, 16) == port &&
		      strtoul(words[STATE], NULL, 16) == TCP_ESTABLISHED;
	}
	if (f)
		fclose(f);
	return has;
}

/*
 * Have it deleted: HAProxy does so when no request is on its way. One that
 * does not answer is not asked again before it is in line.
 */
static void try_delete(struct servers *s, struct server *v)
{
	char *out = NULL;

	if (v->state != SERVER_LEAVING || s->behind)
		return;
	begin(s);
	if (order(s, v, "del server", "", &out)) {
		s->behind = true;
		s->due_ms = clock_mono_ms() + AGAIN_MS;
		return;
	}
	if (!strncmp(out, "Server deleted", 14) || !strncmp(out, "No such", 7))
		v->state = SERVER_GONE;
	free(out);
}

bool servers_are_busy(struct servers *s, uint16_t port)
{
	int64_t now = clock_mono_ms();
	struct server *v, *next;
	bool busy = false;

	/* Requests may still be sent there. */
	if (s->behind)
		return true;
	for (v = TAILQ_FIRST(&s->list); v; v = next) {
		next = TAILQ_NEXT(v, link);
		if (v->port != port || v->state == SERVER_WISHED)
			continue;
		if (now < v->look_ms) {
			busy = true;
			continue;
		}
		v->look_ms = now + DRAIN_MS;
		try_delete(s, v);
		if (v->state == SERVER_LEAVING || has_connections(port))
			busy = true;
		else
			drop(s, v);
	}
	return busy;
}

static bool are_leaving(const struct servers *s)
{
	const struct server *v;

	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		if (v->state == SERVER_LEAVING)
			return true;
	return false;
}

int64_t servers_due(const struct servers *s)
{
	return s->behind || are_leaving(s) ? s->due_ms : INT64_MAX;
}

void servers_tick(struct servers *s)
{
	struct server *v;

	if (clock_mono_ms() < servers_due(s))
		return;
	s->due_ms = clock_mono_ms() + AGAIN_MS;
	if (s->behind) {
		servers_sync(s);
		return;
	}
	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		try_delete(s, v);
}

void servers_free(struct servers *s)
{
	struct server *v, *next;

	if (!s)
		return;
	for (v = TAILQ_FIRST(&s->list); v; v = next) {
		next = TAILQ_NEXT(v, link);
		free(v->name);
		free(v);
	}
	free(s->socket);
	free(s->backend);
	free(s->state);
	free(s->folder);
	free(s);
}

void servers_close(struct servers *s)
{
	struct server *v;

	if (!s)
		return;
	/* slugd ends HAProxy at the same time, maybe. */
	s->told = true;
	servers_point(s, NULL, 0);
	for (v = TAILQ_FIRST(&s->list); v; v = TAILQ_NEXT(v, link))
		try_delete(s, v);
	unlink(s->state);
	servers_free(s);
}
