/* SPDX-License-Identifier: ISC */
#include "route-config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "haproxy.h"
#include "log.h"
#include "mem.h"
#include "text.h"

#define MAX_THREADS  4
#define MAX_FDS      20000 /* of HAProxy; its tables grow with them */
#define RESERVED_FDS 200   /* of these, for all but connections */
#define MAX_LINE     (HAPROXY_NAME + 8)

/*
 * Timeouts as Heroku's router has them: 55 seconds without a byte, an hour
 * for what has become a tunnel (a WebSocket); the head of a request has 10
 * seconds as a whole. What failed before a server
 * answered a byte is tried again: on any server where it could not connect,
 * and what only reads where the connection broke.
 */
static const char defaults_web[] =
	"defaults web\n"
	"	mode http\n"
	"	balance leastconn\n"
	"	option http-keep-alive\n"
	"	http-reuse always\n"
	"	option redispatch 1\n"
	"	retries 3\n"
	"	retry-on conn-failure empty-response\n"
	"	timeout connect 5s\n"
	"	timeout queue 30s\n"
	"	timeout http-request 10s\n"
	"	timeout http-keep-alive 60s\n"
	"	timeout client 55s\n"
	"	timeout client-fin 30s\n"
	"	timeout server 55s\n"
	"	timeout tunnel 1h\n"
	"	errorfile 502 route/502.http\n"
	"	errorfile 503 route/503.http\n"
	"	errorfile 504 route/504.http\n";

/*
 * What a request reaches an app with. CGI and what follows it (WSGI, Rack,
 * PHP) turn "-" into "_", so that a name with "_" passes for another one, and
 * Proxy for HTTP_PROXY. Connection names what is between two neighbours only,
 * and would have an app that is a proxy itself remove what is set here. By
 * h2c a client would talk past all of this. Who is not on this machine may
 * not speak for a proxy, except by X-Forwarded-For, where the address that
 * the request came from is the last one; of several lines the last is the one
 * of the nearest proxy.
 */
static const char defaults_in[] =
	"defaults in from web\n"
	"	http-request disable-l7-retry unless { method GET HEAD OPTIONS }\n"
	"	http-request del-header _ -m sub\n"
	"	http-request del-header Proxy\n"
	"	http-request del-header HTTP2-Settings\n"
	"	http-request del-header Upgrade if "
	"{ req.fhdr(Upgrade) -m sub -i h2c }\n"
	"	http-request set-header Connection upgrade if "
	"{ req.hdr(Upgrade) -m found } "
	"{ req.hdr(Connection) -m str -i upgrade }\n"
	"	http-request del-header Connection unless "
	"{ req.hdr(Upgrade) -m found } "
	"{ req.hdr(Connection) -m str -i upgrade }\n"
	"	http-request set-header X-Request-Id %[uuid()] unless "
	"{ req.fhdr_cnt(X-Request-Id) eq 1 } "
	"{ req.fhdr(X-Request-Id) -m reg ^[A-Za-z0-9._~+/=-]{1,200}$ }\n"
	"	http-request del-header "
	"'^(forwarded|x-forwarded-(host|server|ssl|scheme|prefix)|x-real-ip|"
	"x-url-scheme|front-end-https)$' -m reg unless { src 127.0.0.0/8 }\n"
	"	http-request set-header X-Forwarded-For "
	"\"%[req.fhdr(X-Forwarded-For)], %[src]\" if "
	"{ req.fhdr(X-Forwarded-For) -m found }\n"
	"	option forwardfor if-none\n"
	"	http-request set-header X-Forwarded-Proto http unless "
	"{ src 127.0.0.0/8 } { req.fhdr_cnt(X-Forwarded-Proto) eq 1 }\n"
	"	http-request set-header X-Forwarded-Port %[dst_port] unless "
	"{ src 127.0.0.0/8 } { req.fhdr_cnt(X-Forwarded-Port) eq 1 }\n";

static const char defaults_app[] =
	"defaults app from web\n"
	"	http-request return status 503 content-type "
	"\"text/html; charset=utf-8\" hdr Cache-Control no-store "
	"file route/maintenance.html "
	"if { be_name,map(" ROUTE_MAP ") -m found }\n";

/*
 * Connections are HAProxy's, and all apps have them together: where one app
 * could take all, nobody else would be answered. So an app has a share, by
 * its own port and by its name; who comes by a name does not say which before
 * its request is there, so that all of these have a share, too, and of that
 * one address has some. What is over a share waits in the kernel's queue of
 * that port or, where it is the app's by its name, is answered at once.
 */
struct shares {
	unsigned long all, names, app; /* connections */
	unsigned long source, local;   /* of one address, of this machine */
};

static unsigned long at_most(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static void share(struct shares *s, const struct route_config *c)
{
	unsigned long fds = MAX_FDS, reserved = RESERVED_FDS + c->nr_apps;
	struct rlimit limit;

	/* HAProxy raises its own to what it may have. */
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		fds = at_most(fds, limit.rlim_max);
	s->all = fds > 2 * reserved ? (fds - reserved) / 2 : fds / 4 + 3;
	s->names = s->all / 3;
	s->app = at_most(c->max_app, s->all / 3);
	s->source = at_most(c->max_source, s->names / 4);
	s->local = s->names - s->names / 4;
}

/* Where the connections of each address are counted. */
static const char sources[] =
	"\nbackend sources from web\n"
	"	stick-table type ip size 50k expire 1m store conn_cur\n";

/* Apps by the first label of the name that a request is for. */
static const char names[] = "	http-request set-var(txn.app) "
			    "req.hdr(host),lower,field(1,:),field(1,.)\n"
			    "	use_backend app-%[var(txn.app)]\n"
			    "	default_backend unknown\n";

static const char unknown[] =
	"\nbackend unknown from web\n"
	"	http-request return status 404 content-type "
	"\"text/html; charset=utf-8\" file route/404.html\n";

/* The pages; those with a status are whole answers. */
static const struct page {
	const char *file, *status, *title, *text;
} pages[] = {
	{ "502.http", "502 Bad Gateway", "Application error",
	  "The application broke off before it answered." },
	{ "503.http", "503 Service Unavailable", "No web process",
	  "No process of this application takes requests just now." },
	{ "504.http", "504 Gateway Timeout", "Application error",
	  "The application did not answer in time." },
	{ "maintenance.html", NULL, "Offline for maintenance",
	  "This application is undergoing maintenance just now. Please check "
	  "back later." },
	{ "busy.html", NULL, "Too many requests",
	  "This application has too many requests just now. Please try again "
	  "later." },
	{ "404.html", NULL, "No such app",
	  "There is no application of this name here." },
};

/* text is DIR/name now, as a whole. */
static int write_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	char *tmp = xasprintf("%s.tmp", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int rc = 0;

	if (f)
		fputs(text, f);
	if (!f || fclose(f) || rename(tmp, path))
		rc = err_sys("%s", path);
	free(tmp);
	free(path);
	return rc;
}

static int write_page(const char *dir, const struct page *p)
{
	char *name = xasprintf("route/%s", p->file);
	char *html =
		xasprintf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
			  "<meta charset=\"utf-8\"><title>%s</title></head>\n"
			  "<body><h1>%s</h1><p>%s</p></body>\n</html>\n",
			  p->title, p->title, p->text);
	char *whole = p->status ? xasprintf("HTTP/1.1 %s\r\n"
					    "Content-Type: text/html; "
					    "charset=utf-8\r\n"
					    "Cache-Control: no-store\r\n"
					    "Content-Length: %zu\r\n\r\n%s",
					    p->status, strlen(html), html)
				: xstrdup(html);
	int rc = write_file(dir, name, whole);

	free(whole);
	free(html);
	free(name);
	return rc;
}

static int write_pages(const char *dir)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]) && !rc; i++)
		rc = write_page(dir, &pages[i]);
	return rc;
}

static long threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		return 1;
	return cpus > MAX_THREADS ? MAX_THREADS : cpus;
}

/* Is there an account that HAProxy may be changed to? */
static bool has_account(void)
{
	struct passwd entry, *found = NULL;
	char text[1024];

	return !geteuid() &&
	       !getpwnam_r("haproxy", &entry, text, sizeof(text), &found) &&
	       found;
}

static void put_global(FILE *f, const char *id, const struct shares *s)
{
	fprintf(f,
		"# Written by slugd, which writes it again; see slugd.ini(5), "
		"[route].\n"
		"global\n"
		"	description %s\n"
		"	stats socket unix@" ROUTE_SOCKET
		" mode 600 level admin expose-fd listeners\n"
		"	stats timeout 10s\n"
		"	fd-hard-limit %d\n"
		"	nbthread %ld\n"
		"	hard-stop-after 1h\n",
		id, MAX_FDS, threads());
	if (has_account())
		fputs("	user haproxy\n	group haproxy\n", f);
	fprintf(f,
		"\n%s\n%s\n%s"
		"	http-request return status 503 content-type "
		"\"text/html; charset=utf-8\" hdr Cache-Control no-store "
		"hdr Retry-After 5 file route/busy.html "
		"if { be_conn gt %lu }\n",
		defaults_web, defaults_in, defaults_app, s->app);
}

/* "web.1-4711 5999": false where it is not that. */
static bool parse_server(char *line, int64_t *port)
{
	char *blank = strchr(line, ' ');

	if (!blank)
		return false;
	*blank = '\0';
	return haproxy_is_name(line) &&
	       !text_parse_int(port, blank + 1, 1, 65535);
}

/* The lines of a state file as HAProxy has them; NULL where one is bad. */
static char *read_servers(FILE *f)
{
	char line[MAX_LINE], *text = NULL;
	size_t size = 0, len, n = 0;
	FILE *out = open_memstream(&text, &size);
	int64_t port;
	bool good = out;

	while (good && fgets(line, sizeof(line), f)) {
		len = strlen(line);
		good = len && line[len - 1] == '\n' && n++ < HAPROXY_SERVERS;
		line[good ? len - 1 : 0] = '\0';
		good = good && parse_server(line, &port);
		if (good)
			fprintf(out, "	server %s 127.0.0.1:%" PRId64 "\n",
				line, port);
	}
	if (out)
		fclose(out);
	if (!good) {
		free(text);
		text = NULL;
	}
	return text;
}

static void put_servers(FILE *f, const char *dir, const char *app)
{
	char *path = xasprintf("%s/route/%s", dir, app), *text;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *state = fd < 0 ? NULL : fdopen(fd, "r");

	if (state) {
		text = read_servers(state);
		if (text)
			fputs(text, f);
		else
			log_line("%s is no list of servers: not used", path);
		free(text);
		fclose(state);
	} else if (errno != ENOENT) {
		log_line("%s: %s", path, strerror(errno));
	}
	free(path);
}

static void put_app(FILE *f, const struct route_config *c, size_t i,
		    const struct shares *s, bool servers)
{
	const struct app *a = c->apps[i];

	if (c->bind[i])
		fprintf(f,
			"\nfrontend in-%" PRId64 " from in\n"
			"	bind 127.0.0.1:%" PRId64 "\n"
			"	maxconn %lu\n"
			"	default_backend app-%s\n",
			a->port, a->port, s->app, a->name);
	fprintf(f, "\nbackend app-%s from app\n", a->name);
	if (servers)
		put_servers(f, c->dir, a->name);
}

static void put_names(FILE *f, const char *listen, const struct shares *s)
{
	fprintf(f,
		"%s\nfrontend names%s from in\n"
		"	bind %s\n"
		"	maxconn %lu\n"
		"	tcp-request connection track-sc0 src table sources\n"
		"	tcp-request connection reject if "
		"{ sc0_conn_cur gt %lu }\n"
		"	tcp-request connection reject if "
		"{ sc0_conn_cur gt %lu } !{ src 127.0.0.0/8 }\n"
		"%s%s",
		sources, strrchr(listen, ':'), listen, s->names, s->local,
		s->source, names, unknown);
}

/* All of it; with the servers of the moment, or none. Caller frees. */
static char *make_text(const struct route_config *c, const char *id,
		       bool servers)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);
	struct shares s;

	if (!f)
		abort();
	share(&s, c);
	put_global(f, id, &s);
	for (i = 0; i < c->nr_apps; i++)
		put_app(f, c, i, &s, servers);
	if (c->listen)
		put_names(f, c->listen, &s);
	if (fclose(f))
		abort();
	return text;
}

void route_config_id(char id[DIGEST_HEX], const struct route_config *c)
{
	unsigned char digest[DIGEST_SIZE];
	char *text = make_text(c, "", false);

	digest_of(digest, text, strlen(text));
	digest_hex(id, digest);
	free(text);
}

int route_config_map(const struct route_config *c)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *f = open_memstream(&text, &size);
	int rc;

	if (!f)
		abort();
	for (i = 0; i < c->nr_apps; i++)
		if (c->apps[i]->maintenance)
			fprintf(f, "app-%s 1\n", c->apps[i]->name);
	if (fclose(f))
		abort();
	rc = write_file(c->dir, ROUTE_MAP, text);
	free(text);
	return rc;
}

int route_config_write(const struct route_config *c)
{
	char id[DIGEST_HEX], *text;
	int rc;

	route_config_id(id, c);
	text = make_text(c, id, true);
	rc = write_pages(c->dir);
	if (!rc)
		rc = route_config_map(c);
	if (!rc)
		rc = write_file(c->dir, ROUTE_CONFIG, text);
	free(text);
	return rc;
}
