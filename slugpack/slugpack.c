/* SPDX-License-Identifier: ISC */
/*
 * slugpack: the tree of a commit, packed into a slug: in a store, or on
 * standard output.
 *
 * It reads what strangers pushed, and so is a program of its own that lives
 * for one slug. It needs to read the repository's objects, to run git where
 * there are large blobs, and to write to the store, its cache and the
 * descriptors that it was given; no network, and no other file. A fence sees
 * to that before the repository is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "fence.h"
#include "mem.h"
#include "options.h"
#include "reach.h"
#include "report.h"
#include "slug.h"
#include "standard.h"
#include "text.h"

/* A folder of the store: it must be there before the fence is. */
static int make_folder(char **path, const char *store, const char *name)
{
	*path = xasprintf("%s/%s", store, name);
	if (mkdir(*path, 0700) && errno != EEXIST)
		return err_sys("%s", *path);
	return 0;
}

/* What is written to, as a list that ends with NULL; at most three. */
static int find_written(char **paths, const struct slug_spec *s)
{
	char *cache, *folder;
	int rc;

	if (!s->store)
		return 0;
	rc = make_folder(paths++, s->store, "segments");
	if (!rc)
		rc = make_folder(paths++, s->store, "slugs");
	/* Without its folder there is no cache, and no more to it. */
	if (!rc && s->cache) {
		cache = xstrdup(s->cache);
		folder = dirname(cache);
		if (!access(folder, W_OK))
			*paths = xstrdup(folder);
		free(cache);
	}
	return rc;
}

/* Generous ones: they end what has gone out of hand. */
static void set_limits(struct fence *f, const struct slug_spec *s)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	f->files = 4096;
	f->memory = (uint64_t)4 << 30;
	if (processors > 0)
		f->memory += (uint64_t)processors << 27;
	/* The slowest level takes a second or two for a megabyte. */
	if (s->max_tree)
		f->cpu = 600 + (s->max_tree >> 18);
	if (s->max_size && s->max_blob)
		f->file_size = ((uint64_t)1 << 30) + s->max_size + s->max_blob;
}

/*
 * Root's capabilities go, for this process and for git, but the one to read
 * and write other accounts' files, which the fence bounds.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];
	const unsigned keep =
		1U << CAP_DAC_READ_SEARCH | 1U << CAP_DAC_OVERRIDE;
	unsigned long c;

	if (geteuid())
		return 0;
	for (c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		if (c != CAP_DAC_READ_SEARCH && c != CAP_DAC_OVERRIDE)
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	if (syscall(SYS_capget, &header, data))
		return err_sys("capget");
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ 0 };
	return syscall(SYS_capset, &header, data) ? err_sys("capset") : 0;
}

/* The sandbox: see slugpack(1). */
static int enter_fence(const struct options *o)
{
	static const char *const own[] = { "PATH", "HOME", "XDG_CONFIG_HOME",
					   NULL };
	static const char *const path[] = { "PATH", NULL };
	const struct slug_spec *s = &o->spec;
	char *written[4] = { NULL }, *git = reach_program("git");
	const char *exec[] = { git, NULL };
	struct reach reach = { 0 };
	struct fence f = {
		.write = (const char *const *)(void *)written,
		.exec = exec,
		/* Only a repository's own settings depend on whose it is. */
		.env = s->source.nr_objects ? path : own,
		.fds = &o->report_fd,
		.nr_fds = o->report_fd > STDERR_FILENO,
	};
	int rc = find_written(written, s);
	size_t i;

	reach_source(&reach, &s->source);
	f.read = (const char *const *)(void *)reach.paths;
	set_limits(&f, s);
	/* Over a limit, too, is an error in words. */
	signal(SIGXFSZ, SIG_IGN);
	if (!rc)
		rc = drop_capabilities();
	if (!rc)
		rc = fence_enter(&f);
	reach_release(&reach);
	for (i = 0; written[i]; i++)
		free(written[i]);
	free(git);
	return rc;
}

static int make_slug(struct slug *slug, const struct options *o)
{
	int rc;

	/* Else the first file that is opened would be standard output. */
	if (!o->spec.store && fcntl(STDOUT_FILENO, F_GETFD) < 0)
		return err_set(ERR_INVALID, "standard output is not open");
	if (!o->spec.store && isatty(STDOUT_FILENO))
		return err_set(ERR_INVALID,
			       "a slug is not for a terminal: send it to a "
			       "file, as in slugpack REPO COMMIT > "
			       "slug.tar.zst");
	rc = enter_fence(o);
	if (rc)
		return rc;
	return slug_make(slug, &o->spec, o->spec.store ? -1 : STDOUT_FILENO);
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
	return standard_flush();
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
	report_when_late((unsigned)o.max_time);
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
