/* SPDX-License-Identifier: ISC */
#include "change.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "progress.h"
#include "stream.h"
#include "text.h"

/* What an error message can hold of a launch's output: the end of it. */
#define OUTPUT_KEPT 1500

#define SLOW_MS 1000 /* until it is said for what is waited */
#define LOOK_MS 2000 /* for slugd to say what that is */

struct output {
	char *text; /* NULL: nothing yet */
	size_t len;
};

static int take_output(void *ctx, const char *data, size_t len)
{
	struct output *o = ctx;
	size_t over;

	o->text = xrealloc(o->text, o->len + len + 1, 1);
	memcpy(o->text + o->len, data, len);
	o->len += len;
	if (o->len > 2 * OUTPUT_KEPT) {
		over = o->len - OUTPUT_KEPT;
		memmove(o->text, o->text + over, OUTPUT_KEPT);
		o->len = OUTPUT_KEPT;
	}
	o->text[o->len] = '\0';
	return 0;
}

/* A launch that is not over may be asked about again so much later. */
static void rest(void)
{
	struct timespec t = { 0, 20000000 };

	nanosleep(&t, NULL);
}

/* The release's failure, in the words of its launch's output. */
static int launch_failed(const json_t *release, const struct output *o)
{
	const char *text = o->text ? o->text : "", *line;

	if (o->len > OUTPUT_KEPT) {
		text += o->len - OUTPUT_KEPT;
		line = strchr(text, '\n');
		text = line ? line + 1 : text;
	}
	if (!*text)
		return err_set(ERR_FAILED, "Release v%" PRId64 " failed.",
			       json_int(release, "version", 0));
	return err_set(ERR_FAILED, "%s", text);
}

bool change_has_command(struct heroku *h)
{
	json_t *type = NULL;
	bool has = !heroku_get(h, &type, "/formation/release");

	json_decref(type);
	return has;
}

/*
 * What its launch says: that of a release command is shown as it comes, for
 * whoever waits, and so is what went wrong then; else that is kept.
 */
static int hear(struct heroku *h, const char *url, struct output *o)
{
	int rc;

	if (!change_has_command(h))
		return client_stream(h->client, url, take_output, o);
	progress_stop();
	/* The line that is open on standard output. */
	fprintf(stderr, "%sRunning release command...\n",
		isatty(STDOUT_FILENO) ? "\n" : "");
	rc = stream_show_on(stderr, h, url, NULL);
	progress_start();
	return rc;
}

/* Follow the release, into *out, until it is not pending any more. */
static int follow(struct heroku *h, const char *version, json_t **out)
{
	struct output output = { 0 };
	json_t *release = NULL;
	const char *status, *stream;
	bool again = false;
	int rc;

	for (;;) {
		json_decref(release);
		release = NULL;
		rc = heroku_get(h, &release, "/releases/%s", version);
		if (rc)
			break;
		status = json_str(release, "status", "succeeded");
		if (!strcmp(status, "failed"))
			rc = launch_failed(release, &output);
		if (strcmp(status, "pending"))
			break;
		if (again)
			rest();
		stream = json_str(release, "output_stream_url", NULL);
		if (stream && !again)
			rc = hear(h, stream, &output);
		if (rc)
			break;
		again = true;
	}
	*out = release;
	free(output.text);
	return rc;
}

int change_wait(struct heroku *h, const char *release, json_t **out)
{
	int rc;

	progress_start();
	rc = follow(h, release, out);
	progress_stop();
	return rc;
}

static char *header(const struct heroku *h, const char *name)
{
	const char *value = client_header(h->client, name);

	return value && *value ? text_escape(value) : NULL;
}

/* slugd has not answered yet: say for what it waits, where it does. */
static void say_waiting(void *ctx)
{
	const struct heroku *h = ctx;
	char *path = heroku_path(h, "%s", ""), *safe;
	struct client *c = NULL;
	json_t *app = NULL;
	const char *busy;

	if (!client_open(&c, h->socket)) {
		client_set_timeout(c, LOOK_MS);
		client_call(c, "GET", path, NULL, &app);
	}
	busy = json_str(app, "busy", NULL);
	if (busy) {
		safe = text_escape(busy);
		progress_stop();
		/* The line that is open on standard output. */
		fprintf(stderr, "%s !    Waiting: %s\n",
			isatty(STDOUT_FILENO) ? "\n" : "", safe);
		progress_start();
		free(safe);
	}
	json_decref(app);
	client_free(c);
	free(path);
}

int change_send(struct heroku *h, struct change *c)
{
	char *version, *segment;
	json_t *release = NULL;
	int rc;

	client_set_slow(h->client, SLOW_MS, say_waiting, h);
	progress_start();
	rc = client_call(h->client, c->method, c->path, c->body, &c->answer);
	progress_stop();
	if (rc)
		return rc;
	c->target = header(h, "Slugd-Target");
	c->before = header(h, "Slugd-Before");
	version = header(h, "Slugd-Release");
	if (!version)
		return 0;
	segment = client_path_segment(version);
	c->release = xasprintf("v%s", version);
	rc = change_wait(h, segment, &release);
	json_decref(release);
	if (rc && rc != ERR_FAILED)
		err_prefix(rc, "%s is recorded, but not how its launch ended",
			   c->release);
	free(segment);
	free(version);
	return rc;
}

int change_make(struct heroku *h, struct change *c, const char *fmt, ...)
{
	char *words, *safe;
	va_list ap;
	int rc;

	va_start(ap, fmt);
	words = xvasprintf(fmt, ap);
	va_end(ap);
	safe = text_escape(words);
	printf("%s...", safe);
	fflush(stdout);
	free(words);
	free(safe);
	rc = change_send(h, c);
	if (rc && c->release)
		printf(" failed, %s\n", c->release);
	else if (rc)
		printf(" failed\n");
	return rc;
}

void change_release(struct change *c)
{
	json_decref(c->answer);
	free(c->target);
	free(c->before);
	free(c->release);
	c->answer = NULL;
	c->target = c->before = c->release = NULL;
}
