/* SPDX-License-Identifier: ISC */
/* Manifests and segments as they lie in a store, whole and damaged. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "manifest.h"
#include "mem.h"
#include "proc.h"

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"
#define NR   5 /* segments: three in the first page */

static char store[] = "/tmp/slugd-manifest.XXXXXX";

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f;

	/* What is cut off and written anew is flushed by some file systems. */
	unlink(path);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(!len || fwrite(text, len, 1, f) == 1);
	assert_int_equal(fclose(f), 0);
}

/* What a file has; its length. Caller frees. */
static char *read_whole(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = xcalloc(4096, 1);

	assert_non_null(f);
	*len = fread(text, 1, 4096, f);
	assert_in_range(*len, 1, 4095);
	fclose(f);
	return text;
}

static void make_segments(struct segment *v)
{
	char text[16];
	size_t i;

	for (i = 0; i < NR; i++) {
		snprintf(text, sizeof(text), "name %zu", i);
		digest_of(v[i].name, text, strlen(text));
		snprintf(text, sizeof(text), "content %zu", i);
		digest_of(v[i].digest, text, strlen(text));
		v[i].size = 9;
		v[i].raw = 512 * (i + 1);
	}
	/* Numbers of more than 32 bits are fine. */
	v[1].size = UINT64_C(5000000000);
}

static void put_page(struct manifest *m, const struct segment *v, size_t n)
{
	struct page *page = &m->pages[m->nr_pages++];
	size_t len;
	char *text = manifest_page_text(v, n, &len), *path;

	assert_int_equal(strlen(text), len);
	digest_of(page->name, text, len);
	path = page_path(store, page->name);
	write_file(path, text, len);
	free(path);
	free(text);
}

static void put_root(const struct manifest *m)
{
	char *path = root_path(store, UUID), *text;
	size_t len;

	text = manifest_root_text(m, &len);
	assert_int_equal(strlen(text), len);
	write_file(path, text, len);
	free(text);
	free(path);
}

/* A slug of NR segments in two pages; manifest_release() frees it. */
static void make_slug(struct manifest *m)
{
	size_t i;

	*m = (struct manifest){ 0 };
	m->format = xstrdup("zstd");
	m->nr_segments = NR;
	m->segments = xcalloc(NR, sizeof(*m->segments));
	m->pages = xcalloc(NR, sizeof(*m->pages));
	make_segments(m->segments);
	for (i = 0; i < NR; i++) {
		m->size += m->segments[i].size;
		m->raw += m->segments[i].raw;
	}
	put_page(m, m->segments, 3);
	put_page(m, m->segments + 3, NR - 3);
	put_root(m);
}

static void what_is_written_reads_back(void **state)
{
	struct manifest m, is;

	(void)state;
	make_slug(&m);
	assert_int_equal(manifest_read(&is, store, UUID), 0);
	assert_string_equal(is.format, "zstd");
	assert_int_equal(is.nr_segments, NR);
	assert_memory_equal(is.segments, m.segments, NR * sizeof(*m.segments));
	assert_int_equal(is.nr_pages, 2);
	assert_memory_equal(is.pages, m.pages, 2 * sizeof(*m.pages));
	assert_true(is.size == m.size && is.raw == m.raw);
	manifest_release(&is);
	assert_int_equal(manifest_read_root(&is, store, UUID), 0);
	assert_int_equal(is.nr_pages, 2);
	assert_null(is.segments);
	manifest_release(&is);
	manifest_release(&m);
}

static void gzip_and_no_segments_are_fine(void **state)
{
	struct manifest m = { .format = xstrdup("gzip") }, is;

	(void)state;
	put_root(&m);
	assert_int_equal(manifest_read(&is, store, UUID), 0);
	assert_string_equal(is.format, "gzip");
	assert_int_equal(is.nr_segments, 0);
	manifest_release(&is);
	manifest_release(&m);
}

static void a_slug_that_is_not_there(void **state)
{
	struct manifest is;

	(void)state;
	assert_int_equal(manifest_read(&is, store, "none"), ERR_NOTFOUND);
	manifest_release(&is);
	assert_int_equal(manifest_read(&is, "/nowhere", UUID), ERR_NOTFOUND);
	manifest_release(&is);
}

static void assert_refused(const char *path, const char *what, size_t at)
{
	struct manifest is;
	int rc = manifest_read(&is, store, UUID);

	if (rc != ERR_FAILED)
		fail_msg("%s: %s at %zu is %d", path, what, at, rc);
	/* The message names a file of the store. */
	assert_non_null(strstr(err_msg(), "slug"));
	manifest_release(&is);
}

/* The file, cut off anywhere, longer, with any bit the other way round. */
static void damage(const char *path)
{
	size_t len, at;
	char *text = read_whole(path, &len);
	unsigned char *byte;
	unsigned bit;

	for (at = 0; at < len; at++) {
		write_file(path, text, at);
		assert_refused(path, "cut off", at);
	}
	for (at = 0; at < len; at++) {
		byte = (unsigned char *)text + at;
		for (bit = 1; bit < 256; bit <<= 1) {
			*byte = (unsigned char)(*byte ^ bit);
			write_file(path, text, len);
			assert_refused(path, "flipped", at);
			*byte = (unsigned char)(*byte ^ bit);
		}
	}
	for (at = 0; at < 256; at++) {
		text[len] = (char)at;
		write_file(path, text, len + 1);
		assert_refused(path, "longer", at);
	}
	text[len] = '\0';
	write_file(path, text, len);
	free(text);
}

static void a_damaged_root_is_refused(void **state)
{
	struct manifest m;
	char *path = root_path(store, UUID);

	(void)state;
	make_slug(&m);
	damage(path);
	what_is_written_reads_back(NULL);
	free(path);
	manifest_release(&m);
}

static void a_damaged_page_is_refused(void **state)
{
	struct manifest m;
	size_t i;

	(void)state;
	make_slug(&m);
	for (i = 0; i < 2; i++) {
		char *path = page_path(store, m.pages[i].name);

		damage(path);
		unlink(path);
		assert_refused(path, "missing", 0);
		free(path);
		manifest_release(&m);
		make_slug(&m);
	}
	manifest_release(&m);
}

/* Everything has its digest, but the whole does not add up. */
static void a_root_and_pages_that_differ(void **state)
{
	struct manifest m;

	(void)state;
	make_slug(&m);
	m.nr_pages = 1;
	put_root(&m);
	assert_refused("root", "a page less", 0);
	m.nr_pages = 2;
	m.nr_segments--;
	put_root(&m);
	assert_refused("root", "a segment less", 0);
	m.nr_segments++;
	m.size++;
	put_root(&m);
	assert_refused("root", "a byte more", 0);
	m.size--;
	m.raw--;
	put_root(&m);
	assert_refused("root", "a byte less", 0);
	m.raw++;
	free(m.format);
	m.format = xstrdup("lzma");
	put_root(&m);
	assert_refused("root", "another format", 0);
	manifest_release(&m);
}

static void what_is_no_page(void **state)
{
	static const char *const bad[] = { "x\n", "\n", "0123\n" };
	struct manifest m;
	size_t i;

	(void)state;
	make_slug(&m);
	for (i = 0; i < 3; i++) {
		char *path;

		digest_of(m.pages[0].name, bad[i], strlen(bad[i]));
		path = page_path(store, m.pages[0].name);
		write_file(path, bad[i], strlen(bad[i]));
		put_root(&m);
		assert_refused("root", bad[i], i);
		free(path);
	}
	manifest_release(&m);
}

/* A segment of some bytes in the store; its path, which the caller frees. */
static char *put_segment(struct segment *s, const char *text)
{
	char whole[SEGMENT_HEADER + 64], *path;

	*s = (struct segment){ .size = strlen(text), .raw = 1536 };
	digest_of(s->name, "name", 4);
	digest_of(s->digest, text, s->size);
	segment_header(whole, s);
	memcpy(whole + SEGMENT_HEADER, text, s->size);
	path = segment_path(store, s->name);
	write_file(path, whole, SEGMENT_HEADER + s->size);
	return path;
}

static void a_segment_is_found_and_read(void **state)
{
	struct segment s, is = { 0 };
	char *path = put_segment(&s, "frame"), buf[16];
	int fd = -1;

	(void)state;
	memcpy(is.name, s.name, DIGEST_SIZE);
	assert_int_equal(segment_look(&is, store, false), 0);
	assert_memory_equal(&is, &s, sizeof(s));
	assert_int_equal(segment_look(&is, store, true), 0);
	assert_int_equal(segment_open(&fd, store, &s), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "frame", 5);
	close(fd);
	unlink(path);
	assert_int_equal(segment_look(&is, store, false), ERR_NOTFOUND);
	assert_int_equal(segment_open(&fd, store, &s), ERR_FAILED);
	free(path);
}

/*
 * A header's own digest counts for segment_look(), the manifest's for
 * segment_open(), which alone can know that a raw size is another.
 */
static void a_damaged_segment_is_refused(void **state)
{
	struct segment s, is;
	char *path = put_segment(&s, "frame"), *text;
	size_t len, at;
	int fd = -1, look, opened;

	(void)state;
	text = read_whole(path, &len);
	for (at = 0; at < len; at++) {
		write_file(path, text, at);
		is = s;
		assert_int_equal(segment_look(&is, store, false), ERR_FAILED);
		assert_int_equal(segment_open(&fd, store, &s), ERR_FAILED);
	}
	for (at = 0; at < len; at++) {
		text[at] ^= 1;
		write_file(path, text, len);
		is = s;
		look = segment_look(&is, store, true);
		opened = segment_open(&fd, store, &s);
		if (!opened)
			close(fd);
		assert_true(look == ERR_FAILED || opened == ERR_FAILED);
		text[at] ^= 1;
	}
	write_file(path, text, len);
	is = s;
	is.raw++;
	assert_int_equal(segment_open(&fd, store, &is), ERR_FAILED);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(segment_open(&fd, store, &s) < 0);
	unlink(path);
	free(text);
	free(path);
}

static void a_digest_is_sha256(void **state)
{
	/* The examples of FIPS 180-2, B.1, and of no bytes. */
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223"
				  "b00361a396177a9cb410ff61f20015ad";
	static const char none[] = "e3b0c44298fc1c149afbf4c8996fb924"
				   "27ae41e4649b934ca495991b7852b855";
	unsigned char digest[DIGEST_SIZE], back[DIGEST_SIZE];
	struct digest *d = digest_new();
	char hex[DIGEST_HEX];

	(void)state;
	digest_of(digest, "abc", 3);
	digest_hex(hex, digest);
	assert_string_equal(hex, abc);
	digest_add(d, "a", 1);
	digest_add(d, "bc", 2);
	digest_end(d, back);
	assert_memory_equal(back, digest, DIGEST_SIZE);
	digest_end(d, back);
	digest_hex(hex, back);
	assert_string_equal(hex, none);
	assert_true(digest_parse(back, abc));
	assert_memory_equal(back, digest, DIGEST_SIZE);
	digest_free(d);
}

static void what_is_no_digest(void **state)
{
	unsigned char out[DIGEST_SIZE];
	char hex[DIGEST_HEX], was;
	size_t at;

	(void)state;
	digest_of(out, "", 0);
	digest_hex(hex, out);
	for (at = 0; at < DIGEST_HEX - 1; at++) {
		const char *bad = "gG/:@`~ A\n";

		was = hex[at];
		for (; *bad; bad++) {
			hex[at] = *bad;
			assert_false(digest_parse(out, hex));
		}
		hex[at] = '\0';
		assert_false(digest_parse(out, hex));
		hex[at] = was;
	}
	assert_true(digest_parse(out, hex));
}

static int make_store(void **state)
{
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(store));
	snprintf(path, sizeof(path), "%s/segments", store);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/slugs", store);
	return mkdir(path, 0700);
}

static int remove_store(void **state)
{
	const char *argv[] = { "rm", "-rf", store, NULL };
	pid_t pid;

	(void)state;
	return proc_spawn(&pid, &(struct proc_spec){ .argv = argv }) ||
	       proc_wait(pid, "rm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(gzip_and_no_segments_are_fine),
		cmocka_unit_test(a_slug_that_is_not_there),
		cmocka_unit_test(a_damaged_root_is_refused),
		cmocka_unit_test(a_damaged_page_is_refused),
		cmocka_unit_test(a_root_and_pages_that_differ),
		cmocka_unit_test(what_is_no_page),
		cmocka_unit_test(a_segment_is_found_and_read),
		cmocka_unit_test(a_damaged_segment_is_refused),
		cmocka_unit_test(a_digest_is_sha256),
		cmocka_unit_test(what_is_no_digest),
	};

	return cmocka_run_group_tests_name("manifest", tests, make_store,
					   remove_store);
}
