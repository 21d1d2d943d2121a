/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_apply.h"

#include "daemon/trial.h"

struct fake_apply fake_apply;

void fake_apply_reset(void)
{
	fake_apply = (struct fake_apply){ .view = { .actor = "", .keys = "", .problem = "" },
					  .why = "" };
}

static int asked(const char *call, const struct actor *actor, struct problem *why)
{
	fake_apply.call = call;
	snprintf(fake_apply.actor, sizeof(fake_apply.actor), "%s", actor->name);
	return fake_apply.error ? problem_set(why, fake_apply.error, "%s", fake_apply.why) : 0;
}

int apply_check(const struct daemon *d, const char *text, size_t size, struct config **ret,
		struct problem *why)
{
	static const char good[] = "interfaces: [ { name: eth0 } ]\n";

	(void)d;
	(void)text;
	(void)size;
	if (fake_apply.error)
		return problem_set(why, fake_apply.error, "%s", fake_apply.why);
	return config_parse("configuration", good, strlen(good), ret, why);
}

int apply_config(struct apply *c, const char *text, size_t size, int64_t seconds,
		 const struct actor *actor, struct problem *why)
{
	(void)c;
	snprintf(fake_apply.text, sizeof(fake_apply.text), "%.*s", (int)size, text);
	fake_apply.seconds = seconds;
	return asked("apply", actor, why);
}

int apply_confirm(struct apply *c, const struct actor *actor, struct problem *why)
{
	(void)c;
	return asked("confirm", actor, why);
}

int apply_rollback(struct apply *c, const struct actor *actor, struct problem *why)
{
	(void)c;
	return asked("rollback", actor, why);
}

void apply_view(const struct apply *c, struct apply_view *ret)
{
	(void)c;
	*ret = fake_apply.view;
	ret->actor = ret->actor ?: "";
	ret->keys = ret->keys ?: "";
	ret->problem = ret->problem ?: "";
}

/* ---- interfaces on trial ---- */

int trials_attach(struct trials *t, const char *iface, int64_t seconds, const struct actor *actor,
		  struct problem *why)
{
	(void)t;
	snprintf(fake_apply.text, sizeof(fake_apply.text), "%s", iface);
	fake_apply.seconds = seconds;
	return asked("attach", actor, why);
}

int trials_confirm(struct trials *t, const char *iface, const struct actor *actor,
		   struct problem *why)
{
	(void)t;
	snprintf(fake_apply.text, sizeof(fake_apply.text), "%s", iface);
	return asked("confirm attach", actor, why);
}

void trials_forget(struct trials *t, const char *iface)
{
	(void)t;
	(void)iface;
}

void trials_each(const struct trials *t, void (*fn)(void *arg, const char *iface, int64_t left),
		 void *arg)
{
	(void)t;
	(void)fn;
	(void)arg;
}
