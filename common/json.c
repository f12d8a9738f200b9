/* SPDX-License-Identifier: ISC */
#include "json.h"

#include <stdlib.h>

#include "err.h"
#include "text.h"

int json_read(json_t **out, const char *text, size_t len)
{
	json_error_t e;
	json_t *v = json_loadb(text, len,
			       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

	if (!v)
		return err_set(ERR_BADREQUEST, "invalid JSON: %s (line %d)",
			       e.text, e.line);
	*out = v;
	return 0;
}

static char *dump(const json_t *v, size_t flags)
{
	char *s = json_dumps(v, flags | JSON_ENCODE_ANY);

	if (!s)
		abort();
	return s;
}

char *json_text(const json_t *v)
{
	return dump(v, JSON_COMPACT | JSON_SORT_KEYS);
}

char *json_pretty(const json_t *v)
{
	return dump(v, JSON_INDENT(2));
}

const char *json_str(const json_t *v, const char *key, const char *fallback)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s ? s : fallback;
}

int64_t json_int(const json_t *v, const char *key, int64_t fallback)
{
	const json_t *n = json_object_get(v, key);

	return json_is_integer(n) ? json_integer_value(n) : fallback;
}

int json_bool(const json_t *v, const char *key, int fallback)
{
	const json_t *b = json_object_get(v, key);

	return json_is_boolean(b) ? json_is_true(b) : fallback;
}

json_t *json_make(const char *fmt, ...)
{
	va_list ap;
	json_t *v;

	va_start(ap, fmt);
	v = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	if (!v)
		abort();
	return v;
}

json_t *json_str_or_null(const char *s)
{
	json_t *v = s ? json_string(s) : NULL;

	return v ? v : json_null();
}

json_t *json_time(int64_t when)
{
	char buf[TEXT_TIME_SIZE];

	if (!when)
		return json_null();
	text_iso(buf, when);
	return json_string(buf);
}
