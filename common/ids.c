/* SPDX-License-Identifier: ISC */
#include "ids.h"

#include <string.h>
#include <uuid/uuid.h>

void id_random(char *buf)
{
	uuid_t uuid;

	uuid_generate(uuid);
	uuid_unparse_lower(uuid, buf);
}

void id_of_text(char *buf, const char *kind, const char *text)
{
	/* The namespace of slugd's kinds; each kind is one below it. */
	static const uuid_t ours = { 0x5b, 0x1d, 0x94, 0x62, 0x0f, 0xc3,
				     0x4e, 0x2a, 0x9d, 0x7e, 0x31, 0xb8,
				     0x65, 0xf0, 0xaa, 0x17 };
	uuid_t space, uuid;

	uuid_generate_sha1(space, ours, kind, strlen(kind));
	uuid_generate_sha1(uuid, space, text, strlen(text));
	uuid_unparse_lower(uuid, buf);
}
