/* SPDX-License-Identifier: ISC */
/*
 * slugpack: the tree of a commit, packed into a slug on standard output.
 *
 * It reads what strangers pushed, and so is a program of its own that lives
 * for one slug. It needs to read the repository's objects, to run git where
 * there are large blobs, and to write to the descriptors that it was given;
 * no network, and no other file.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "options.h"
#include "report.h"
#include "slug.h"
#include "text.h"

static int make_slug(struct slug *slug, const struct options *o)
{
	if (o->spec.store)
		return slug_make(slug, &o->spec, -1);
	/* Else the first file that is opened would be standard output. */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		return err_set(ERR_INVALID, "standard output is not open");
	if (isatty(STDOUT_FILENO))
		return err_set(ERR_INVALID,
			       "a slug is not for a terminal: send it to a "
			       "file, as in slugpack REPO COMMIT > "
			       "slug.tar.zst");
	return slug_make(slug, &o->spec, STDOUT_FILENO);
}

static int show_text(const struct options *o)
{
	char *help;

	if (o->version) {
		printf("slugpack %s\n", PACKAGE_VERSION);
	} else {
		help = options_help();
		fputs(help, stdout);
		free(help);
	}
	if (fflush(stdout))
		return err_sys("cannot write to standard output");
	return 0;
}

static void show_notices(const struct slug *slug)
{
	size_t i;

	for (i = 0; i < json_array_size(slug->notices); i++)
		fprintf(stderr, "%s\n",
			json_string_value(json_array_get(slug->notices, i)));
}

static void show_error(void)
{
	char *safe = text_escape(err_msg());

	fprintf(stderr, " !    %s\n", safe);
	free(safe);
}

/* The report, where one is asked for; rc, or why it cannot be written. */
static int report(const struct options *o, const struct slug *slug, int rc)
{
	if (o->report_fd < 0 || !report_write(o->report_fd, rc, slug))
		return rc;
	show_error();
	return ERR_SYSTEM;
}

int main(int argc, char **argv)
{
	struct slug slug = { 0 };
	struct options o;
	int rc;

	/* A reader that went away is an error in words, too. */
	signal(SIGPIPE, SIG_IGN);
	rc = options_read(&o, argc, argv);
	report_when_stuck(o.report_fd);
	if (!rc)
		rc = o.help || o.version ? show_text(&o) : make_slug(&slug, &o);
	if (!rc && o.report_fd < 0)
		show_notices(&slug);
	if (rc)
		show_error();
	if (rc || slug.commit)
		rc = report(&o, &slug, rc);
	slug_release(&slug);
	options_release(&o);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
