/* SPDX-License-Identifier: ISC */
#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool running, stop;
	int depth; /* how often it was started, and not stopped */
} progress = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* Without stdio, whose lock another thread may hold. */
static void put(const char *s)
{
	if (write(STDERR_FILENO, s, strlen(s)) < 0)
		return; /* nobody looks */
}

/* Blanks over the last n characters, and back to where they began. */
static void rub_out(int n)
{
	static const char *const steps[] = { "\b", " ", "\b" };
	size_t i;
	int j;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		for (j = 0; j < n; j++)
			put(steps[i]);
}

static void *count(void *arg)
{
	struct timespec next;
	char buf[32];
	int seconds = 0, written = 0;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&progress.lock);
	while (!progress.stop) {
		next.tv_sec++;
		while (!progress.stop &&
		       pthread_cond_clockwait(&progress.changed, &progress.lock,
					      CLOCK_MONOTONIC,
					      &next) != ETIMEDOUT)
			;
		if (progress.stop)
			break;
		seconds++;
		rub_out(written);
		written = snprintf(buf, sizeof(buf), " %d s", seconds);
		put(buf);
	}
	pthread_mutex_unlock(&progress.lock);
	rub_out(written);
	return NULL;
}

void progress_start(void)
{
	if (progress.depth++ || !isatty(STDERR_FILENO))
		return;
	progress.stop = false;
	progress.running = !pthread_create(&progress.thread, NULL, count, NULL);
}

void progress_stop(void)
{
	int saved = errno;

	if (--progress.depth || !progress.running)
		return;
	pthread_mutex_lock(&progress.lock);
	progress.stop = true;
	pthread_cond_signal(&progress.changed);
	pthread_mutex_unlock(&progress.lock);
	pthread_join(progress.thread, NULL);
	progress.running = false;
	errno = saved;
}
