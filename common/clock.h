/* SPDX-License-Identifier: ISC */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * The time, from one place, so that a test can hold it: where the
 * environment has SLUGD_TEST_NOW (seconds since 1970), clock_now() is that.
 */

/* Seconds since 1970. */
int64_t clock_now(void);

/* Milliseconds of a clock that is never set back; for time limits. */
int64_t clock_mono_ms(void);

/* The moment ms milliseconds from now, for pthread_cond_clockwait(). */
struct timespec clock_deadline(int64_t ms);

#endif
