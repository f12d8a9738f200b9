/* SPDX-License-Identifier: ISC */
#include "box-rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "fence.h"

int box_become(int64_t uid)
{
	uid_t id = (uid_t)uid;

	if (setgroups(0, NULL) || setresgid(id, id, id) ||
	    setresuid(id, id, id))
		return err_sys("cannot become user %u", id);
	return 0;
}

/* A limit is never raised over what we have. */
static int limit(int what, int64_t wanted)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)what, &now))
		return err_sys("getrlimit");
	if (now.rlim_max > (rlim_t)wanted)
		now.rlim_max = (rlim_t)wanted;
	if (now.rlim_cur > now.rlim_max || what == RLIMIT_NOFILE)
		now.rlim_cur = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &now))
		return err_sys("setrlimit");
	return 0;
}

int box_limits(const struct box_settings *s)
{
	int rc = limit(RLIMIT_CORE, 0);

	if (!rc && s->max_files)
		rc = limit(RLIMIT_NOFILE, s->max_files);
	/*
	 * The kernel counts by user, and in a user namespace of one's own
	 * from there on; the account of slugd has processes of its own.
	 */
	if (!rc && s->max_processes && (s->namespaces || s->uid >= 0))
		rc = limit(RLIMIT_NPROC, s->max_processes + 1);
	return rc;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2];
	unsigned long i;

	/* Those who have none to begin with may not, and need not. */
	for (i = 0; !prctl(PR_CAPBSET_DROP, i, 0, 0, 0); i++)
		;
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
					 SECBIT_NO_SETUID_FIXUP |
					 SECBIT_NO_SETUID_FIXUP_LOCKED |
					 SECBIT_NO_CAP_AMBIENT_RAISE |
					 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &header, none))
		return err_sys("cannot give up capabilities");
	return 0;
}

int box_drop_rights(const struct box_settings *s)
{
	int rc = drop_capabilities();

	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = err_sys("PR_SET_NO_NEW_PRIVS");
	if (!rc && s->seccomp)
		rc = fence_app();
	return rc;
}
