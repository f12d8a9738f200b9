/* SPDX-License-Identifier: ISC */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <stdbool.h>

/*
 * Between the supervisor and route.h: which processes requests go to.
 */
struct process;
struct release;
struct supervisor;

/*
 * Release r, whose web processes are up, becomes the running one, with all
 * the traffic; the one before, if any, leaves.
 * Errors: those of route_open(); nothing changed.
 */
int traffic_move(struct supervisor *s, struct release *r);

/*
 * The running release is about to have the processes of wanted, too: see to
 * its address. Errors: ERR_FAILED.
 */
int traffic_open(struct supervisor *s, const struct release *wanted);

/* Lead requests to the web processes that are up and do not leave. */
void route_refresh(struct supervisor *s);

/*
 * May process p of release r, which is leaving, be told to end: is it done
 * with what it was asked, or has it had the time?
 */
bool is_drained(const struct supervisor *s, const struct release *r,
		const struct process *p);

#endif
