/* SPDX-License-Identifier: ISC */
#include "cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

#define MARK "slugC2\n"

/* The file: this, the three arrays, a digest of all that. */
struct head {
	char mark[8];
	unsigned char key[DIGEST_SIZE];
	uint64_t nr_nodes, nr_known, nr_segments, large;
};

static size_t size_of(const struct head *h)
{
	return sizeof(*h) + h->nr_segments * sizeof(struct segment) +
	       h->nr_known * sizeof(struct known) +
	       h->nr_nodes * sizeof(struct node) + DIGEST_SIZE;
}

/* Point the arrays into the map, if that is what its head says. */
static bool take_map(struct cache *c, const unsigned char *key)
{
	const struct head *h = c->map;
	unsigned char is[DIGEST_SIZE];
	char *p = c->map;
	uint64_t most = c->map_size;

	if (c->map_size < sizeof(*h) + DIGEST_SIZE ||
	    memcmp(h->mark, MARK, sizeof(h->mark)) != 0 ||
	    memcmp(h->key, key, DIGEST_SIZE) != 0 || h->nr_nodes > most ||
	    h->nr_known > most || h->nr_segments > most ||
	    size_of(h) != c->map_size)
		return false;
	digest_of(is, p, c->map_size - DIGEST_SIZE);
	if (memcmp(is, p + c->map_size - DIGEST_SIZE, DIGEST_SIZE) != 0)
		return false;
	p += sizeof(*h);
	c->segments = (void *)p;
	c->nr_segments = h->nr_segments;
	p += c->nr_segments * sizeof(*c->segments);
	c->known = (void *)p;
	c->nr_known = h->nr_known;
	p += c->nr_known * sizeof(*c->known);
	c->nodes = (void *)p;
	c->nr_nodes = h->nr_nodes;
	c->large = h->large;
	return true;
}

void cache_open(struct cache *c, const char *path,
		const unsigned char key[DIGEST_SIZE])
{
	/* Not to wait, where it is a pipe. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;
	int fd;

	*c = (struct cache){ 0 };
	fd = path ? open(path, flags) : -1;
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		c->map_size = (size_t)st.st_size;
		c->map = mmap(NULL, c->map_size, PROT_READ,
			      MAP_PRIVATE | MAP_POPULATE, fd, 0);
	}
	close(fd);
	if (c->map == MAP_FAILED)
		c->map = NULL;
	if (c->map && !take_map(c, key))
		cache_release(c);
}

bool cache_root(const struct cache *c, struct cache_at *at)
{
	*at = (struct cache_at){ c->nr_nodes, c->nr_known, 0 };
	return c->nr_nodes > 0;
}

const struct node *cache_node(const struct cache *c, struct cache_at at)
{
	return &c->nodes[at.node - 1];
}

const struct known *cache_known(const struct cache *c, struct cache_at at)
{
	return &c->known[at.known - cache_node(c, at)->own];
}

struct cache_at *cache_below(const struct cache *c, struct cache_at at)
{
	const struct node *n = cache_node(c, at), *below;
	size_t first = at.node - n->nr_nodes, nr = 0, i;
	struct cache_at next = { at.node - 1, at.known - n->own, 0 };
	struct cache_at *v;

	for (i = at.node - 1; i > first; i -= c->nodes[i - 1].nr_nodes)
		nr++;
	v = nr ? xcalloc(nr, sizeof(*v)) : NULL;
	while (nr) {
		below = cache_node(c, next);
		v[--nr] = next;
		v[nr].segment = at.segment + below->before;
		next.node -= below->nr_nodes;
		next.known -= below->nr_known;
	}
	return v;
}

/* Room for n more of size bytes in an array of nr. */
static void *grow(void *v, size_t *room, size_t nr, size_t n, size_t size)
{
	if (nr + n <= *room)
		return v;
	*room = nr + n > 2 * *room ? nr + n : 2 * *room;
	if (*room < 64)
		*room = 64;
	return xrealloc(v, *room, size);
}

void cache_add_known(struct cache *c, const struct known *k)
{
	c->known = grow(c->known, &c->room_known, c->nr_known, 1, sizeof(*k));
	c->known[c->nr_known++] = *k;
}

void cache_add_node(struct cache *c, const struct node *n)
{
	c->nodes = grow(c->nodes, &c->room_nodes, c->nr_nodes, 1, sizeof(*n));
	c->nodes[c->nr_nodes++] = *n;
}

void cache_copy(struct cache *to, const struct cache *from, struct cache_at at)
{
	const struct node *n = cache_node(from, at);

	to->nodes = grow(to->nodes, &to->room_nodes, to->nr_nodes, n->nr_nodes,
			 sizeof(*n));
	memcpy(to->nodes + to->nr_nodes, from->nodes + at.node - n->nr_nodes,
	       n->nr_nodes * sizeof(*n));
	to->nr_nodes += n->nr_nodes;
	to->known = grow(to->known, &to->room_known, to->nr_known, n->nr_known,
			 sizeof(*to->known));
	memcpy(to->known + to->nr_known, from->known + at.known - n->nr_known,
	       n->nr_known * sizeof(*to->known));
	to->nr_known += n->nr_known;
}

static bool put(FILE *f, struct digest *d, const void *data, size_t len)
{
	if (!len)
		return true;
	digest_add(d, data, len);
	return fwrite(data, len, 1, f) == 1;
}

static bool write_cache(FILE *f, const struct cache *c,
			const struct segment *segments, const struct head *h)
{
	struct digest *d = digest_new();
	unsigned char sum[DIGEST_SIZE];
	bool ok = put(f, d, h, sizeof(*h)) &&
		  put(f, d, segments, h->nr_segments * sizeof(*segments)) &&
		  put(f, d, c->known, c->nr_known * sizeof(*c->known)) &&
		  put(f, d, c->nodes, c->nr_nodes * sizeof(*c->nodes));

	digest_end(d, sum);
	digest_free(d);
	return ok && fwrite(sum, sizeof(sum), 1, f) == 1;
}

void cache_save(const struct cache *c, const struct segment *segments,
		size_t nr_segments, const char *path,
		const unsigned char key[DIGEST_SIZE])
{
	struct head h = { .mark = MARK,
			  .nr_nodes = c->nr_nodes,
			  .nr_known = c->nr_known,
			  .nr_segments = nr_segments,
			  .large = c->large };
	char *tmp = xasprintf("%s.%d.tmp", path, (int)getpid());
	bool ok = false;
	FILE *f;

	memcpy(h.key, key, DIGEST_SIZE);
	f = fopen(tmp, "we");
	if (f) {
		ok = write_cache(f, c, segments, &h);
		ok = !fclose(f) && ok;
	}
	if (f && (!ok || rename(tmp, path)))
		unlink(tmp);
	free(tmp);
}

void cache_release(struct cache *c)
{
	if (c->map) {
		munmap(c->map, c->map_size);
	} else {
		free(c->nodes);
		free(c->known);
		free(c->segments);
	}
	*c = (struct cache){ 0 };
}
