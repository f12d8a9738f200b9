/* SPDX-License-Identifier: ISC */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set
#undef err_sys

static _Thread_local char message[2048] = "no error";

static void put(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0)));

static void put(const char *fmt, va_list ap)
{
	char fresh[sizeof(message)];

	/* The arguments may point into the old message. */
	vsnprintf(fresh, sizeof(fresh), fmt, ap);
	memcpy(message, fresh, sizeof(message));
}

int err_set(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(const char *fmt, ...)
{
	int saved = errno;
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
	len = strlen(message);
	snprintf(message + len, sizeof(message) - len, ": %s", strerror(saved));
	errno = saved;
	return ERR_SYSTEM;
}

int err_prefix(int code, const char *fmt, ...)
{
	char old[sizeof(message)];
	size_t len;
	va_list ap;

	if (!code)
		return 0;
	memcpy(old, message, sizeof(old));
	va_start(ap, fmt);
	put(fmt, ap);
	va_end(ap);
	len = strlen(message);
	/* What finds no room is cut off. */
	if (snprintf(message + len, sizeof(message) - len, ": %s", old) < 0)
		message[len] = '\0';
	return code;
}

const char *err_msg(void)
{
	return message;
}
