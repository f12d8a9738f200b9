/* SPDX-License-Identifier: ISC */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"

#define HEAD   5 /* type and length */
#define IN_MAX ((size_t)2 * (HEAD + FRAME_MAX))

static void in_prepare(struct frames_in *in)
{
	if (!in->buf)
		in->buf = xcalloc(IN_MAX, 1);
	if (in->start)
		memmove(in->buf, in->buf + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
}

void frames_in_take(struct frames_in *in, const char *data, size_t len)
{
	in_prepare(in);
	if (len > IN_MAX - in->end)
		abort(); /* no answer's rest is so long */
	if (len)
		memcpy(in->buf + in->end, data, len);
	in->end += len;
}

long frames_in_read(struct frames_in *in, int fd)
{
	ssize_t n;

	in_prepare(in);
	n = recv(fd, in->buf + in->end, IN_MAX - in->end, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	in->end += (size_t)n;
	return n;
}

uint32_t frame_number(const unsigned char *data, size_t n)
{
	uint32_t number = 0;

	while (n--)
		number = number << 8 | *data++;
	return number;
}

int frames_next(struct frames_in *in, struct frame *f)
{
	const unsigned char *head = in->buf + in->start;
	size_t there = in->end - in->start;

	if (there < HEAD)
		return 0;
	f->type = (char)head[0];
	f->len = frame_number(head + 1, 4);
	f->data = head + HEAD;
	if (f->len > FRAME_MAX)
		return err_set(ERR_BADREQUEST, "what came is no frame");
	if (there < HEAD + f->len)
		return 0;
	in->start += HEAD + f->len;
	return 1;
}

static void to_bytes(unsigned char *to, uint32_t number, size_t n)
{
	while (n--) {
		to[n] = number & 0xff;
		number >>= 8;
	}
}

void frames_put(struct frames_out *out, enum frame_type type, const void *data,
		size_t len)
{
	size_t need;

	/* What was written makes room, before more is taken. */
	if (out->start && out->end + HEAD + len > out->size) {
		memmove(out->buf, out->buf + out->start, frames_waiting(out));
		out->end -= out->start;
		out->start = 0;
	}
	need = out->end + HEAD + len;
	if (need > out->size) {
		out->size = need * 2;
		out->buf = xrealloc(out->buf, out->size, 1);
	}
	out->buf[out->end] = (unsigned char)type;
	to_bytes(out->buf + out->end + 1, (uint32_t)len, 4);
	if (len)
		memcpy(out->buf + out->end + HEAD, data, len);
	out->end = need;
}

void frames_put_byte(struct frames_out *out, enum frame_type type, int n)
{
	unsigned char byte = (unsigned char)n;

	frames_put(out, type, &byte, 1);
}

void frames_put_number(struct frames_out *out, enum frame_type type, uint32_t n)
{
	unsigned char bytes[4];

	to_bytes(bytes, n, 4);
	frames_put(out, type, bytes, 4);
}

void frames_put_window(struct frames_out *out, unsigned columns, unsigned rows)
{
	unsigned char bytes[4];

	to_bytes(bytes, columns, 2);
	to_bytes(bytes + 2, rows, 2);
	frames_put(out, FRAME_WINDOW, bytes, 4);
}

size_t frames_waiting(const struct frames_out *out)
{
	return out->end - out->start;
}

int frames_flush(struct frames_out *out, int fd)
{
	ssize_t n;

	while (out->start < out->end) {
		n = send(fd, out->buf + out->start, out->end - out->start,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			err_sys("the connection");
			return ERR_UNAVAILABLE;
		}
		out->start += (size_t)n;
	}
	out->start = out->end = 0;
	return 0;
}

int frames_send_socket(int fd, int client)
{
	unsigned char head[HEAD] = { FRAME_SOCKET };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .bytes = { 0 } };
	struct iovec iov = { head, sizeof(head) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(client));
	memcpy(CMSG_DATA(c), &client, sizeof(client));
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != HEAD) {
		err_sys("the connection");
		return ERR_UNAVAILABLE;
	}
	return 0;
}

void *frames_to(int fd)
{
	int *to = xcalloc(1, sizeof(*to));

	*to = fd;
	return to;
}

void frames_hand_on(void *to, int client, const char *early, size_t len)
{
	int *fd = to;

	(void)early;
	/* Where it does not get there, its end is seen there. */
	if (client >= 0 && !len)
		frames_send_socket(*fd, client);
	if (client >= 0)
		close(client);
	close(*fd);
	free(fd);
}

void frames_in_release(struct frames_in *in)
{
	free(in->buf);
	memset(in, 0, sizeof(*in));
}

void frames_out_release(struct frames_out *out)
{
	free(out->buf);
	memset(out, 0, sizeof(*out));
}
