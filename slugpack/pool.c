/* SPDX-License-Identifier: ISC */
#include "pool.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "maker.h"
#include "mem.h"

#define MAX_THREADS 16
#define HELD_BACK   (8 << 20) /* bytes, of all threads together */
#define IN_MEMORY   (8 << 20) /* the same, of blobs that are HEAVY */
#define HEAVY       (1 << 20)
#define STACK       (512 << 10)

struct pool {
	const struct pool_spec *spec;
	size_t nr_threads;
	pthread_mutex_t lock; /* over what is below */
	pthread_cond_t changed;
	size_t next;    /* to be made */
	size_t turn;    /* whose bytes are next, of a descriptor */
	bool large;     /* a large blob is on its way */
	uint64_t heavy; /* bytes of blobs in memory */
	int rc;
	char *message;
	char *pointer; /* the first of Git LFS, as messages show it */
	size_t first_pointer, nr_pointers;
};

/* One thread at its segment. */
struct worker {
	struct pool *pool;
	struct maker *maker;
	size_t index;
	bool has_pointer;
	char *held; /* bytes whose turn is not yet */
	size_t len, room;
};

static void fail(struct pool *p, int rc)
{
	pthread_mutex_lock(&p->lock);
	if (!p->rc) {
		p->rc = rc;
		p->message = xstrdup(err_msg());
	}
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void on_packed(void *ctx, uint64_t bytes)
{
	struct worker *w = ctx;
	const struct pool_spec *spec = w->pool->spec;

	pthread_mutex_lock(&w->pool->lock);
	spec->progress(spec->ctx, 1, bytes);
	pthread_mutex_unlock(&w->pool->lock);
}

static void on_pointer(void *ctx, const char *path)
{
	struct worker *w = ctx;
	struct pool *p = w->pool;

	pthread_mutex_lock(&p->lock);
	if (!p->nr_pointers++ || w->index < p->first_pointer) {
		p->first_pointer = w->index;
		str_replace(&p->pointer, entry_shown_path(path));
	}
	pthread_mutex_unlock(&p->lock);
	w->has_pointer = true;
}

/*
 * Wait for the turn of the worker's segment. With the lock; ERR_FAILED where
 * another one failed.
 */
static int wait_turn(struct worker *w)
{
	struct pool *p = w->pool;

	while (p->turn != w->index && !p->rc)
		pthread_cond_wait(&p->changed, &p->lock);
	return p->rc ? ERR_FAILED : 0;
}

/*
 * One git child reads all large blobs. Who waits for its turn must not hold
 * it: the one whose turn it is may need it.
 */
static int on_large(void *ctx, const struct tree_entry *e, uint64_t size,
		    const struct sink *to)
{
	struct worker *w = ctx;
	struct pool *p = w->pool;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (!p->spec->store)
		rc = wait_turn(w);
	while (p->large && !p->rc)
		pthread_cond_wait(&p->changed, &p->lock);
	if (p->rc)
		rc = ERR_FAILED;
	p->large |= !rc;
	pthread_mutex_unlock(&p->lock);
	if (rc)
		return rc;
	rc = tree_blob_stream(p->spec->tree, e, size, to);
	/* Before another one reads on in what the child has to say. */
	if (rc)
		fail(p, rc);
	pthread_mutex_lock(&p->lock);
	p->large = false;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static int flush_held(struct worker *w)
{
	int rc = w->len ? output_write(w->pool->spec->output, w->held, w->len)
			: 0;

	w->len = 0;
	return rc;
}

/* Bytes for the descriptor, in their turn. For struct sink. */
static int write_in_turn(void *ctx, const void *data, size_t len)
{
	struct worker *w = ctx;
	struct pool *p = w->pool;
	bool now;
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (w->len + len > HELD_BACK / p->nr_threads)
		rc = wait_turn(w);
	now = p->turn == w->index;
	pthread_mutex_unlock(&p->lock);
	if (!rc && now) {
		rc = flush_held(w);
		return rc ? rc : output_write(p->spec->output, data, len);
	}
	if (rc)
		return rc;
	if (w->len + len > w->room) {
		w->room = 2 * (w->len + len);
		w->held = xrealloc(w->held, w->room, 1);
	}
	memcpy(w->held + w->len, data, len);
	w->len += len;
	return 0;
}

/* All of the segment was made: the next one's turn. */
static int end_turn(struct worker *w)
{
	struct pool *p = w->pool;
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = wait_turn(w);
	pthread_mutex_unlock(&p->lock);
	if (!rc)
		rc = flush_held(w);
	if (rc)
		return rc;
	pthread_mutex_lock(&p->lock);
	p->turn++;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int make_to_output(struct worker *w, struct planned *s)
{
	int rc;

	w->len = 0;
	rc = maker_run(w->maker, s, (struct sink){ write_in_turn, w },
		       &s->segment.raw);
	return rc ? rc : end_turn(w);
}

/* A segment with pointers is for no store. */
static int make_to_store(struct worker *w, struct planned *s)
{
	struct store_file f;
	int rc = store_begin(&f, w->pool->spec->store);

	if (rc)
		return rc;
	w->has_pointer = false;
	rc = maker_run(w->maker, s, (struct sink){ store_write, &f },
		       &s->segment.raw);
	if (!rc && !w->has_pointer)
		rc = store_end(&f, &s->segment);
	else
		store_drop(&f);
	return rc;
}

/* The largest blob of the segment that will be in memory, if it is heavy. */
static uint64_t weigh(const struct planned *s)
{
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < s->nr_items; i++) {
		const struct item *item = &s->items[i];

		if (!item->below && item->size > most &&
		    item->size <= MAKER_LARGE)
			most = item->size;
	}
	return most > HEAVY ? most : 0;
}

/*
 * Make it once there is memory: a blob that is a delta takes twice its size
 * and more. Who waits for its turn may have the memory of the one whose turn
 * it is, which so does not wait.
 */
static int make(struct worker *w, struct planned *s)
{
	struct pool *p = w->pool;
	uint64_t heavy = weigh(s);
	int rc;

	pthread_mutex_lock(&p->lock);
	while (heavy && p->heavy && p->heavy + heavy > IN_MEMORY && !p->rc &&
	       (p->spec->store || p->turn != w->index))
		pthread_cond_wait(&p->changed, &p->lock);
	p->heavy += heavy;
	pthread_mutex_unlock(&p->lock);
	rc = p->spec->store ? make_to_store(w, s) : make_to_output(w, s);
	if (!heavy)
		return rc;
	pthread_mutex_lock(&p->lock);
	p->heavy -= heavy;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* The next segment to be made; NULL: there is none, or all is lost. */
static struct planned *take(struct worker *w)
{
	struct pool *p = w->pool;
	struct plan *plan = p->spec->plan;
	struct planned *s = NULL;

	pthread_mutex_lock(&p->lock);
	while (p->next < plan->n && plan->v[p->next].known)
		p->next++;
	if (p->next < plan->n && !p->rc) {
		w->index = p->next++;
		s = &plan->v[w->index];
	}
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void *work(void *arg)
{
	const struct maker_events events = { on_packed, on_pointer, on_large,
					     arg };
	struct worker *w = arg;
	const struct pool_spec *spec = w->pool->spec;
	struct planned *s;
	int rc = maker_open(&w->maker, spec->tree, spec->slug, &events);

	while (!rc && (s = take(w)))
		rc = make(w, s);
	if (rc)
		fail(w->pool, rc);
	maker_free(w->maker);
	free(w->held);
	return NULL;
}

/* As many threads as there is work and room for. */
static size_t count_threads(const struct pool_spec *spec)
{
	size_t wanted = spec->slug->threads, work_left = 0, i;
	cpu_set_t set;

	if (!wanted && !sched_getaffinity(0, sizeof(set), &set))
		wanted = (size_t)CPU_COUNT(&set);
	if (wanted > MAX_THREADS)
		wanted = MAX_THREADS;
	for (i = 0; i < spec->plan->n && work_left < wanted; i++)
		work_left += !spec->plan->v[i].known;
	return work_left < wanted ? work_left : wanted;
}

/* An app that has pointers in place of its files would not work. */
static int check_pointers(const struct pool *p)
{
	char *more;

	if (!p->nr_pointers)
		return 0;
	more = xasprintf(", as %s %zu more", p->nr_pointers == 2 ? "is" : "are",
			 p->nr_pointers - 1);
	err_set(ERR_INVALID,
		"%s is a Git LFS pointer, not the file itself%s; commit the "
		"file (git lfs migrate export), or leave it out with a line "
		"in .slugignore",
		p->pointer, p->nr_pointers > 1 ? more : "");
	free(more);
	return ERR_INVALID;
}

/* The threads; the last of the workers is the caller. */
static void run_workers(struct pool *p, struct worker *workers)
{
	pthread_t *threads = xcalloc(p->nr_threads, sizeof(*threads));
	size_t n = 0, i;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (i = 0; i < p->nr_threads; i++)
		workers[i].pool = p;
	while (n + 1 < p->nr_threads &&
	       !pthread_create(&threads[n], &attr, work, &workers[n]))
		n++;
	work(&workers[p->nr_threads - 1]);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
	free(threads);
}

int pool_run(const struct pool_spec *spec)
{
	struct pool p = { .spec = spec, .nr_threads = count_threads(spec) };
	struct worker *workers;
	int rc;

	if (!p.nr_threads)
		return 0;
	/* What is freed of a heavy blob would stay with its thread else. */
	mallopt(M_MMAP_THRESHOLD, HEAVY);
	pthread_mutex_init(&p.lock, NULL);
	pthread_cond_init(&p.changed, NULL);
	workers = xcalloc(p.nr_threads, sizeof(*workers));
	run_workers(&p, workers);
	rc = p.rc ? err_set(p.rc, "%s", p.message) : check_pointers(&p);
	free(workers);
	free(p.message);
	free(p.pointer);
	pthread_cond_destroy(&p.changed);
	pthread_mutex_destroy(&p.lock);
	return rc;
}
