/* SPDX-License-Identifier: ISC */

/*
 * The program is twenty instructions that never change but for three numbers,
 * so it is written here, and loaded by bpf(2): no compiler for BPF and no
 * library is needed.
 */
#include "bind-fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

#define MAX_PORTS 1024 /* more than an app has processes, twice */

/*
 * Before a bind a program sees the port that is asked for, in network byte
 * order, and the victim of an attempt notices nothing of it. After it another
 * sees the port that was got, where the kernel chose it.
 */
static const struct hook {
	enum bpf_prog_type type;
	enum bpf_attach_type at;
	int16_t port; /* where it is in the context */
	bool swapped;
} hooks[BIND_FENCE_HOOKS] = {
	{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND,
	  offsetof(struct bpf_sock_addr, user_port), true },
	{ BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND,
	  offsetof(struct bpf_sock_addr, user_port), true },
	{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND,
	  offsetof(struct bpf_sock, src_port), false },
	{ BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND,
	  offsetof(struct bpf_sock, src_port), false },
};

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* clang-format off */
#define OP(code, dst, src, off, imm) { (code), (dst), (src), (off), (imm) }
#define MOVE(dst, src)	OP(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, n)	OP(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, n)
#define CALL(n)		OP(BPF_JMP | BPF_CALL, 0, 0, 0, n)
#define EXIT()		OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define IF(op, dst, n, skip)	OP(BPF_JMP | (op) | BPF_K, dst, 0, skip, n)

/* Load the program of a hook; its descriptor, or -1 and errno. */
static int load(const struct hook *hook, int map, int first, int last)
{
	static const char license[] = "ISC";
	const struct bpf_insn code[] = {
		MOVE(BPF_REG_6, BPF_REG_1),
		CALL(BPF_FUNC_get_current_uid_gid),
		OP(BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_0, 0, 0, 32),
		IF(BPF_JEQ, BPF_REG_0, 0, 13),		/* root */
		OP(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_6,
		   hook->port, 0),
		hook->swapped
			? (struct bpf_insn)OP(BPF_ALU | BPF_END | BPF_TO_BE,
					      BPF_REG_7, 0, 0, 16)
			: (struct bpf_insn)MOVE(BPF_REG_7, BPF_REG_7),
		IF(BPF_JLT, BPF_REG_7, first, 10),
		IF(BPF_JGT, BPF_REG_7, last, 9),
		OP(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_7, -4, 0),
		OP(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0,
		   map),
		OP(0, 0, 0, 0, 0),			/* its second half */
		MOVE(BPF_REG_2, BPF_REG_10),
		OP(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		IF(BPF_JNE, BPF_REG_0, 0, 2),		/* it is allowed */
		SET(BPF_REG_0, 0),
		EXIT(),
		SET(BPF_REG_0, 1),
		EXIT(),
	};
	union bpf_attr attr = {
		.prog_type = hook->type,
		.expected_attach_type = hook->at,
		.insns = address(code),
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = address(license),
	};

	return bpf(BPF_PROG_LOAD, &attr);
}
/* clang-format on */

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint32_t),
		.max_entries = MAX_PORTS,
		.map_flags = BPF_F_NO_PREALLOC,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int bind_fence_try(void)
{
	int map = make_map(), rc = 0, program;
	size_t i;

	if (map < 0)
		return err_sys("bpf");
	for (i = 0; i < BIND_FENCE_HOOKS && !rc; i++) {
		program = load(&hooks[i], map, 1, 2);
		if (program < 0)
			rc = err_sys("bpf");
		shut(&program);
	}
	shut(&map);
	return rc;
}

void bind_fence_init(struct bind_fence *f)
{
	size_t i;

	*f = (struct bind_fence){ .group = -1, .map = -1 };
	for (i = 0; i < BIND_FENCE_HOOKS; i++)
		f->link[i] = -1;
}

int bind_fence_open(struct bind_fence *f, const char *group)
{
	bind_fence_init(f);
	f->group = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->map = f->group < 0 ? -1 : make_map();
	if (f->map >= 0)
		return 0;
	err_sys("%s", f->group < 0 ? group : "bpf");
	bind_fence_close(f);
	return ERR_SYSTEM;
}

/* The link of hook to the group, or -1 and errno. */
static int attach(const struct bind_fence *f, const struct hook *hook,
		  uint16_t first, uint16_t last)
{
	int program = load(hook, f->map, first, last), link = -1, error;
	union bpf_attr attr;

	if (program < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_fd = (uint32_t)f->group;
	attr.link_create.attach_type = hook->at;
	link = bpf(BPF_LINK_CREATE, &attr);
	error = errno;
	close(program);
	errno = error;
	return link;
}

int bind_fence_guard(struct bind_fence *f, uint16_t first, uint16_t last)
{
	int fresh[BIND_FENCE_HOOKS], rc = 0;
	size_t i;

	if (f->group < 0 || (f->first == first && f->last == last))
		return 0;
	for (i = 0; i < BIND_FENCE_HOOKS; i++) {
		fresh[i] = rc ? -1 : attach(f, &hooks[i], first, last);
		if (!rc && fresh[i] < 0)
			rc = err_sys("bpf");
	}
	for (i = 0; i < BIND_FENCE_HOOKS; i++) {
		shut(rc ? &fresh[i] : &f->link[i]);
		if (!rc)
			f->link[i] = fresh[i];
	}
	if (rc)
		return rc;
	f->first = first;
	f->last = last;
	return 0;
}

bool bind_fence_holds(const struct bind_fence *f)
{
	return f->group >= 0 && f->first;
}

int bind_fence_allow(const struct bind_fence *f, uint16_t port)
{
	uint32_t key = port, value = 1;
	union bpf_attr attr = { .map_fd = (uint32_t)f->map,
				.key = address(&key),
				.value = address(&value) };

	if (f->group >= 0 && bpf(BPF_MAP_UPDATE_ELEM, &attr))
		return err_sys("bpf");
	return 0;
}

void bind_fence_refuse(const struct bind_fence *f, uint16_t port)
{
	uint32_t key = port;
	union bpf_attr attr = { .map_fd = (uint32_t)f->map,
				.key = address(&key) };

	if (f->group >= 0 && bpf(BPF_MAP_DELETE_ELEM, &attr)) {
		/* It was not allowed. */
	}
}

void bind_fence_close(struct bind_fence *f)
{
	size_t i;

	for (i = 0; i < BIND_FENCE_HOOKS; i++)
		shut(&f->link[i]);
	shut(&f->map);
	shut(&f->group);
	bind_fence_init(f);
}
