/* SPDX-License-Identifier: ISC */
#ifndef FENCE_PARTS_H
#define FENCE_PARTS_H

#include <stdbool.h>

#include "fence.h"

/*
 * The two parts of a fence that the kernel may lack, for fence.c alone.
 * no_new_privs is to be set before either.
 */

/*
 * Fence files in, and with them TCP and signals, as far as this kernel's
 * Landlock goes. Errors: ERR_SYSTEM.
 */
int fence_files(const struct fence *f);

/*
 * Let nothing in here connect to an abstract Unix socket or signal a process
 * that is not in here, where this kernel's Landlock knows of that.
 * Errors: ERR_SYSTEM.
 */
int fence_scope(void);

/* The version of the kernel's Landlock; 0 where it has none: see errno. */
int fence_files_version(void);

/*
 * Refuse the system calls that nothing behind a fence needs, by EPERM; and,
 * without exec, running a program, by ENOENT. Errors: ERR_SYSTEM.
 */
int fence_calls(bool exec);

/* Does the kernel filter system calls? */
bool fence_calls_known(void);

#endif
