/* SPDX-License-Identifier: ISC */
#ifndef NAMES_H
#define NAMES_H

/*
 * Which names are good. Each check returns 0, or ERR_INVALID with a message
 * that shows the name and says the rule.
 */

/* An app: ^[a-z][a-z0-9-]{1,28}[a-z0-9]$ (Heroku's Platform API schema). */
int name_check_app(const char *name);

/*
 * A config var's key: letters, digits and underscores, no digit first, not
 * one of Heroku's reserved beginnings (HEROKU_, __), nor a variable that
 * slugd sets itself (PORT, DYNO, HOME); at most 200 bytes.
 */
int name_check_config_key(const char *key);

/* A process type of a Procfile: letters, digits, - and _; at most 30. */
int name_check_process_type(const char *type);

/*
 * A ref that a push may touch: refs/heads/ or refs/tags/ and then plain
 * components (letters, digits, . _ + @ / - and bytes of UTF-8), none of
 * which begins with '-' or '.', or ends in ".lock"; at most 200 bytes.
 */
int name_check_ref(const char *ref);

/* An object id: 40 lower-case hexadecimal digits. */
int name_check_oid(const char *oid);

/* A uuid, of a slug, say: 36 lower-case hexadecimal digits and dashes. */
int name_check_uuid(const char *uuid);

/* A user, as claimed by the service account: printable, 1 to 100 bytes. */
int name_check_user(const char *user);

#define NAME_ZERO_OID "0000000000000000000000000000000000000000"

#endif
