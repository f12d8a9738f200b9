/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "adopt.h"
#include "config.h"
#include "ctl.h"
#include "err.h"
#include "haproxy.h"
#include "mem.h"
#include "proc.h"
#include "repo-moved.h"
#include "sock.h"
#include "text.h"
#include "users.h"

/* Less free disk than either is worth a word. */
#define FREE_BYTES   (1ULL << 30)
#define FREE_PERCENT 5

struct check {
	const struct ctl *ctl;
	struct config *config; /* NULL where it is not to be read */
	const struct app *app; /* that is being looked at */
	uid_t owner;           /* of DIR */
	unsigned findings;
	bool fresh; /* no slugd has run there yet */
};

static void found(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void found(struct check *c, const char *fmt, ...)
{
	char *line, *safe;
	va_list ap;

	va_start(ap, fmt);
	line = xvasprintf(fmt, ap);
	va_end(ap);
	safe = text_escape(line);
	puts(safe);
	c->findings++;
	free(safe);
	free(line);
}

static void config_mistake(void *ctx, const char *line)
{
	found(ctx, "%s", line);
}

/* A slugd.ini, or the defaults where there is none. */
static void check_config(struct check *c, const char *path)
{
	int rc = config_check(&c->config, path, config_mistake, c);

	if (rc && !c->findings)
		found(c, "%s", err_msg());
}

static void check_own_config(struct check *c)
{
	char *path = xasprintf("%s/slugd.ini", c->ctl->dir);

	check_config(c, access(path, F_OK) && errno == ENOENT ? NULL : path);
	free(path);
}

/* Is it there, its owner DIR's, and closed to others? */
static void check_path(struct check *c, const char *path, mode_t others,
		       unsigned mode)
{
	char *word = text_shell_word(path);
	struct stat st;

	if (stat(path, &st)) {
		err_sys("%s", path);
		free(word);
		found(c, "%s; slugd makes it when it starts", err_msg());
		return;
	}
	if (st.st_uid != c->owner)
		found(c,
		      "%s belongs to user %u, not %u as the rest; mend with: "
		      "chown -R %u %s",
		      path, st.st_uid, c->owner, c->owner, word);
	if (st.st_mode & others)
		found(c, "%s can be read by others; mend with: chmod %o %s",
		      path, mode, word);
	free(word);
}

static void check_folders(struct check *c)
{
	static const char *const below[] = { "repos", "slugs", "apps", "log" };
	char *path = xasprintf("%s/ledger.db", c->ctl->dir);
	size_t i;

	if (!c->fresh || !access(c->ctl->dir, F_OK))
		check_path(c, c->ctl->dir, 077, 0700);
	if (c->fresh)
		goto done;
	check_path(c, path, 077, 0600);
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		str_replace(&path, xasprintf("%s/%s", c->ctl->dir, below[i]));
		check_path(c, path, 0, 0700);
	}
done:
	free(path);
}

/* DIR, or the folder that slugd would make it in. */
static int check_statvfs(const struct check *c, struct statvfs *fs)
{
	char *parent = xstrdup(c->ctl->dir);
	int rc = statvfs(parent, fs);

	if (rc && c->fresh && errno == ENOENT)
		rc = statvfs(dirname(parent), fs);
	if (rc)
		rc = err_sys("%s", parent);
	else if (c->fresh && access(parent, W_OK))
		rc = err_sys("slugd cannot make %s: %s", c->ctl->dir, parent);
	free(parent);
	return rc;
}

static void check_disk(struct check *c)
{
	struct statvfs fs;
	uint64_t bytes;
	char *size;

	if (check_statvfs(c, &fs)) {
		found(c, "%s", err_msg());
		return;
	}
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (bytes >= FREE_BYTES &&
	    (uint64_t)fs.f_bavail * 100 >= (uint64_t)fs.f_blocks * FREE_PERCENT)
		return;
	size = text_size(bytes);
	found(c, "%s: only %s of disk are free; make room there", c->ctl->dir,
	      size);
	free(size);
}

static void check_program(struct check *c, const char *path)
{
	if (!access(path, X_OK))
		return;
	err_sys("%s", path);
	found(c, "%s; mend by installing slugd again", err_msg());
}

static bool launches(const struct check *c)
{
	return c->config && strcmp(c->config->driver, "none") != 0;
}

/* Root's own processes are no app's. */
static void check_uid(struct check *c)
{
	if (launches(c) && !c->owner && !c->config->own_uid &&
	    users_are_there())
		found(c, "slugd.ini: own_uid is off, where slugd is root: no "
			 "app is run; mend with own_uid = on, or by having "
			 "slugd run as another user");
}

static void check_programs(struct check *c)
{
	static const char *const helpers[] = { "slugpack", "pre-receive",
					       "reference-transaction",
					       "post-receive", "slugrun" };
	size_t i, n = sizeof(helpers) / sizeof(helpers[0]);

	if (access(GIT_PROGRAM, X_OK))
		found(c, "%s is missing; mend by installing git", GIT_PROGRAM);
	for (i = 0; i < n - !launches(c); i++) {
		char *path = proc_helper(helpers[i]);

		check_program(c, path);
		free(path);
	}
}

/* Does slugd's HAProxy listen on it? */
static bool is_routed(const struct check *c, int64_t port)
{
	char *path = xasprintf("%s/haproxy.sock", c->ctl->dir);
	char *command = xasprintf("show stat in-%" PRId64 " 1 -1", port);
	char *out = NULL;
	bool is = !haproxy_ask(&out, path, command, HAPROXY_MS) &&
		  strstr(out, ",FRONTEND,");

	free(out);
	free(command);
	free(path);
	return is;
}

/* An address that another program has taken. */
static void check_port(struct check *c, const struct app *app)
{
	char *path;
	int fd = -1;

	if (!launches(c) || !app->port ||
	    sock_port_is_free((uint16_t)app->port) || is_routed(c, app->port))
		return;
	path = xasprintf("%s/apps/%s/slugrun.sock", c->ctl->dir, app->name);
	if (sock_connect_unix(&fd, path))
		found(c,
		      "app %s: its address 127.0.0.1:%" PRId64
		      " is another program's; end that one (ss -ltnp shows it)",
		      app->name, app->port);
	else
		close(fd);
	free(path);
}

#define KERNEL "/proc/sys/net/ipv4/"

/* The line of that file; NULL: there is none. Caller frees. */
static char *kernel_line(const char *name)
{
	char *path = xasprintf(KERNEL "%s", name), *line = NULL;
	FILE *f = fopen(path, "re");
	size_t size = 0;

	if (f && getline(&line, &size, f) < 0)
		str_replace(&line, NULL);
	if (f)
		fclose(f);
	free(path);
	return line;
}

/* Is port in a list such as "8080,9000-9009"? */
static bool is_listed(const char *list, unsigned long port)
{
	unsigned long first, last;
	char *end;

	for (; list && *list; list = end + (*end == ',')) {
		first = last = strtoul(list, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (port >= first && port <= last)
			return true;
		if (*end != ',')
			break;
	}
	return false;
}

/* What the kernel may give to anybody's connection is not slugd's alone. */
static void check_ephemeral(struct check *c)
{
	char *reserved = kernel_line("ip_local_reserved_ports"), *end;
	char *range = kernel_line("ip_local_port_range");
	unsigned long low = range ? strtoul(range, &end, 10) : 0;
	unsigned long high = range ? strtoul(end, NULL, 10) : 0;
	unsigned port = c->config->port_first;
	bool known = high;

	while (known && port <= c->config->port_last &&
	       (port < low || port > high || is_listed(reserved, port)))
		port++;
	free(range);
	free(reserved);
	if (known && port <= c->config->port_last)
		found(c,
		      "port %u of [launch] ports is one that the kernel gives "
		      "to connections; mend by other ports in slugd.ini, or "
		      "with: sysctl net.ipv4.ip_local_reserved_ports=%u-%u",
		      port, c->config->port_first, c->config->port_last);
}

static void check_ports(struct check *c)
{
	unsigned port;

	if (!launches(c))
		return;
	check_ephemeral(c);
	for (port = c->config->port_first; port <= c->config->port_last; port++)
		if (sock_port_is_free((uint16_t)port))
			return;
	found(c,
	      "no port from %u to %u is free; mend by another [launch] ports in "
	      "slugd.ini",
	      c->config->port_first, c->config->port_last);
}

static void repo_finding(void *ctx, const char *line, bool mendable)
{
	struct check *c = ctx;
	char *dir = text_shell_word(c->ctl->dir);

	if (mendable)
		found(c, "app %s: %s; mend with: slugctl -d %s repair %s",
		      c->app->name, line, dir, c->app->name);
	else
		found(c, "app %s: %s", c->app->name, line);
	free(dir);
}

static void check_tip(struct check *c, struct ledger *l, const struct app *app)
{
	char *words = repo_moved_tip(l, app);

	if (words)
		repo_finding(c, words, false);
	free(words);
}

/* As the owner: git tells no other of what is in a repository. */
static int check_apps(struct check *c, size_t *n)
{
	struct ledger *l = NULL;
	struct app **v = NULL;
	size_t i;
	int rc = ctl_become_owner(c->ctl);

	if (!rc)
		rc = ctl_open_ledger(c->ctl, &l);
	if (!rc)
		rc = ledger_apps(l, &v, n);
	for (i = 0; i < *n && !rc; i++) {
		c->app = v[i];
		repo_check(v[i]->repo, v[i]->name, c->ctl->dir, c->ctl->socket,
			   repo_finding, c);
		check_tip(c, l, v[i]);
		check_port(c, v[i]);
	}
	apps_free(v, *n);
	ledger_close(l);
	return rc;
}

/* Has no slugd made anything there yet? A ledger that went is another matter. */
static bool never_started(const struct check *c)
{
	char *ledger = xasprintf("%s/ledger.db", c->ctl->dir);
	char *repos = xasprintf("%s/repos", c->ctl->dir);
	bool is = access(ledger, F_OK) && errno == ENOENT &&
		  access(repos, F_OK) && errno == ENOENT;

	free(repos);
	free(ledger);
	return is;
}

static void say_fresh(const struct check *c)
{
	char *dir = text_shell_word(c->ctl->dir);

	printf("set-up ok: no slugd has run in %s yet; start one with: "
	       "slugd -d %s\n",
	       dir, dir);
	free(dir);
}

static int check_all(struct check *c)
{
	struct stat st;
	size_t n = 0;

	if (!stat(c->ctl->dir, &st))
		c->owner = st.st_uid;
	else if (errno == ENOENT)
		c->owner = geteuid();
	else
		return err_sys("%s", c->ctl->dir);
	c->fresh = never_started(c);
	check_own_config(c);
	check_uid(c);
	check_folders(c);
	check_disk(c);
	check_programs(c);
	check_ports(c);
	if (!c->fresh && check_apps(c, &n))
		found(c, "%s", err_msg());
	if (!c->findings && c->fresh)
		say_fresh(c);
	else if (!c->findings)
		printf("set-up ok: %zu app%s\n", n, n == 1 ? "" : "s");
	return 0;
}

int ctl_check(const struct ctl *ctl)
{
	struct check c = { .ctl = ctl };
	int rc = 0;

	if (!ctl->argc) {
		rc = check_all(&c);
	} else {
		check_config(&c, ctl->argv[0]);
		if (!c.findings)
			printf("%s: ok\n", ctl->argv[0]);
	}
	config_free(c.config);
	return rc ? rc : c.findings != 0;
}
