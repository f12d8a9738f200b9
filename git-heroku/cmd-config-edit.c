/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "command.h"
#include "err.h"
#include "mem.h"
#include "proc.h"
#include "show.h"
#include "vars.h"

/* What is edited: a file of the user's own, and what it was made of. */
struct edit {
	char *path;     /* NULL: there is no file */
	char *etag;     /* of the config vars that were fetched */
	json_t *old;    /* the user's vars */
	json_t *owners; /* those of the add-ons, see vars_owners() */
	json_t *fresh;  /* what came back */
};

/* The user's own vars, and which others the add-ons provide, into e. */
static int fetch(struct heroku *h, struct edit *e)
{
	json_t *addons = NULL;
	const char *key;
	json_t *value;
	int rc;

	rc = heroku_get(h, &e->old, "/config-vars");
	if (rc)
		return rc;
	e->etag = xstrdup(client_header(h->client, "ETag"));
	rc = heroku_get(h, &addons, "/addons");
	e->owners = vars_owners(addons);
	json_object_foreach(e->owners, key, value)
		json_object_del(e->old, key);
	json_decref(addons);
	return rc;
}

static void write_text(FILE *f, const struct heroku *h, const struct edit *e)
{
	const char **keys = vars_keys(e->owners), **p;

	fprintf(f,
		"# The config vars of %s, as KEY=VALUE; in double quotes,\n"
		"# \\n is a new line. A line that is taken out unsets its "
		"var.\n",
		h->name);
	for (p = keys; *p; p++)
		fprintf(f, "# %s is provided by %s.\n", *p,
			json_str(e->owners, *p, ""));
	vars_dotenv(f, e->old);
	free(keys);
}

/* A new file, for its owner alone (mkstemp(3) makes it 0600). */
static int make_file(const struct heroku *h, struct edit *e)
{
	const char *dir = getenv("TMPDIR");
	char *path = xasprintf("%s/heroku-config.XXXXXX",
			       dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path), rc = 0;
	FILE *f;

	if (fd < 0) {
		rc = err_sys("cannot make %s", path);
		free(path);
		return rc;
	}
	e->path = path;
	f = fdopen(fd, "w");
	if (!f)
		abort();
	write_text(f, h, e);
	if (fclose(f))
		rc = err_sys("cannot write %s", path);
	return rc;
}

/* $VISUAL or $EDITOR, through a shell as git runs it: it may have options. */
static int run_editor(const char *path)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	char *script;
	const char *argv[] = { "sh", "-c", NULL, "editor", path, NULL };
	struct proc_spec spec = {
		.argv = argv,
		.in = PROC_INHERIT,
		.out = PROC_INHERIT,
		.err = PROC_INHERIT,
	};
	void (*interrupt)(int), (*quit)(int);
	pid_t pid;
	int rc;

	if (visual && *visual)
		editor = visual;
	script = xasprintf("%s \"$@\"", editor && *editor ? editor : "vi");
	argv[2] = script;
	/* Keys that end a program are the editor's. */
	interrupt = signal(SIGINT, SIG_IGN);
	quit = signal(SIGQUIT, SIG_IGN);
	rc = proc_spawn(&pid, &spec);
	if (!rc)
		rc = proc_wait(pid, "the editor");
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	free(script);
	return rc;
}

/* What the file has now, into e->fresh. */
static int read_back(struct edit *e)
{
	FILE *f = fopen(e->path, "re");
	int rc;

	json_decref(e->fresh);
	e->fresh = NULL;
	rc = f ? vars_read(&e->fresh, f) : err_sys("cannot read");
	if (f)
		fclose(f);
	if (!rc && !json_object_size(e->fresh) && json_object_size(e->old))
		rc = err_set(ERR_INVALID,
			     "no config var is left; config:unset removes "
			     "them");
	return err_prefix(rc, "%s", e->path);
}

/* What to send: what is new or another, and null for what is gone. */
static json_t *differences(const struct edit *e)
{
	json_t *changes = json_object(), *value;
	const char *key;

	json_object_foreach(e->fresh, key, value)
		if (!json_equal(value, json_object_get(e->old, key)))
			json_object_set(changes, key, value);
	json_object_foreach(e->old, key, value)
		if (!json_object_get(e->fresh, key))
			json_object_set_new(changes, key, json_null());
	return changes;
}

static int send(struct heroku *h, const struct edit *e)
{
	char *path = heroku_path(h, "/config-vars");
	json_t *changes = differences(e);
	struct change c = { .method = "PATCH", .path = path, .body = changes };
	int rc = 0;

	if (!json_object_size(changes)) {
		puts("Nothing changed.");
		goto done;
	}
	/* What someone else has set since is not overwritten. */
	if (e->etag)
		client_set_header(h->client, "If-Match", e->etag);
	rc = change_make(h, &c, "Updating vars and restarting app");
	if (!rc)
		printf(" done, %s\n",
		       c.release ? c.release : "nothing changed");
	else if (c.release)
		rc = err_prefix(rc, "Release %s failed", c.release);
done:
	/* Recorded is recorded, whether its launch came up or not. */
	if (c.release)
		unlink(e->path);
	change_release(&c);
	json_decref(changes);
	free(path);
	return rc;
}

/* The file goes, unless something that was typed would go with it. */
static int clean_up(struct edit *e, int rc)
{
	bool sent = rc == ERR_UNAVAILABLE, same;
	char *message;

	if (!e->path || access(e->path, F_OK))
		return rc;
	if (!rc) {
		unlink(e->path);
		return 0;
	}
	message = xasprintf("%s%s", err_msg(),
			    sent ? "" : "\nNothing was changed.");
	same = !read_back(e) && json_equal(e->old, e->fresh);
	if (same)
		unlink(e->path);
	err_set(rc, "%s%s%s", message, same ? "" : "\nYour text is kept in ",
		same ? "" : e->path);
	free(message);
	return rc;
}

static int run(struct heroku *h)
{
	struct edit e = { 0 };
	int rc;

	rc = heroku_connect(h);
	if (!rc)
		rc = fetch(h, &e);
	if (!rc)
		rc = make_file(h, &e);
	if (!rc)
		rc = run_editor(e.path);
	if (!rc)
		rc = read_back(&e);
	if (!rc)
		rc = send(h, &e);
	rc = clean_up(&e, rc);
	json_decref(e.old);
	json_decref(e.owners);
	json_decref(e.fresh);
	free(e.etag);
	free(e.path);
	return rc;
}

const struct command cmd_config_edit = {
	.name = "config:edit",
	.args = "",
	.help = "edit the config vars in your editor",
	.options = "ar",
	.run = run,
};
