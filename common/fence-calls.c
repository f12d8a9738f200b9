/* SPDX-License-Identifier: ISC */
#include "fence-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

#ifndef __NR_fchmodat2
# define __NR_fchmodat2 452 /* of every architecture but alpha */
#endif
#define TMPFILE (O_TMPFILE & ~O_DIRECTORY)

/*
 * What no program behind a fence needs of the kernel. Numbers that this
 * machine's architecture has not are negative, and passed over.
 */
/* clang-format off */
static const int refused[] = {
	/* the network, and other ways to other processes */
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(socketcall),
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(kill), SCMP_SYS(tkill),
	SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp),
	SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(shmctl), SCMP_SYS(msgget),
	SCMP_SYS(semget), SCMP_SYS(mq_open),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* its search for leaks needs these */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
#endif
	/* namespaces, mounts */
	SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(open_tree), SCMP_SYS(move_mount),
	SCMP_SYS(mount_setattr),
	/* ways around the names of files, and what Landlock does not know */
	SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	SCMP_SYS(memfd_create), SCMP_SYS(execveat), SCMP_SYS(fanotify_init),
	SCMP_SYS(chown), SCMP_SYS(chown32), SCMP_SYS(fchown),
	SCMP_SYS(fchown32), SCMP_SYS(lchown), SCMP_SYS(lchown32),
	SCMP_SYS(fchownat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr),
	SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
	SCMP_SYS(fremovexattr), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd),
	/* what has been an attack's first step too often */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(keyctl), SCMP_SYS(personality), SCMP_SYS(modify_ldt),
	SCMP_SYS(lookup_dcookie), SCMP_SYS(vmsplice),
	/* what is root's */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(syslog),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(vhangup),
	SCMP_SYS(nfsservctl),
};

/*
 * What no process of an app needs: all that is the machine's, not the
 * app's. It has the network, and the rest of what its own processes may do
 * with each other.
 */
static const int refused_to_apps[] = {
	/* namespaces, mounts */
	SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(open_tree), SCMP_SYS(move_mount),
	SCMP_SYS(mount_setattr),
	/* ways around the names of files */
	SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(fanotify_init), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd),
	/* what has been an attack's first step too often */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(lookup_dcookie), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	/* what is root's */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(syslog),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(clock_settime64),
	SCMP_SYS(clock_adjtime), SCMP_SYS(stime),
	SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(vhangup),
	SCMP_SYS(nfsservctl),
};
/* clang-format on */

static const unsigned int namespaces[] = {
	CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
	CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
};

#define NR(table) (sizeof(table) / sizeof((table)[0]))

static int refuse_if(scmp_filter_ctx filter, int number, unsigned int arg,
		     uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 1,
				SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

static int refuse(scmp_filter_ctx filter, int number, int error)
{
	if (number < 0)
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), number,
				0);
}

static int refuse_all(scmp_filter_ctx filter, const int *numbers, size_t n)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < n && !rc; i++)
		rc = refuse(filter, numbers[i], EPERM);
	return rc;
}

/* What is refused to everyone. */
static int add_common(scmp_filter_ctx filter)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < NR(namespaces) && !rc; i++)
		rc = refuse_if(filter, SCMP_SYS(clone), 0, namespaces[i],
			       namespaces[i]);
	/* A thread may have a working folder of its own. */
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				      SCMP_SYS(unshare), 1,
				      SCMP_CMP(0, SCMP_CMP_NE, CLONE_FS));
	/* Its flags are out of a filter's sight: libc takes clone() then. */
	if (!rc)
		rc = refuse(filter, SCMP_SYS(clone3), ENOSYS);
	/* Keys for the terminal that somebody sits at. */
	if (!rc)
		rc = refuse_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, TIOCSTI);
	if (!rc)
		rc = refuse_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX,
			       TIOCLINUX);
	return rc;
}

static int add_refusals(scmp_filter_ctx filter, bool exec)
{
	int rc = refuse_all(filter, refused, NR(refused));

	if (!rc)
		rc = add_common(filter);
	/* As if there were no programs. */
	if (!rc && !exec)
		rc = refuse(filter, SCMP_SYS(execve), ENOENT);
	return rc;
}

/*
 * Of the families of sockets an app has those of the internet, those with
 * paths, and what tells of interfaces and devices. Others reach further than
 * the machine's name and address space: another machine's memory by
 * AF_VSOCK, say, or parts of the kernel that few look at.
 */
static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
static const int netlinks[] = { NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT };

static bool is_in(const int *list, size_t n, int value)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* Each that is not allowed by itself, and all that are higher. */
static int add_families(scmp_filter_ctx filter, int number)
{
	const uint32_t no = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	int rc = seccomp_rule_add(filter, no, number, 1,
				  SCMP_CMP(0, SCMP_CMP_GT, AF_NETLINK));
	unsigned int i;

	for (i = 0; i < AF_NETLINK && !rc; i++)
		if (!is_in(families, NR(families), (int)i))
			rc = seccomp_rule_add(filter, no, number, 1,
					      SCMP_CMP(0, SCMP_CMP_EQ, i));
	return rc;
}

static int add_netlinks(scmp_filter_ctx filter)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPROTONOSUPPORT);
	const int number = SCMP_SYS(socket);
	int rc = seccomp_rule_add(
		filter, no, number, 2, SCMP_CMP(0, SCMP_CMP_EQ, AF_NETLINK),
		SCMP_CMP(2, SCMP_CMP_GT, NETLINK_KOBJECT_UEVENT));
	unsigned int i;

	for (i = 0; i < NETLINK_KOBJECT_UEVENT && !rc; i++)
		if (!is_in(netlinks, NR(netlinks), (int)i))
			rc = seccomp_rule_add(
				filter, no, number, 2,
				SCMP_CMP(0, SCMP_CMP_EQ, AF_NETLINK),
				SCMP_CMP(2, SCMP_CMP_EQ, i));
	return rc;
}

/*
 * A program that is setuid would, outside of the box, run as the app's user
 * for whoever starts it. Calls with a mode, and which argument it is; flags
 * say whether there is one.
 */
static const struct {
	int number;
	unsigned int mode, flags;
	uint64_t flag; /* 0: there always is one */
} with_mode[] = {
	{ SCMP_SYS(chmod), 1, 0, 0 },
	{ SCMP_SYS(fchmod), 1, 0, 0 },
	{ SCMP_SYS(fchmodat), 2, 0, 0 },
	{ __NR_fchmodat2, 2, 0, 0 },
	{ SCMP_SYS(mknod), 1, 0, 0 },
	{ SCMP_SYS(mknodat), 2, 0, 0 },
	{ SCMP_SYS(creat), 1, 0, 0 },
	{ SCMP_SYS(open), 2, 1, O_CREAT },
	{ SCMP_SYS(open), 2, 1, TMPFILE },
	{ SCMP_SYS(openat), 3, 2, O_CREAT },
	{ SCMP_SYS(openat), 3, 2, TMPFILE },
};

static int refuse_mode(scmp_filter_ctx filter, size_t i, uint64_t bit)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	const unsigned int mode = with_mode[i].mode;

	if (with_mode[i].number < 0)
		return 0;
	if (!with_mode[i].flag)
		return refuse_if(filter, with_mode[i].number, mode, bit, bit);
	return seccomp_rule_add(filter, no, with_mode[i].number, 2,
				SCMP_CMP(mode, SCMP_CMP_MASKED_EQ, bit, bit),
				SCMP_CMP(with_mode[i].flags, SCMP_CMP_MASKED_EQ,
					 with_mode[i].flag, with_mode[i].flag));
}

static int add_modes(scmp_filter_ctx filter)
{
	int rc = 0;
	size_t i;

	for (i = 0; i < NR(with_mode) && !rc; i++) {
		rc = refuse_mode(filter, i, S_ISUID);
		if (!rc)
			rc = refuse_mode(filter, i, S_ISGID);
	}
	/* Its mode is out of a filter's sight. */
	return rc ? rc : refuse(filter, SCMP_SYS(openat2), ENOSYS);
}

/*
 * The limit of message queues is slugrun's mark of a process, see
 * slugrun/strays.h: it is to be read, not changed.
 */
static int add_mark(scmp_filter_ctx filter)
{
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	int rc = refuse_if(filter, SCMP_SYS(setrlimit), 0, UINT32_MAX,
			   RLIMIT_MSGQUEUE);

	if (rc)
		return rc;
	return seccomp_rule_add(
		filter, no, SCMP_SYS(prlimit64), 2,
		SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, RLIMIT_MSGQUEUE),
		SCMP_CMP(2, SCMP_CMP_NE, 0));
}

static int add_for_app(scmp_filter_ctx filter, bool exec)
{
	int rc = refuse_all(filter, refused_to_apps, NR(refused_to_apps));

	(void)exec;
	if (!rc)
		rc = add_families(filter, SCMP_SYS(socket));
	if (!rc)
		rc = add_families(filter, SCMP_SYS(socketpair));
	if (!rc)
		rc = add_netlinks(filter);
	if (!rc)
		rc = add_modes(filter);
	if (!rc)
		rc = add_mark(filter);
	return rc ? rc : add_common(filter);
}

bool fence_calls_known(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

/* The filter that add makes. */
static int load(int (*add)(scmp_filter_ctx, bool), bool exec)
{
	scmp_filter_ctx filter;
	int rc;

	if (!fence_calls_known())
		return 0;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		abort();
	rc = add(filter, exec);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	errno = -rc;
	return rc ? err_sys("seccomp") : 0;
}

int fence_calls(bool exec)
{
	return load(add_refusals, exec);
}

int fence_app(void)
{
	int rc = fence_scope();

	return rc ? rc : load(add_for_app, true);
}
