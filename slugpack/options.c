/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "names.h"
#include "text.h"

struct option_row;

typedef int (*set_fn)(struct options *o, const struct option_row *row,
		      const char *value);

struct option_row {
	const char *name;
	char letter;     /* or 0 */
	const char *arg; /* what --help calls it; NULL: takes none */
	const char *help;
	set_fn set;
	size_t offset; /* of what is set */
};

static int set_objects(struct options *o, const struct option_row *row,
		       const char *value)
{
	struct tree_source *s = &o->spec.source;

	(void)row;
	o->objects =
		xrealloc(o->objects, s->nr_objects + 1, sizeof(*o->objects));
	o->objects[s->nr_objects++] = value;
	s->objects = o->objects;
	return 0;
}

static int set_format(struct options *o, const struct option_row *row,
		      const char *value)
{
	o->spec.gzip = !strcmp(value, "gzip");
	if (!o->spec.gzip && strcmp(value, "zstd"))
		return err_set(ERR_INVALID, "--%s: '%s' is not zstd or gzip",
			       row->name, value);
	return 0;
}

static int read_int(int64_t *out, const struct option_row *row,
		    const char *value, int64_t least, int64_t most)
{
	*out = 0;
	return err_prefix(text_parse_int(out, value, least, most), "--%s",
			  row->name);
}

static int set_level(struct options *o, const struct option_row *row,
		     const char *value)
{
	int64_t level;
	int rc = read_int(&level, row, value, 1, 19);

	o->spec.level = (int)level;
	return rc;
}

static int set_report(struct options *o, const struct option_row *row,
		      const char *value)
{
	int64_t fd = 0;
	int rc = text_parse_int(&fd, value, 2, INT_MAX);

	if (!rc && fcntl((int)fd, F_GETFD) < 0)
		rc = err_set(ERR_INVALID, "descriptor %s is not open", value);
	if (rc)
		return err_prefix(rc, "--%s", row->name);
	/* Not for the programs that slugpack runs. */
	if (fd != STDERR_FILENO)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	o->report_fd = (int)fd;
	o->spec.quiet = true;
	return 0;
}

static int set_size(struct options *o, const struct option_row *row,
		    const char *value)
{
	uint64_t *at = (uint64_t *)(void *)((char *)o + row->offset);

	return err_prefix(text_parse_size(at, value), "--%s", row->name);
}

static int set_count(struct options *o, const struct option_row *row,
		     const char *value)
{
	uint64_t *at = (uint64_t *)(void *)((char *)o + row->offset);
	int64_t n;
	int rc = read_int(&n, row, value, 0, INT32_MAX);

	*at = (uint64_t)n;
	return rc;
}

static int set_text(struct options *o, const struct option_row *row,
		    const char *value)
{
	*(const char **)(void *)((char *)o + row->offset) = value;
	return *value ? 0
		      : err_set(ERR_INVALID, "--%s: nothing there", row->name);
}

static int set_threads(struct options *o, const struct option_row *row,
		       const char *value)
{
	int64_t n;
	int rc = read_int(&n, row, value, 0, 256);

	o->spec.threads = (size_t)n;
	return rc;
}

static int set_flag(struct options *o, const struct option_row *row,
		    const char *value)
{
	(void)value;
	*(bool *)((char *)o + row->offset) = true;
	return 0;
}

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct option_row rows[] = {
	{ "objects", 'O', "DIR", "read objects there only; may be repeated", set_objects, 0 },
	{ "format", 0, "FORMAT", "zstd (default) or gzip", set_format, 0 },
	{ "level", 0, "N", "compression level (3)", set_level, 0 },
	{ "max-size", 0, "BYTES", "limit of the slug, packed (500M)", set_size, AT(spec.max_size) },
	{ "max-tree", 0, "BYTES", "limit of all files, unpacked (2000M)", set_size, AT(spec.max_tree) },
	{ "max-blob", 0, "BYTES", "limit of one file (1G)", set_size, AT(spec.max_blob) },
	{ "max-entries", 0, "N", "limit of files and folders (1000000)", set_count, AT(spec.max_entries) },
	{ "max-depth", 0, "N", "limit of folders in folders (256)", set_count, AT(spec.max_depth) },
	{ "max-time", 0, "SECONDS", "limit of the time that it all takes (900)", set_count, AT(max_time) },
	{ "threads", 0, "N", "how many pack; 0: as there are processors (0)", set_threads, 0 },
	{ "store", 0, "DIR", "pack into that store of slugs, with --slug", set_text, AT(spec.store) },
	{ "slug", 0, "UUID", "the name of the slug there", set_text, AT(spec.uuid) },
	{ "cache", 0, "FILE", "what the last pack of the app found", set_text, AT(spec.cache) },
	{ "verify", 0, NULL, "believe neither the cache nor the store", set_flag, AT(spec.verify) },
	{ "report", 0, "FD", "write a line of JSON to that descriptor", set_report, 0 },
	{ "help", 'h', NULL, "show this", set_flag, AT(help) },
	{ "version", 'V', NULL, "show the version", set_flag, AT(version) },
};
/* clang-format on */

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

/* The table as getopt_long(3) wants it: val is the row's number plus 256. */
static void getopt_tables(struct option *longs, char *shorts)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < NR_ROWS; i++) {
		longs[i] = (struct option){ rows[i].name,
					    rows[i].arg ? required_argument
							: no_argument,
					    NULL, 256 + (int)i };
		if (rows[i].letter)
			*shorts++ = rows[i].letter;
		if (rows[i].letter && rows[i].arg)
			*shorts++ = ':';
	}
	longs[NR_ROWS] = (struct option){ 0 };
	*shorts = '\0';
}

static const struct option_row *find_row(int found)
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++)
		if (found == 256 + (int)i || found == rows[i].letter)
			return &rows[i];
	return NULL;
}

static int take_arguments(struct options *o, int argc, char **argv)
{
	if (o->help || o->version)
		return 0;
	if (argc != 2)
		return err_set(ERR_INVALID,
			       "usage: slugpack [options] REPO COMMIT > FILE");
	if (!o->spec.store != !o->spec.uuid)
		return err_set(ERR_INVALID,
			       "--store and --slug need each other");
	if (!o->spec.store && (o->spec.cache || o->spec.verify))
		return err_set(ERR_INVALID,
			       "--cache and --verify are for a --store");
	if (o->spec.uuid && name_check_uuid(o->spec.uuid))
		return err_prefix(ERR_INVALID, "--slug");
	if (o->spec.gzip && o->spec.level > 9)
		return err_set(ERR_INVALID,
			       "--level: gzip has no level over 9");
	o->spec.source.repo = argv[0];
	o->spec.source.commit = argv[1];
	return 0;
}

int options_read(struct options *o, int argc, char **argv)
{
	struct option longs[NR_ROWS + 1];
	char shorts[2 * NR_ROWS + 2];
	int found, rc = 0;

	*o = (struct options){ .report_fd = -1 };
	o->spec.level = 3;
	o->spec.max_size = UINT64_C(500) << 20;
	o->spec.max_tree = UINT64_C(2000) << 20;
	o->spec.max_blob = UINT64_C(1) << 30;
	o->spec.max_entries = 1000000;
	o->spec.max_depth = 256;
	o->max_time = 900;
	getopt_tables(longs, shorts);
	while (!rc &&
	       (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row = find_row(found);

		if (row)
			rc = row->set(o, row, optarg);
		else if (found == ':')
			rc = err_set(ERR_INVALID, "%s needs a value",
				     argv[optind - 1]);
		else
			rc = err_set(ERR_INVALID,
				     "no option %s; slugpack --help shows all",
				     argv[optind - 1]);
	}
	return rc ? rc : take_arguments(o, argc - optind, argv + optind);
}

char *options_help(void)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	fprintf(f, "usage: slugpack [options] REPO COMMIT > slug.tar.zst\n\n"
		   "Pack the tree of a commit into a slug.\n\n");
	for (i = 0; i < NR_ROWS; i++) {
		char *name = xasprintf("--%s%s%s", rows[i].name,
				       rows[i].arg ? "=" : "",
				       rows[i].arg ? rows[i].arg : "");

		if (rows[i].letter)
			fprintf(f, "  -%c, %-17s  %s\n", rows[i].letter, name,
				rows[i].help);
		else
			fprintf(f, "      %-17s  %s\n", name, rows[i].help);
		free(name);
	}
	fprintf(f, "\nA limit of 0 is none.\n");
	fclose(f);
	return text;
}

void options_release(struct options *o)
{
	free(o->objects);
	o->objects = NULL;
}
