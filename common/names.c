/* SPDX-License-Identifier: ISC */
#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "text.h"

#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define REF_SIGN "._+@/-#=,%"

/* err_set() with the name made safe and short enough to show. */
static int bad_name(const char *what, const char *name, const char *rule)
{
	char *shown = text_cell(name, 60);
	int rc = err_set(ERR_INVALID, "%s '%s' %s", what, shown, rule);

	free(shown);
	return rc;
}

static bool all_of(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

static bool printable(const char *s)
{
	char *safe = text_escape(s);
	bool same = !strcmp(safe, s);

	free(safe);
	return same;
}

int name_check_app(const char *name)
{
	size_t len = strlen(name);

	if (len < 3 || len > 30 || !strchr(LOWER, name[0]) ||
	    !all_of(name, LOWER DIGITS "-") || name[len - 1] == '-')
		return bad_name("app name", name,
				"must be 3 to 30 lower-case letters, digits "
				"and dashes, with a letter first and no dash "
				"last");
	return 0;
}

int name_check_config_key(const char *key)
{
	static const char *const ours[] = { "PORT", "DYNO", "HOME" };
	size_t i;

	if (!*key || strlen(key) > 200 ||
	    !all_of(key, LOWER UPPER DIGITS "_") || strchr(DIGITS, *key))
		return bad_name("config var", key,
				"must be letters, digits and underscores, "
				"and not begin with a digit");
	if (!strncmp(key, "HEROKU_", 7) || !strncmp(key, "__", 2))
		return bad_name("config var", key,
				"has a reserved beginning (HEROKU_ or __)");
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (!strcmp(key, ours[i]))
			return bad_name("config var", key,
					"is set by slugd itself");
	return 0;
}

int name_check_process_type(const char *type)
{
	if (!*type || strlen(type) > 30 ||
	    !all_of(type, LOWER UPPER DIGITS "_-"))
		return bad_name("process type", type,
				"must be 1 to 30 letters, digits, dashes and "
				"underscores");
	return 0;
}

static bool plain_component(const char *s, size_t len)
{
	if (!len || s[0] == '-' || s[0] == '.' || s[len - 1] == '.')
		return false;
	return len < 5 || strncmp(s + len - 5, ".lock", 5);
}

int name_check_ref(const char *ref)
{
	static const char *const roots[] = { "refs/heads/", "refs/tags/" };
	const char *p = NULL;
	size_t i, len;

	for (i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (!strncmp(ref, roots[i], strlen(roots[i])))
			p = ref + strlen(roots[i]);
	if (!p)
		return bad_name("ref", ref,
				"is neither a branch nor a tag; only those "
				"can be pushed");
	if (strlen(ref) > 200 || strstr(p, "..") || strstr(p, "@{"))
		goto bad;
	for (i = 0; p[i]; i++)
		if (!((unsigned char)p[i] >= 0x80 ||
		      strchr(LOWER UPPER DIGITS REF_SIGN, p[i])))
			goto bad;
	if (!printable(p))
		goto bad;
	do {
		len = strcspn(p, "/");
		if (!plain_component(p, len))
			goto bad;
		p += len;
	} while (*p++);
	return 0;
bad:
	return bad_name("ref", ref, "is not a plain name");
}

int name_check_oid(const char *oid)
{
	if (strlen(oid) != 40 || !all_of(oid, DIGITS "abcdef"))
		return bad_name("object id", oid,
				"must be 40 hexadecimal digits");
	return 0;
}

int name_check_uuid(const char *uuid)
{
	static const char form[] = "00000000-0000-0000-0000-000000000000";
	size_t i;

	for (i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '-'
			    ? uuid[i] != '-'
			    : !uuid[i] || !strchr("0123456789abcdef", uuid[i]))
			break;
	if (!uuid[i] && i == sizeof(form) - 1)
		return 0;
	return err_set(ERR_INVALID, "'%s' is no uuid", uuid);
}

int name_check_user(const char *user)
{
	if (!*user || strlen(user) > 100 || !printable(user))
		return bad_name("user", user,
				"must be 1 to 100 printable characters");
	return 0;
}
