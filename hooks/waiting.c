/* SPDX-License-Identifier: ISC */
#include "waiting.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "clock.h"
#include "hook.h"
#include "mem.h"

#define SILENT_MS 2000 /* before anything is said */
#define ANSWER_MS 2000 /* for slugd to say it */

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool running, stop;
	bool terminal;
	char *path;
	char *last;    /* what was waited for the last time */
	int64_t since; /* when, by clock_mono_ms() */
} waiting = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* Is the standard error of git-receive-pack a terminal? See tty(4), pts(4). */
static bool has_terminal(void)
{
	char path[64];
	struct stat st;
	unsigned n;

	snprintf(path, sizeof(path), "/proc/%ld/fd/2", (long)getppid());
	if (stat(path, &st) || !S_ISCHR(st.st_mode))
		return false;
	n = major(st.st_rdev);
	return n == 4 || (n >= 136 && n <= 143);
}

/* The lines of slugd's own say these two already. */
static bool is_said(const char *what)
{
	return !strcmp(what, "another push") ||
	       !strcmp(what, "the release command to end");
}

/* Once more? Else the wait for it began now, or with the silence. */
static bool is_known(const char *what, int64_t silent)
{
	bool known = waiting.last && !strcmp(waiting.last, what);
	int64_t now = clock_mono_ms();

	/* Something was said since: the silence is a new one. */
	if (!waiting.last || waiting.since < now - silent)
		waiting.since = now - silent;
	else if (!known)
		waiting.since = now;
	if (!known)
		str_replace(&waiting.last, xstrdup(what));
	return known;
}

static void say(const char *what, bool launching, int64_t silent)
{
	const char *begin = launching ? "-----> Launching... " : "       ";
	bool known = is_known(what, silent);
	int64_t ms = clock_mono_ms() - waiting.since;
	char *text = NULL;

	if (waiting.terminal) {
		text = xasprintf("waiting for %s (%d s)", what,
				 (int)(ms / 1000));
		hook_say_meanwhile(begin, text, '\r');
	} else if (!known && !is_said(what)) {
		text = xasprintf("waiting for %s", what);
		hook_say_meanwhile(begin, text, '\n');
	}
	free(text);
}

static void ask(int64_t silent)
{
	struct client *c = NULL;
	json_t *v = NULL;
	const char *what = NULL;

	if (!hook_connect(&c)) {
		client_set_timeout(c, ANSWER_MS);
		if (!client_call(c, "GET", waiting.path, NULL, &v))
			what = json_str(v, "waiting", NULL);
	}
	/* Something may have come meanwhile. */
	if (what && hook_silent_ms() >= silent)
		say(what, json_bool(v, "launching", 0), silent);
	json_decref(v);
	client_free(c);
}

static void *watch(void *arg)
{
	struct timespec next;
	int64_t silent;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&waiting.lock);
	while (!waiting.stop) {
		next.tv_sec++;
		while (!waiting.stop &&
		       pthread_cond_clockwait(&waiting.changed, &waiting.lock,
					      CLOCK_MONOTONIC,
					      &next) != ETIMEDOUT)
			;
		if (waiting.stop)
			break;
		silent = hook_silent_ms();
		if (silent < SILENT_MS)
			continue;
		pthread_mutex_unlock(&waiting.lock);
		ask(silent);
		pthread_mutex_lock(&waiting.lock);
	}
	pthread_mutex_unlock(&waiting.lock);
	return NULL;
}

void waiting_start(const char *path)
{
	waiting.terminal = has_terminal();
	waiting.path = xstrdup(path);
	waiting.stop = false;
	waiting.running = !pthread_create(&waiting.thread, NULL, watch, NULL);
}

void waiting_stop(void)
{
	pthread_mutex_lock(&waiting.lock);
	waiting.stop = true;
	pthread_cond_signal(&waiting.changed);
	pthread_mutex_unlock(&waiting.lock);
	if (waiting.running)
		pthread_join(waiting.thread, NULL);
	waiting.running = false;
	free(waiting.path);
	waiting.path = NULL;
	free(waiting.last);
	waiting.last = NULL;
}
