/* SPDX-License-Identifier: ISC */
#ifndef PROGRESS_H
#define PROGRESS_H

/*
 * For those who wait at a terminal: from the second second on, how long it
 * has been, behind what stands on the line; it goes when the waiting ends.
 * Nothing at all where standard error is no terminal.
 *
 *	progress_start();
 *	rc = client_call(...);
 *	progress_stop();
 *
 * It may be started within: the outermost pair counts.
 */

/* Begin to count. */
void progress_start(void);

/* End it, and take away what it wrote. errno and the error stay. */
void progress_stop(void);

#endif
