/* SPDX-License-Identifier: ISC */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "config.h"
#include "ledger.h"

/*
 * Providers of add-ons. One kind of provider is one row of the table in
 * provider.c; slugd-addons(5) is the page for those who write programs.
 * Each call may be made again after a crash, with the same add-on's uuid,
 * and must come to the same end.
 */
struct provider_call {
	const char *dir; /* slugd's folder */
	const struct config_addon *service;
	const char *action; /* create, change, rotate, resume, destroy */
	const struct app *app;
	const struct addon *addon; /* with the plan that is wanted */
	bool *told; /* set where the provider may have begun; or NULL */
};

/*
 * Make the call and wait for its end. The config vars that the add-on gives
 * from now on into *config (caller's reference); an empty object after
 * destroy, those it had after resume. Errors: ERR_FAILED in words that a developer can read.
 */
int provider_run(const struct provider_call *call, json_t **config);

#endif
