/* SPDX-License-Identifier: ISC */
#include "fence-parts.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

/*
 * Landlock, as in linux/landlock.h; the header of the oldest system that
 * this is built on knows only the first of it. Behind a right the version
 * of the interface that brought it.
 */
#define FS_EXECUTE     (1U << 0)  /* 1 */
#define FS_WRITE_FILE  (1U << 1)  /* 1 */
#define FS_READ_FILE   (1U << 2)  /* 1 */
#define FS_READ_DIR    (1U << 3)  /* 1 */
#define FS_REMOVE_DIR  (1U << 4)  /* 1 */
#define FS_REMOVE_FILE (1U << 5)  /* 1 */
#define FS_MAKE_DIR    (1U << 7)  /* 1 */
#define FS_MAKE_REG    (1U << 8)  /* 1 */
#define FS_MAKE_SYM    (1U << 12) /* 1 */
#define FS_REFER       (1U << 13) /* 2 */
#define FS_TRUNCATE    (1U << 14) /* 3 */
#define FS_IOCTL_DEV   (1U << 15) /* 5 */

/* All rights there are, by version; the last one is of all later ones. */
static const uint64_t known_fs[] = {
	0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff
};

#define NET_ALL   3U /* bind and connect TCP; 4 */
#define SCOPE_ALL 3U /* abstract sockets, signals; 6 */

#define RULE_PATH_BENEATH 1
#define GET_VERSION       (1U << 0)

#define READ (FS_READ_FILE | FS_READ_DIR)
#define WRITE                                                                  \
 (READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |        \
  FS_MAKE_REG | FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
#define EXEC   (FS_READ_FILE | FS_EXECUTE)
#define DEVICE (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE)

/* What a right on something else than a folder may be. */
#define OF_FILES                                                               \
 (FS_EXECUTE | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

int fence_files_version(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);

	return v < 1 ? 0 : (int)v;
}

static uint64_t rights_of(int version)
{
	int last = (int)(sizeof(known_fs) / sizeof(known_fs[0])) - 1;

	return known_fs[version < last ? version : last];
}

struct landlock {
	int fd; /* of the rules */
	uint64_t known;
};

static int allow(const struct landlock *l, const char *path, uint64_t access)
{
	struct path_attr attr = { .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	int rc = 0;

	if (attr.fd < 0 || fstat(attr.fd, &st)) {
		rc = err_sys("%s", path);
		goto done;
	}
	attr.access = access & l->known;
	if (!S_ISDIR(st.st_mode))
		attr.access &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, l->fd, RULE_PATH_BENEATH, &attr, 0))
		rc = err_sys("%s: Landlock", path);
done:
	if (attr.fd >= 0)
		close(attr.fd);
	return rc;
}

/* Of all in a list; what cannot be opened counts where it must be there. */
static int allow_all(const struct landlock *l, const char *const *paths,
		     uint64_t access, bool must)
{
	int rc = 0;

	for (; paths && *paths && !rc; paths++) {
		rc = allow(l, *paths, access);
		if (!must)
			rc = 0;
	}
	return rc;
}

/* What loads the shared libraries of a program: the kernel runs it. */
static int allow_loader(const struct landlock *l)
{
	union {
		unsigned long value;
		void *pointer;
	} base = { .value = getauxval(AT_BASE) };
	Dl_info info;

	if (!base.value || !dladdr(base.pointer, &info) || !info.dli_fname)
		return 0;
	return allow(l, info.dli_fname, EXEC);
}

/* What libraries read of a system; there are no secrets in it. */
static const char *const system_read[] = {
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/local/lib",
	"/dev/urandom",
	"/etc/ld.so.cache",
	"/sys/devices/system/cpu",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	"/proc",
#endif
	NULL,
};

static const char *const system_devices[] = { "/dev/null", NULL };

/* What a build for make coverage writes at its end. */
static const char *const system_write[] = {
#ifdef FENCE_COVERAGE
	FENCE_COVERAGE,
#endif
	NULL,
};

static int add_rules(const struct landlock *l, const struct fence *f)
{
	int rc = allow_all(l, f->write, WRITE, true);

	if (!rc)
		rc = allow_all(l, f->exec, EXEC, true);
	if (!rc && f->exec && f->exec[0])
		rc = allow_loader(l);
	if (!rc)
		rc = allow_all(l, f->read, READ, false);
	if (!rc)
		rc = allow_all(l, system_read, READ, false);
	if (!rc)
		rc = allow_all(l, system_devices, DEVICE, false);
	if (!rc)
		rc = allow_all(l, system_write, WRITE, false);
	return rc;
}

int fence_files(const struct fence *f)
{
	int version = fence_files_version(), rc;
	struct landlock l = { .known = rights_of(version) };
	struct ruleset_attr attr = { .fs = l.known };
	size_t size = sizeof(attr.fs);

	if (!version)
		return 0;
	if (version >= 4) {
		attr.net = NET_ALL;
		size += sizeof(attr.net);
	}
	if (version >= 6) {
		attr.scoped = SCOPE_ALL;
		size += sizeof(attr.scoped);
	}
	l.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (l.fd < 0)
		return err_sys("Landlock");
	rc = add_rules(&l, f);
	if (!rc && syscall(SYS_landlock_restrict_self, l.fd, 0))
		rc = err_sys("Landlock");
	close(l.fd);
	return rc;
}

int fence_scope(void)
{
	struct ruleset_attr attr = { .scoped = SCOPE_ALL };
	int fd, rc = 0;

	if (fence_files_version() < 6)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return err_sys("Landlock");
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		rc = err_sys("Landlock");
	close(fd);
	return rc;
}
