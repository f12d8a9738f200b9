/* SPDX-License-Identifier: ISC */
#ifndef ERR_H
#define ERR_H

/*
 * Errors as values. A function that can fail returns 0, or one of the
 * negative codes below after err_set(); the message belongs to the calling
 * thread and stays until the next err_set() there. An error that is not
 * handled is passed up unchanged; only main() prints it.
 */
enum err_code {
	ERR_FAILED = -1,      /* what was asked for did not come about */
	ERR_SYSTEM = -2,      /* the operating system said no */
	ERR_BADREQUEST = -3,  /* the request itself is malformed */
	ERR_INVALID = -4,     /* a parameter is wrong (invalid_params) */
	ERR_NOTFOUND = -5,    /* no such app, release, add-on, ... */
	ERR_CONFLICT = -6,    /* exists already, or is busy */
	ERR_FORBIDDEN = -7,   /* not for this user */
	ERR_RANGE = -8,       /* Range header that cannot be satisfied */
	ERR_UNAVAILABLE = -9, /* slugd, or something it needs, is not there */
	ERR_TOOBIG = -10,     /* over a configured limit */
	ERR_STALE = -11,      /* it is no longer what the client saw */
};

/*
 * Set this thread's message and return code, so that a caller can write
 * "return err_set(ERR_NOTFOUND, ...)".
 */
int err_set(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* As err_set(ERR_SYSTEM), with ": " and strerror(errno) appended. */
int err_sys(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Put "prefix: " in front of this thread's message; returns code unchanged.
 * A code of 0 is no error, and leaves the message alone.
 */
int err_prefix(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The message of this thread's last error; borrowed, never NULL. */
const char *err_msg(void);

#ifdef __clang_analyzer__
/* It looks into no other file: what comes back is an error, never 0. */
# define err_set(code, ...) ((void)err_set(code, __VA_ARGS__), (code))
# define err_sys(...)       ((void)err_sys(__VA_ARGS__), ERR_SYSTEM)
#endif

#endif
