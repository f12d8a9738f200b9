/* SPDX-License-Identifier: ISC */
/*
 * slugd: the API, the ledger, the jobs. Runs as the service account, with
 * no rights beyond the account's: it owns one folder, listens on one Unix
 * socket there, and starts slugpack, slugrun and git. It parses no git
 * object and no archive itself.
 */
#include "slugd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addons.h"
#include "api.h"
#include "clock.h"
#include "configs.h"
#include "err.h"
#include "file.h"
#include "gc.h"
#include "http.h"
#include "launch.h"
#include "log.h"
#include "mem.h"
#include "privilege.h"
#include "proc.h"
#include "pushes.h"
#include "repo-watch.h"
#include "route.h"
#include "sock.h"
#include "standard.h"
#include "text.h"
#include "users.h"

struct options {
	const char *dir, *config, *socket, *user;
	bool print_config, help, version;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "directory", required_argument, NULL, 'd' },
	{ "socket", required_argument, NULL, 's' },
	{ "user", required_argument, NULL, 'u' },
	{ "print-config", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: slugd [-d DIR] [-c FILE] [-s SOCKET] [-u ACCOUNT]\n"
	"\n"
	"  -d, --directory=DIR  keep everything in DIR (or SLUGD_DIR)\n"
	"  -c, --config=FILE    read FILE instead of DIR/slugd.ini\n"
	"  -s, --socket=SOCKET  listen there; DIR/slugd.sock is a link to it\n"
	"  -u, --user=ACCOUNT   as root: whose DIR is, where it is made now\n"
	"      --print-config   print a slugd.ini with every default\n"
	"  -h, --help           print this\n"
	"      --version        print the version\n";

static int parse_options(struct options *o, int argc, char **argv)
{
	int c;

	o->dir = getenv("SLUGD_DIR");
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:d:hs:u:", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'd':
			o->dir = optarg;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'p':
			o->print_config = true;
			break;
		case 'h':
			o->help = true;
			break;
		case 'V':
			o->version = true;
			break;
		default:
			return err_set(ERR_INVALID,
				       "wrong option '%s'; see slugd --help",
				       argv[optind - 1]);
		}
	}
	if (optind < argc)
		return err_set(ERR_INVALID, "unexpected argument '%s'",
			       argv[optind]);
	return 0;
}

/* DIR and what lies in it; its absolute path into d->dir. */
static int make_folders(struct slugd *d, const char *dir)
{
	static const char *const below[] = { "repos", "apps", "log" };
	size_t i;
	int rc;

	if (!dir || !*dir)
		return err_set(ERR_INVALID, "say where to keep everything: "
					    "slugd -d DIR, or SLUGD_DIR");
	rc = file_make_folder(dir, 0700);
	if (rc)
		return rc;
	d->dir = realpath(dir, NULL);
	if (!d->dir)
		return err_sys("%s", dir);
	if (!text_is_utf8(d->dir))
		return err_set(ERR_INVALID, "the path of DIR is not UTF-8");
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		char *path = xasprintf("%s/%s", d->dir, below[i]);

		rc = file_make_folder(path, 0700);
		free(path);
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * Where to listen: DIR/slugd.sock, or elsewhere with a link there, by which
 * slugctl finds it.
 */
static int place_socket(struct slugd *d, const char *elsewhere)
{
	char *here = xasprintf("%s/slugd.sock", d->dir);
	int rc = 0;

	if (!elsewhere) {
		d->socket = here;
		return 0;
	}
	d->socket = xstrdup(elsewhere);
	if (*elsewhere != '/' || !text_is_utf8(elsewhere))
		rc = err_set(ERR_INVALID,
			     "the socket's path is not absolute, or not UTF-8");
	else if ((unlink(here) && errno != ENOENT) || symlink(elsewhere, here))
		rc = err_sys("%s", here);
	free(here);
	return rc;
}

/* A path, which may be NULL, from the root. Caller frees. */
static int in_full(char **out, const char *path)
{
	char *here;

	*out = NULL;
	if (!path)
		return 0;
	*out = xstrdup(path);
	if (*path == '/')
		return 0;
	here = getcwd(NULL, 0);
	if (!here)
		return err_sys("the working folder");
	str_replace(out, xasprintf("%s/%s", here, path));
	free(here);
	return 0;
}

/*
 * slugd works in its own folder, whatever becomes of the one that it was
 * started from. What was named from there is named in full from now on.
 */
static int settle_in(const struct slugd *d, const struct options *o,
		     char **config)
{
	const char *helpers = getenv("SLUGD_EXEC_PATH");
	char *full = NULL;
	int rc = in_full(config, o->config);

	if (!rc && helpers && *helpers)
		rc = in_full(&full, helpers);
	if (full)
		setenv("SLUGD_EXEC_PATH", full, 1);
	free(full);
	if (rc)
		return rc;
	return chdir(d->dir) ? err_sys("%s", d->dir) : 0;
}

/* One slugd a folder. The lock goes with the process. */
static int take_lock(const struct slugd *d, int *fd)
{
	char *path = xasprintf("%s/slugd.lock", d->dir);
	int rc = 0;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		rc = err_sys("%s", path);
	else if (flock(*fd, LOCK_EX | LOCK_NB))
		rc = errno == EWOULDBLOCK
			     ? err_set(ERR_CONFLICT,
				       "another slugd runs on %s already",
				       d->dir)
			     : err_sys("%s", path);
	free(path);
	return rc;
}

/*
 * SQLite would make a new ledger where there is none. One that went missing
 * is not to be replaced by an empty one: its apps' repositories are here.
 */
static int check_ledger(const struct slugd *d, const char *ledger)
{
	/* slugd works in DIR. */
	static const char pattern[] = "repos/*/slugd.sock";
	bool gone;
	glob_t found = { 0 };
	struct stat st;
	int none, rc = 0;

	gone = stat(ledger, &st) ? errno == ENOENT : !st.st_size;
	none = gone ? glob(pattern, GLOB_ERR, NULL, &found) : GLOB_NOMATCH;
	if (none && none != GLOB_NOMATCH)
		rc = err_sys("%s/repos", d->dir);
	else if (!none)
		rc = err_set(ERR_FAILED,
			     "%s is %s, but there are apps in %s/repos: put a "
			     "backup there, or move the repositories away",
			     ledger, access(ledger, F_OK) ? "gone" : "empty",
			     d->dir);
	globfree(&found);
	return rc;
}

static int open_stores(struct slugd *d)
{
	char *ledger = xasprintf("%s/ledger.db", d->dir);
	char *log = xasprintf("%s/log", d->dir);
	int rc;

	rc = check_ledger(d, ledger);
	if (!rc)
		rc = ledger_open(&d->writer, ledger);
	if (!rc)
		rc = ledger_open(&d->ledger, ledger);
	if (!rc)
		rc = slugs_open_folder(&d->slugs, d->dir);
	d->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (!rc && d->stop_fd < 0)
		rc = err_sys("eventfd");
	if (!rc)
		rc = jobs_new(&d->jobs);
	if (!rc)
		rc = watches_new(d, &d->watches);
	if (!rc) {
		ledger_set_launch(d->writer, slugd_launches(d));
		d->streams = streams_new(log);
		d->logs = logs_new();
		d->lanes = lanes_new();
		d->kept = kept_new();
		d->repo_watch = repo_watch_new(d);
		d->pushes = pushes_new(d);
	}
	free(ledger);
	free(log);
	return rc;
}

static void close_stores(struct slugd *d)
{
	repo_watch_free(d->repo_watch);
	watches_free(d->watches);
	jobs_free(d->jobs);
	pushes_free(d->pushes);
	lanes_free(d->lanes);
	kept_free(d->kept);
	streams_free(d->streams);
	logs_free(d->logs);
	slugs_close(d->slugs);
	ledger_close(d->ledger);
	ledger_close(d->writer);
	configs_close(d);
	units_free(d->units);
	privilege_close(d->parent);
	if (d->stop_fd >= 0)
		close(d->stop_fd);
	free(d->socket);
	free(d->dir);
}

/* See sd_notify(3), RELOADING=1. */
static void reload(struct slugd *d)
{
	char *state = xasprintf("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
				clock_mono_ms() * 1000);

	units_notify(d->units, state);
	free(state);
	configs_reload(d);
	route_refresh(d);
	units_notify(d->units, "READY=1");
}

/* Is the slug of a build that a crash cut off before its intent? */
static bool is_orphan(void *ctx, const char *uuid)
{
	struct slugd *d = ctx;
	struct slug *slug = NULL;
	int rc = ledger_slug(d->ledger, uuid, &slug);

	slug_free(slug);
	if (rc == ERR_NOTFOUND)
		log_line("slug %s belongs to no build: removed", uuid);
	return rc == ERR_NOTFOUND;
}

/* Serve until a signal says to end. */
static int serve(struct slugd *d, const sigset_t *signals)
{
	struct http_server *server = NULL;
	int fd = -1, rc, sig = 0;

	slugs_drop_if(d->slugs, is_orphan, d);
	d->recovering = true;
	repo_watch_recover(d);
	rc = route_start(d);
	if (!rc)
		rc = pushes_recover(d->pushes);
	if (!rc)
		rc = launch_recover(d);
	if (!rc)
		rc = addons_recover(d);
	if (!rc)
		rc = sock_listen_unix(&fd, d->socket, 0660);
	if (!rc)
		rc = api_start(d, fd, &server);
	if (!rc)
		rc = pushes_start(d->pushes);
	if (!rc)
		rc = repo_watch_start(d->repo_watch);
	if (rc)
		goto done;
	gc_recover(d);
	units_notify(d->units, "READY=1");
	log_line("ready at %s", d->socket);
	if (!d->uid && users_are_there())
		log_line("root reads what is pushed here: chown -R ACCOUNT "
			 "DIR, and slugd runs as that account; see slugd(8), "
			 "PRIVILEGES");
	while (!sigwait(signals, &sig) && sig == SIGHUP)
		reload(d);
	units_notify(d->units, "STOPPING=1");
	log_line("ending: signal %d", sig);
done:
	d->stopping = true;
	eventfd_write(d->stop_fd, 1);
	lanes_stop(d->lanes);
	pushes_stop(d->pushes);
	if (slugd_launches(d) && !units_run_slugd(d->units) && !rc)
		launch_stop_all(d);
	http_close(server);
	jobs_drain(d->jobs);
	http_stop(server);
	route_end(d, !rc && !units_run_slugd(d->units));
	if (fd >= 0) {
		close(fd);
		unlink(d->socket);
	}
	return rc;
}

static int run(const struct options *o)
{
	struct slugd d = { .uid = geteuid(),
			   .started_at = time(NULL),
			   .stop_fd = -1 };
	sigset_t signals;
	char *config = NULL;
	int lock = -1, rc;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	proc_close_inherited();
	/* It names whom a client speaks for; slugd speaks for itself. */
	unsetenv("SLUGD_USER");
	d.units = units_new();
	d.parent = privilege_open();
	d.roots_apps = d.parent || !d.uid;
	rc = make_folders(&d, o->dir);
	if (!rc)
		rc = take_lock(&d, &lock);
	if (!rc)
		rc = place_socket(&d, o->socket);
	if (!rc)
		rc = settle_in(&d, o, &config);
	if (!rc)
		rc = configs_open(&d, config);
	if (!rc)
		rc = configs_reserve_uids(&d, d.config);
	if (!rc)
		rc = open_stores(&d);
	if (!rc)
		rc = serve(&d, &signals);
	close_stores(&d);
	free(config);
	if (lock >= 0)
		close(lock);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	int rc = standard_open();

	log_init("slugd");
	if (!rc)
		rc = parse_options(&o, argc, argv);
	if (!rc && o.help)
		fputs(usage, stdout);
	else if (!rc && o.version)
		puts("slugd " PACKAGE_VERSION);
	else if (!rc && o.print_config)
		fputs(config_sample(), stdout);
	else if (!rc) {
		rc = privilege_give_up(o.dir, o.user, argv);
		if (!rc)
			rc = run(&o);
	}
	if (!rc)
		rc = standard_flush();
	if (rc)
		fprintf(stderr, " !    %s\n", err_msg());
	return rc ? 1 : 0;
}
