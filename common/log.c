/* SPDX-License-Identifier: ISC */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "text.h"

static const char *program = "slugd";

void log_init(const char *name)
{
	program = name;
}

void log_line(const char *fmt, ...)
{
	char *message, *safe, *line, when[TEXT_TIME_SIZE];
	va_list ap;

	va_start(ap, fmt);
	message = xvasprintf(fmt, ap);
	va_end(ap);
	safe = text_escape(message);
	text_iso(when, clock_now());
	line = xasprintf("%s %s: %s\n", when, program, safe);
	/* One write, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, line, strlen(line)) < 0) {
		/* Nobody is left to be told. */
	}
	free(line);
	free(safe);
	free(message);
}
