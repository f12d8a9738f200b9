/* SPDX-License-Identifier: ISC */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define MAX_ROOT (64 << 20) /* bytes; far more than a million segments */
#define MAX_PAGE (1 << 20)
#define PIECE    (64 << 10)

#define ROOT_MARK    "slug 1\n"
#define SEGMENT_MARK "slug segment 1 "

char *segment_path(const char *store, const unsigned char name[DIGEST_SIZE])
{
	char hex[DIGEST_HEX];

	digest_hex(hex, name);
	return xasprintf("%s/segments/%s", store, hex);
}

char *page_path(const char *store, const unsigned char name[DIGEST_SIZE])
{
	char hex[DIGEST_HEX];

	digest_hex(hex, name);
	return xasprintf("%s/segments/%s.page", store, hex);
}

char *root_path(const char *store, const char *uuid)
{
	return xasprintf("%s/slugs/%s", store, uuid);
}

static int damaged(const char *path, const char *what)
{
	return err_set(ERR_FAILED, "%s is damaged: %s", path, what);
}

/* A small file as a whole, ended with a NUL. */
static int read_file(char **out, size_t *len, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	size_t room = 4096;
	char *text = NULL;
	ssize_t n = 1;

	if (fd < 0 && errno == ENOENT)
		return err_set(ERR_NOTFOUND, "%s is missing", path);
	if (fd < 0)
		return err_sys("%s", path);
	*len = 0;
	text = xcalloc(room + 1, 1);
	while (n > 0 && *len < max) {
		if (*len == room) {
			room *= 2;
			text = xrealloc(text, room + 1, 1);
		}
		n = read(fd, text + *len, room - *len);
		*len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		rc = err_sys("%s", path);
	else if (*len >= max)
		rc = damaged(path, "too large");
	close(fd);
	text[*len] = '\0';
	if (rc)
		free(text);
	else
		*out = text;
	return rc;
}

/* A number and what ends it; *p goes on behind that. */
static bool parse_number(uint64_t *out, const char **p, char end)
{
	char *rest;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoull(*p, &rest, 10);
	if (errno || *rest != end)
		return false;
	*p = rest + 1;
	return true;
}

static bool parse_digest(unsigned char *out, const char **p, char end)
{
	if (strnlen(*p, DIGEST_HEX) < DIGEST_HEX || !digest_parse(out, *p) ||
	    (*p)[DIGEST_HEX - 1] != end)
		return false;
	*p += DIGEST_HEX;
	return true;
}

static bool parse_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

static bool parse_format(struct manifest *m, const char **p)
{
	const char *name = *p;

	if (!parse_word(p, "zstd\n") && !parse_word(p, "gzip\n"))
		return false;
	m->format = xstrndup(name, 4);
	return true;
}

static bool parse_root(struct manifest *m, const char *text)
{
	const char *p = text;
	unsigned char sum[DIGEST_SIZE], is[DIGEST_SIZE];
	uint64_t n;

	if (!parse_word(&p, ROOT_MARK "format ") || !parse_format(m, &p) ||
	    !parse_word(&p, "segments ") || !parse_number(&n, &p, '\n') ||
	    !parse_word(&p, "size ") || !parse_number(&m->size, &p, '\n') ||
	    !parse_word(&p, "raw ") || !parse_number(&m->raw, &p, '\n'))
		return false;
	m->nr_segments = (size_t)n;
	while (parse_word(&p, "page ")) {
		m->pages =
			xrealloc(m->pages, m->nr_pages + 1, sizeof(*m->pages));
		if (!parse_digest(m->pages[m->nr_pages].name, &p, '\n'))
			return false;
		m->nr_pages++;
	}
	digest_of(is, text, (size_t)(p - text));
	return parse_word(&p, "digest ") && parse_digest(sum, &p, '\n') &&
	       !*p && !memcmp(sum, is, sizeof(sum));
}

int manifest_read_root(struct manifest *m, const char *store, const char *uuid)
{
	char *path = root_path(store, uuid), *text = NULL;
	size_t len;
	int rc;

	*m = (struct manifest){ 0 };
	rc = read_file(&text, &len, path, MAX_ROOT);
	if (!rc && (strlen(text) != len || !parse_root(m, text)))
		rc = damaged(path, "no root of a slug");
	free(text);
	free(path);
	return rc;
}

static bool parse_segment(struct segment *s, const char **p)
{
	return parse_digest(s->name, p, ' ') &&
	       parse_digest(s->digest, p, ' ') &&
	       parse_number(&s->size, p, ' ') && parse_number(&s->raw, p, '\n');
}

int manifest_read_page(struct segment **v, size_t *n, const char *store,
		       const struct page *page)
{
	char *path = page_path(store, page->name), *text = NULL;
	unsigned char is[DIGEST_SIZE];
	struct segment *s;
	const char *p;
	size_t len;
	int rc = read_file(&text, &len, path, MAX_PAGE);

	if (rc) {
		rc = err_set(ERR_FAILED, "%s", err_msg());
		goto done;
	}
	digest_of(is, text, len);
	if (memcmp(is, page->name, sizeof(is)) != 0)
		rc = damaged(path, "its digest is another");
	for (p = text; !rc && *p;) {
		*v = xrealloc(*v, *n + 1, sizeof(**v));
		s = &(*v)[(*n)++];
		if (!parse_segment(s, &p))
			rc = damaged(path, "no page of a manifest");
	}
done:
	free(text);
	free(path);
	return rc;
}

int manifest_read(struct manifest *m, const char *store, const char *uuid)
{
	size_t wanted, n = 0, i;
	uint64_t size = 0, raw = 0;
	int rc = manifest_read_root(m, store, uuid);

	wanted = m->nr_segments;
	m->nr_segments = 0;
	for (i = 0; !rc && i < m->nr_pages; i++)
		rc = manifest_read_page(&m->segments, &n, store, &m->pages[i]);
	m->nr_segments = n;
	for (i = 0; i < n; i++) {
		size += m->segments[i].size;
		raw += m->segments[i].raw;
	}
	if (!rc && (n != wanted || size != m->size || raw != m->raw))
		rc = err_set(ERR_FAILED,
			     "the manifest of slug %s is damaged: its pages "
			     "have %zu segments, not %zu",
			     uuid, n, wanted);
	return rc;
}

void manifest_release(struct manifest *m)
{
	free(m->format);
	free(m->segments);
	free(m->pages);
	*m = (struct manifest){ 0 };
}

char *manifest_root_text(const struct manifest *m, size_t *len)
{
	unsigned char sum[DIGEST_SIZE];
	char hex[DIGEST_HEX], *text = NULL;
	FILE *f = open_memstream(&text, len);
	size_t i;

	if (!f)
		abort();
	fprintf(f,
		ROOT_MARK "format %s\nsegments %zu\nsize %" PRIu64
			  "\nraw %" PRIu64 "\n",
		m->format, m->nr_segments, m->size, m->raw);
	for (i = 0; i < m->nr_pages; i++) {
		digest_hex(hex, m->pages[i].name);
		fprintf(f, "page %s\n", hex);
	}
	fflush(f);
	digest_of(sum, text, *len);
	digest_hex(hex, sum);
	fprintf(f, "digest %s\n", hex);
	fclose(f);
	return text;
}

char *manifest_page_text(const struct segment *v, size_t n, size_t *len)
{
	char name[DIGEST_HEX], digest[DIGEST_HEX], *text = NULL;
	FILE *f = open_memstream(&text, len);
	size_t i;

	if (!f)
		abort();
	for (i = 0; i < n; i++) {
		digest_hex(name, v[i].name);
		digest_hex(digest, v[i].digest);
		fprintf(f, "%s %s %" PRIu64 " %" PRIu64 "\n", name, digest,
			v[i].size, v[i].raw);
	}
	fclose(f);
	return text;
}

void segment_header(char *out, const struct segment *s)
{
	char hex[DIGEST_HEX], *line;

	digest_hex(hex, s->digest);
	line = xasprintf(SEGMENT_MARK "%s %" PRIu64 " %" PRIu64 "%*s", hex,
			 s->size, s->raw, SEGMENT_HEADER, "");
	line[SEGMENT_HEADER - 1] = '\n';
	memcpy(out, line, SEGMENT_HEADER);
	free(line);
}

static bool parse_header(struct segment *s, char *text)
{
	const char *p = text;

	text[SEGMENT_HEADER] = '\0';
	return parse_word(&p, SEGMENT_MARK) &&
	       parse_digest(s->digest, &p, ' ') &&
	       parse_number(&s->size, &p, ' ') &&
	       parse_number(&s->raw, &p, ' ') && !p[strspn(p, " \n")];
}

/* Open it, and read its header into *s, but for the name. */
static int open_segment(int *out, struct segment *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	char header[SEGMENT_HEADER + 1];
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(ERR_NOTFOUND, "%s is missing", path);
	if (fd < 0)
		return err_sys("%s", path);
	if (fstat(fd, &st))
		rc = err_sys("%s", path);
	else if (!S_ISREG(st.st_mode) ||
		 read(fd, header, SEGMENT_HEADER) != SEGMENT_HEADER ||
		 !parse_header(s, header))
		rc = damaged(path, "no header of a segment");
	else if ((uint64_t)st.st_size != s->size + SEGMENT_HEADER)
		rc = damaged(path, "it is not as long as its header says");
	if (rc) {
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

/* The content, from where fd stands, is what s says; fd stands there again. */
static int check_content(int fd, const struct segment *s, const char *path)
{
	unsigned char is[DIGEST_SIZE];
	struct digest *d = digest_new();
	char *piece = xcalloc(PIECE, 1);
	ssize_t n;
	int rc = 0;

	while ((n = read(fd, piece, PIECE)) > 0)
		digest_add(d, piece, (size_t)n);
	digest_end(d, is);
	if (n < 0 || lseek(fd, SEGMENT_HEADER, SEEK_SET) < 0)
		rc = err_sys("%s", path);
	else if (memcmp(is, s->digest, sizeof(is)) != 0)
		rc = damaged(path, "its digest is another");
	free(piece);
	digest_free(d);
	return rc;
}

int segment_open(int *fd, const char *store, const struct segment *s)
{
	char *path = segment_path(store, s->name);
	struct segment is;
	int at = -1, rc = open_segment(&at, &is, path);

	if (rc == ERR_NOTFOUND)
		rc = err_set(ERR_FAILED, "%s", err_msg());
	if (!rc && (is.size != s->size || is.raw != s->raw))
		rc = damaged(path, "it is not as long as its manifest says");
	if (!rc && memcmp(is.digest, s->digest, DIGEST_SIZE) != 0)
		rc = damaged(path, "its manifest has another digest of it");
	if (!rc)
		rc = check_content(at, s, path);
	if (rc && at >= 0)
		close(at);
	if (!rc)
		*fd = at;
	free(path);
	return rc;
}

int segment_look(struct segment *s, const char *store, bool check)
{
	char *path = segment_path(store, s->name);
	int fd = -1, rc = open_segment(&fd, s, path);

	if (!rc && check)
		rc = check_content(fd, s, path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}
