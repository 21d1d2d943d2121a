/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_events.h"

#include <limits.h>

#include "core/units.h"

#define LOG_PATH_MAX (PATH_MAX - 16) /* leaves room for ".NN" of what is rotated */
#define LOG_SIZE_MIN 65536
#define LOG_SIZE_MAX (1ULL << 40)

void events_default_settings(struct config_events *e)
{
	*e = (struct config_events){
		.rate = 10000,
		.log_size = 100000000,
		.log_keep = 5,
		.sflow_rate = 1000,
	};
}

void events_free_settings(struct config_events *e)
{
	free(e->log);
	free(e->sflow_collector);
	free(e->sflow_agent);
}

static int read_rate(const struct setting_file *file, const struct setting *n, uint32_t *ret)
{
	uint64_t value = *ret;
	int err = n ? setting_number(file, n, 1, CONFIG_EVENTS_RATE_MAX, false, &value) : 0;

	*ret = (uint32_t)value;
	return err;
}

static int read_log(const struct setting_file *file, const struct setting *n,
		    struct config_events *e)
{
	const struct setting *size = setting_get(n, "log_size");
	const struct setting *keep = setting_get(n, "log_keep");
	const struct setting *log = setting_get(n, "log");
	uint64_t number = e->log_keep;
	char shown[SETTING_SHOWN];
	const char *text;
	int err = 0;

	if (log)
		err = setting_path(file, log, LOG_PATH_MAX, &e->log);
	if (!err && keep)
		err = setting_number(file, keep, 0, CONFIG_EVENTS_KEEP_MAX, false, &number);
	e->log_keep = (uint32_t)number;
	if (err || !size)
		return err;
	err = setting_text(file, size, &text);
	if (!err && (units_count(text, &e->log_size) || e->log_size < LOG_SIZE_MIN ||
		     e->log_size > LOG_SIZE_MAX))
		err = setting_fail(file, size, "log_size: expected bytes, 66k to 1000g, not '%s'",
				   setting_shown(text, shown));
	return err;
}

static int read_collector(const struct setting_file *file, const struct setting *n,
			  struct config_events *e)
{
	char shown[SETTING_SHOWN];
	const char *text;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	if (config_check_endpoint(text))
		return setting_fail(file, n, "collector: expected ADDRESS:PORT, not '%s'",
				    setting_shown(text, shown));
	return setting_keep(file, text, &e->sflow_collector);
}

static int read_agent(const struct setting_file *file, const struct setting *n,
		      struct config_events *e)
{
	char shown[SETTING_SHOWN];
	struct prefix address;
	const char *text;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	if (prefix_parse(text, &address) || !prefix_is_host(&address))
		return setting_fail(file, n, "agent: expected an address of this host, not '%s'",
				    setting_shown(text, shown));
	return setting_keep(file, text, &e->sflow_agent);
}

static int read_sflow(const struct setting_file *file, const struct setting *n,
		      struct config_events *e)
{
	static const char *const keys[] = { "collector", "agent", "rate" };
	const struct setting *collector = setting_get(n, "collector");
	const struct setting *agent = setting_get(n, "agent");
	int err;

	err = setting_expect_mapping(file, n, "{ collector: 192.0.2.1:6343 }");
	err = err ?: setting_check_keys(file, n, "sflow", keys, ARRAY_SIZE(keys));
	if (!err && !collector)
		err = setting_fail(file, n,
				   "sflow needs a collector, such as { collector: 192.0.2.1:6343 }");
	err = err ?: read_collector(file, collector, e);
	if (!err && agent)
		err = read_agent(file, agent, e);
	return err ?: read_rate(file, setting_get(n, "rate"), &e->sflow_rate);
}

int events_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = {
		"rate", "passes", "log", "log_size", "log_keep", "sflow"
	};
	struct config_events *e = &c->events;
	int err;

	err = setting_expect_mapping(file, n, "{ rate: 10000 }");
	err = err ?: setting_check_keys(file, n, "events", keys, ARRAY_SIZE(keys));
	err = err ?: read_rate(file, setting_get(n, "rate"), &e->rate);
	if (!err && setting_get(n, "passes"))
		err = setting_bool(file, setting_get(n, "passes"), &e->passes);
	err = err ?: read_log(file, n, e);
	if (!err && setting_get(n, "sflow"))
		err = read_sflow(file, setting_get(n, "sflow"), e);
	return err;
}
