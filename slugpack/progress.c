/* SPDX-License-Identifier: ISC */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

#define PATIENCE 1000 /* ms */
#define INTERVAL 100  /* ms */

void progress_begin(struct progress *p, bool wanted)
{
	*p = (struct progress){ .on = wanted && isatty(STDERR_FILENO) };
	if (p->on)
		p->next = clock_mono_ms() + PATIENCE;
}

bool progress_due(struct progress *p)
{
	int64_t now;

	if (!p->on)
		return false;
	now = clock_mono_ms();
	if (now < p->next)
		return false;
	p->next = now + INTERVAL;
	return true;
}

void progress_show(struct progress *p, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "\r%-*s", p->width, text);
	p->width = fprintf(stderr, "\r%s", text) - 1;
	fflush(stderr);
	free(text);
}

void progress_end(struct progress *p)
{
	if (p->width > 0)
		fprintf(stderr, "\r%*s\r", p->width, "");
	*p = (struct progress){ .on = false };
}
