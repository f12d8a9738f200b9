/* SPDX-License-Identifier: ISC */
#ifndef EXEC_H
#define EXEC_H

/*
 * Become an app's process: /bin/sh -c command in the folder dir, with the
 * environment read from the descriptor env_fd ("A=b", each ended by a NUL),
 * so that no value is ever in an argument list and none applies to slugrun
 * itself. The kernel ends it with the supervisor, whose pid is parent; it
 * gains no rights by setuid programs and dumps no core.
 * Returns only on failure. Errors: ERR_SYSTEM, ERR_UNAVAILABLE where the
 * supervisor is gone already.
 */
int exec_command(long parent, int env_fd, const char *dir, const char *command);

#endif
