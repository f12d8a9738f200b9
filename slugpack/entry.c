/* SPDX-License-Identifier: ISC */
#include "entry.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "err.h"
#include "mem.h"
#include "text.h"

#define SHOWN_PATH 300 /* characters */

void entry_begin(struct entry_cursor *c, const void *tree, size_t len)
{
	*c = (struct entry_cursor){ .at = tree };
	c->end = c->at + len;
}

void entry_release(struct entry_cursor *c)
{
	free(c->open);
	c->open = NULL;
	c->nr_open = c->alloc = 0;
}

char *entry_shown_path(const char *path)
{
	return text_cell(path, SHOWN_PATH);
}

static int read_mode(struct entry *e, unsigned long mode)
{
	static const struct {
		unsigned long mode;
		enum entry_kind kind;
	} modes[] = {
		{ 0100644, ENTRY_FILE },       { 0100664, ENTRY_FILE },
		{ 0100755, ENTRY_EXECUTABLE }, { 0120000, ENTRY_SYMLINK },
		{ 0040000, ENTRY_FOLDER },     { 0160000, ENTRY_SUBMODULE },
	};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (modes[i].mode == mode) {
			e->kind = modes[i].kind;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "mode %lo is none that git has", mode);
}

static int check_name(const struct entry *e)
{
	if (!e->len)
		return err_set(ERR_INVALID, "an entry has no name");
	if (memchr(e->name, '/', e->len))
		return err_set(ERR_INVALID, "a name must not have a slash");
	if (!strcmp(e->name, ".") || !strcmp(e->name, "..") ||
	    !strcasecmp(e->name, ".git"))
		return err_set(ERR_INVALID, "no entry may have this name");
	if (e->len > NAME_MAX)
		return err_set(ERR_INVALID, "a name of more than %d bytes",
			       NAME_MAX);
	return 0;
}

/* How git sorts: a folder's name counts as if it ended in a slash. */
static int compare(const struct entry *a, const struct entry *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->name, b->name, len);
	unsigned char ca, cb;

	if (order)
		return order;
	ca = (unsigned char)a->name[len];
	cb = (unsigned char)b->name[len];
	if (!ca && a->kind == ENTRY_FOLDER)
		ca = '/';
	if (!cb && b->kind == ENTRY_FOLDER)
		cb = '/';
	return ca - cb;
}

static bool is_prefix(const struct entry *a, const struct entry *b)
{
	return a->len <= b->len && !memcmp(a->name, b->name, a->len);
}

/*
 * The same name twice in a row shows in the order. A file and a folder of
 * one name can have others between them, all of which begin with that name:
 * open is a stack of such files.
 */
static int check_twins(struct entry_cursor *c, const struct entry *e)
{
	while (c->nr_open && !is_prefix(&c->open[c->nr_open - 1], e))
		c->nr_open--;
	if (c->nr_open && c->open[c->nr_open - 1].len == e->len)
		return err_set(ERR_INVALID, "stands twice in its folder");
	if (e->kind == ENTRY_FOLDER)
		return 0;
	if (c->nr_open == c->alloc) {
		c->alloc = c->alloc ? c->alloc * 2 : 16;
		c->open = xrealloc(c->open, c->alloc, sizeof(*c->open));
	}
	c->open[c->nr_open++] = *e;
	return 0;
}

static int check_order(struct entry_cursor *c, const struct entry *e)
{
	int order = c->prev.name ? compare(&c->prev, e) : -1;

	if (c->prev.name && c->prev.len == e->len &&
	    !memcmp(c->prev.name, e->name, e->len))
		return err_set(ERR_INVALID, "stands twice in its folder");
	if (order >= 0)
		return err_set(ERR_INVALID, "is out of order in its folder");
	return check_twins(c, e);
}

int entry_next(struct entry_cursor *c, struct entry *out)
{
	const unsigned char *p = c->at, *nul;
	unsigned long mode = 0;
	int rc;

	*out = (struct entry){ 0 };
	if (p == c->end)
		return 0;
	for (; p < c->end && *p >= '0' && *p <= '7' && mode < 01000000; p++)
		mode = mode * 8 + (unsigned long)(*p - '0');
	nul = memchr(p, '\0', (size_t)(c->end - p));
	if (!nul || p == c->at || *p != ' ' || c->end - nul <= ENTRY_ID_SIZE)
		return err_set(ERR_INVALID, "a malformed tree object");
	out->name = (const char *)p + 1;
	out->len = (size_t)(nul - p) - 1;
	out->id = nul + 1;
	rc = read_mode(out, mode);
	if (!rc)
		rc = check_name(out);
	if (!rc)
		rc = check_order(c, out);
	if (rc)
		return rc;
	c->prev = *out;
	c->at = nul + 1 + ENTRY_ID_SIZE;
	return 1;
}
