/* SPDX-License-Identifier: ISC */
#include "stuck.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/time.h>

#define MAX_READERS 64

static atomic_uint nr_readers;

static struct reader {
	/* Beginnings and ends: an odd number is a read that goes on. */
	atomic_uint reads;
	unsigned seen, ticks;
} readers[MAX_READERS];

bool stuck_is(void)
{
	/* The clock is that of all threads together. */
	bool stuck = false;
	size_t i;

	for (i = 0; i < MAX_READERS; i++) {
		unsigned reads = atomic_load(&readers[i].reads);

		if (reads % 2 && reads == readers[i].seen)
			readers[i].ticks++;
		else
			readers[i].ticks = 0;
		readers[i].seen = reads;
		stuck |= readers[i].ticks >= atomic_load(&nr_readers);
	}
	return stuck;
}

struct reader *stuck_reader(void)
{
	unsigned n = atomic_fetch_add(&nr_readers, 1);
	struct itimerval every = { .it_interval = { .tv_sec = STUCK_SECONDS } };

	every.it_value = every.it_interval;
	setitimer(ITIMER_VIRTUAL, &every, NULL);
	return &readers[n % MAX_READERS];
}

void stuck_count(struct reader *r)
{
	atomic_fetch_add(&r->reads, 1);
}
