/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_program.h"

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

struct program {
	char name[16];
	uint32_t id;
	const struct tables *tables;
	struct moat_iface settings; /* of a probe */
};

struct fake_machine fake_machine;

struct fake_interface *fake_interface(const char *name)
{
	for (size_t i = 0; i < FAKE_INTERFACES; i++) {
		struct fake_interface *iface = &fake_machine.interface[i];

		if (!*iface->name)
			snprintf(iface->name, sizeof(iface->name), "%s", name);
		if (!strcmp(iface->name, name))
			return iface;
	}
	abort();
}

static struct program *new_program(const struct tables *t, const char *name)
{
	struct program *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->id = ++fake_machine.last_id;
	p->tables = t;
	fake_machine.loaded++;
	return p;
}

int program_load(const struct tables *t, const char *dir, const char *iface, struct program **ret,
		 struct problem *why)
{
	(void)dir;
	if (fake_machine.load_error)
		return problem_set(why, fake_machine.load_error, "interface '%s': cannot load",
				   iface);
	*ret = new_program(t, iface);
	return 0;
}

int program_load_probe(const struct tables *t, struct program **ret, struct problem *why)
{
	(void)why;
	*ret = new_program(t, "");
	return 0;
}

struct program *program_free(struct program *p)
{
	fake_machine.loaded -= !!p;
	free(p);
	return NULL;
}

static struct moat_iface *settings_of(const struct program *p)
{
	return *p->name ? &fake_interface(p->name)->settings : (struct moat_iface *)&p->settings;
}

void program_set_iface(struct program *p, bool enforce, uint64_t drop_reasons)
{
	settings_of(p)->enforce = enforce;
	settings_of(p)->drop_reasons = drop_reasons;
}

void program_set_replies(struct program *p, bool pass)
{
	settings_of(p)->replies = pass;
}

void program_get_iface(const struct program *p, struct moat_iface *ret)
{
	*ret = *settings_of(p);
}

void program_set_sampling(struct program *p, uint32_t chance)
{
	settings_of(p)->sample_chance = chance;
}

void program_set_trial(struct program *p, bool trial)
{
	(void)p;
	(void)trial;
}

void program_set_chain(struct program *p, uint32_t priority)
{
	(void)p;
	(void)priority;
}

void program_set_drop_sampling(struct program *p, uint8_t n)
{
	(void)p;
	(void)n;
}

uint8_t program_drop_sampling(const struct program *p)
{
	(void)p;
	return 0;
}

uint32_t program_sampling(const struct program *p)
{
	return settings_of(p)->sample_chance;
}

size_t program_samples(struct program *p, program_sample_fn fn, void *arg, uint64_t *ret_missed)
{
	size_t count = fake_machine.samples;

	(void)p;
	for (size_t i = 0; i < count; i++)
		fn(arg, &fake_machine.sample[i]);
	fake_machine.samples = 0;
	*ret_missed = fake_machine.missed;
	return count;
}

int program_attach(struct program *p, enum config_mode mode, struct problem *why)
{
	struct fake_interface *iface = fake_interface(p->name);

	fake_machine.attaches++;
	if (!iface->exists)
		return problem_set(why, -ENODEV, "interface '%s': does not exist", p->name);
	if (iface->foreign)
		return problem_set(why, -EEXIST, "interface '%s': XDP program 'other' is attached",
				   p->name);
	if (mode == CONFIG_NATIVE && iface->no_native)
		return problem_set(why, -EOPNOTSUPP, "interface '%s': no native XDP", p->name);
	iface->on = p->id;
	iface->pinned = true;
	iface->noting = iface->settings.replies && !iface->no_egress;
	if (mode != CONFIG_AUTO || !iface->mode)
		iface->mode = mode == CONFIG_GENERIC || iface->no_native ? ATTACH_GENERIC
									 : ATTACH_NATIVE;
	return 0;
}

int program_check(const struct program *p, struct attachment *ret, struct problem *why)
{
	struct fake_interface *iface = fake_interface(p->name);

	if (!iface->exists || iface->on != p->id || !iface->pinned)
		return problem_set(why, -ENOLINK, "interface '%s': not attached", p->name);
	*ret = (struct attachment){
		.mode = iface->mode,
		.ifindex = 1,
		.program = p->id,
		.tc = !iface->no_tc,
		.replies = iface->noting,
	};
	return 0;
}

int program_detach(const char *dir, const char *name, struct problem *why)
{
	struct fake_interface *iface = fake_interface(name);

	(void)dir;
	if (!iface->pinned)
		return problem_set(why, -ENOENT, "interface '%s': not attached", name);
	iface->pinned = false;
	iface->on = 0;
	iface->mode = ATTACH_NONE;
	return 0;
}

int program_each_pinned(const char *dir, int (*fn)(void *arg, const char *iface), void *arg)
{
	int r = 0;

	(void)dir;
	for (size_t i = 0; i < FAKE_INTERFACES && !r; i++)
		if (fake_machine.interface[i].pinned)
			r = fn(arg, fake_machine.interface[i].name);
	return r;
}

bool program_same(const struct program *a, uint32_t program_id)
{
	(void)a;
	return program_id <= fake_machine.last_id;
}

/* ---- the probe ---- */

static bool read_frame(const uint8_t *frame, struct prefix *ret_source, uint8_t *ret_protocol,
		       uint16_t *ret_port)
{
	const uint8_t *ip = frame + sizeof(struct ethhdr);
	bool v4 = ip[0] >> 4 == 4;
	const uint8_t *transport = ip + (v4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));

	*ret_source = (struct prefix){ .family = v4 ? MOAT_IPV4 : MOAT_IPV6 };
	ret_source->len = (uint8_t)prefix_max(ret_source->family);
	memcpy(ret_source->addr, ip + (v4 ? 12 : 8), v4 ? 4 : 16);
	*ret_protocol = ip[v4 ? 9 : 6];
	*ret_port = (uint16_t)(transport[2] << 8 | transport[3]);
	return true;
}

int program_probe(struct program *probe, void *frame, uint32_t *size, uint32_t room,
		  struct outcome *ret, struct problem *why)
{
	static const struct {
		enum moat_reason reason;
		enum moat_verdict verdict;
	} action[] = {
		[MOAT_ACTION_MONITOR] = { MOAT_MONITORED, MOAT_VERDICT_MONITOR },
		[MOAT_ACTION_TAG] = { MOAT_TAGGED, MOAT_VERDICT_TAG },
		[MOAT_ACTION_LIMIT] = { MOAT_WITHIN_LIMIT, MOAT_VERDICT_PASS },
		[MOAT_ACTION_DROP] = { MOAT_LISTED, MOAT_VERDICT_DROP },
	};
	struct fake_verdict got;
	struct prefix source;
	uint8_t protocol;
	uint16_t port;

	(void)size;
	(void)room;
	(void)why;
	*ret = (struct outcome){ .reason = MOAT_CLEAN, .verdict = MOAT_VERDICT_PASS };
	if (tables_paused_until(probe->tables)) {
		ret->reason = MOAT_PAUSED;
		return 0;
	}
	read_frame(frame, &source, &protocol, &port);
	fake_tables_packet(probe->tables, &source, (uint64_t)fake_machine.boot_ns, protocol, port,
			   &got);
	if (!got.listed || fake_machine.probe_is_wrong)
		return 0;
	ret->reason = got.set & 1 ? MOAT_ALLOWED : MOAT_OUT_OF_SCOPE;
	if (!got.in_scope)
		return 0;
	ret->reason = action[got.action].reason;
	ret->verdict = action[got.action].verdict;
	ret->category = got.category;
	if (got.shared && ret->reason == MOAT_LISTED) {
		ret->reason = MOAT_SHARED;
		ret->verdict = MOAT_VERDICT_TAG;
	}
	if (!probe->settings.enforce && ret->verdict != MOAT_VERDICT_PASS)
		ret->verdict = MOAT_VERDICT_MONITOR;
	return 0;
}
