/* SPDX-License-Identifier: ISC */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The protocol of an attached process, "slugd-run": what goes over the
 * connection of POST /apps/APP/dynos after 101, both ways. A frame is a byte
 * for its type, the number of bytes of its data (4, highest first), and these.
 *
 * The client begins with FRAME_WINDOW. It never has more than FRAME_CREDIT
 * bytes of FRAME_INPUT on the way that FRAME_TAKEN has not acknowledged: so
 * a process that reads no input keeps no signal from it.
 */
#define FRAMES_PROTOCOL "slugd-run"

/* Bytes of data that a frame may have, and of input that may be on its way. */
#define FRAME_MAX    16384
#define FRAME_CREDIT 65536

enum frame_type {
	/* From the client. */
	FRAME_WINDOW = 'w', /* columns, rows: 2 bytes each; 0: no terminal */
	FRAME_INPUT = 'i',  /* standard input; of no bytes: its end */
	FRAME_SIGNAL = 's', /* its number, a byte */
	/* To the client. */
	FRAME_OUTPUT = 'o', /* standard output, all of a terminal */
	FRAME_ERROR = 'e',  /* standard error */
	FRAME_TAKEN = 't',  /* bytes of input that the process took: 4 */
	FRAME_WORDS = 'm',  /* what the client is to say of its end */
	FRAME_EXIT = 'x',   /* the exit status, a byte; the last frame */
	/*
	 * From slugd: the socket that comes with it (SCM_RIGHTS) is the
	 * client's, and takes the place of this one.
	 */
	FRAME_SOCKET = 'c',
};

struct frame {
	char type;
	size_t len;
	const unsigned char *data; /* borrowed, until the next call */
};

/* Frames that come in. All zero before the first call. */
struct frames_in {
	unsigned char *buf; /* freed with frames_in_release() */
	size_t start, end;
};

/* Frames on their way out. All zero before the first call. */
struct frames_out {
	unsigned char *buf; /* freed with frames_out_release() */
	size_t start, end, size;
};

/* Take bytes that came before anybody read frames. */
void frames_in_take(struct frames_in *in, const char *data, size_t len);

/*
 * Read what is there from the socket fd, without waiting.
 * Returns the bytes read; 0 at the end or where the connection is broken;
 * -1 where nothing is there now.
 */
long frames_in_read(struct frames_in *in, int fd);

/*
 * The next whole frame into *f. Returns 1; 0 where more must be read;
 * ERR_BADREQUEST for what is no frame.
 */
int frames_next(struct frames_in *in, struct frame *f);

/* The number at data, n bytes, highest first. */
uint32_t frame_number(const unsigned char *data, size_t n);

/* Put a frame to what goes out. len is at most FRAME_MAX. */
void frames_put(struct frames_out *out, enum frame_type type, const void *data,
		size_t len);

/* Frames with numbers in them: of 1, 4, and 2 and 2 bytes. */
void frames_put_byte(struct frames_out *out, enum frame_type type, int n);
void frames_put_number(struct frames_out *out, enum frame_type type,
		       uint32_t n);
void frames_put_window(struct frames_out *out, unsigned columns, unsigned rows);

/* How many bytes wait to go out. */
size_t frames_waiting(const struct frames_out *out);

/*
 * Write what the socket fd takes now. Errors: ERR_UNAVAILABLE, the connection is
 * broken.
 */
int frames_flush(struct frames_out *out, int fd);

/*
 * Send FRAME_SOCKET, with the connected socket client, over the socket fd,
 * on which nothing was sent yet. Both stay the caller's.
 * Errors: ERR_UNAVAILABLE.
 */
int frames_send_socket(int fd, int client);

/*
 * Who takes a client's connection over, see http_take_fn, and hands it on
 * so over fd, which becomes the holder's; what frames_to() returns is for
 * one call of frames_hand_on(), which closes fd. A client that spoke before
 * it was answered is not handed on.
 */
void *frames_to(int fd);
void frames_hand_on(void *to, int client, const char *early, size_t len);

/* Free what they hold, not them. */
void frames_in_release(struct frames_in *in);
void frames_out_release(struct frames_out *out);

#endif
