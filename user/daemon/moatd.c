/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatd: keeps the filter on the interfaces true to the abuse database.
 *
 * Starts in the order that leaves no packet on a half-made filter: maps, the
 * probe, everything the database says, then the interfaces, then the pins.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "core/log.h"
#include "daemon/audit_chain.h"
#include "daemon/apply.h"
#include "daemon/daemon.h"
#include "daemon/daemon_never.h"
#include "daemon/events.h"
#include "daemon/feeder_child.h"
#include "daemon/feeds_run.h"
#include "daemon/hits.h"
#include "daemon/http.h"
#include "daemon/landlock.h"
#include "daemon/notify.h"
#include "daemon/privileges.h"
#include "daemon/rates.h"
#include "daemon/samples.h"
#include "daemon/replies.h"
#include "daemon/selftest.h"
#include "daemon/topics.h"
#include "plane/events.h"
#include "daemon/trial.h"
#include "plane/hits.h"

#define MOAT_DEFAULT_CONFIG "/etc/moat/moat.yaml"

#define EXIT_OK	    0
#define EXIT_CONFIG 1
#define EXIT_SYSTEM 2

#define POLL_MS	     40 /* between looks at the database that nothing asked for */
#define SETTLE_MS    2	/* after a write was noticed: its commit may be a moment behind */
#define PRUNE_MS     5000
#define BUILTIN_ROOM 256 /* entries of the maps for the never-block set, beyond capacity */

struct moatd {
	struct daemon daemon;
	struct http *http;
	struct apply *apply;
	int signals;
	int pins_lock;
	int store_fd; /* watched for writes by others, -1 */
	int store_watch;
	int settle;    /* timer: look again, a commit may be a moment behind */
	int more;      /* timer: go on with the change log */
	bool attached; /* ifaces_attach_all() was called */
};

static void usage(FILE *out)
{
	fputs("Usage: moatd [-c FILE] [-n | -p] [-v] [-V] [-h]\n"
	      "Keeps traffic from known abusive sources out of this host, in XDP.\n"
	      "\n"
	      "  -c, --config FILE  configuration (" MOAT_DEFAULT_CONFIG ")\n"
	      "  -n, --check        check the configuration and exit: 0 good, 1 not\n"
	      "  -p, --prepare      as root: hand the pins over to 'user', and exit\n"
	      "  -v, --verbose      say more\n"
	      "  -V, --version      print the version\n"
	      "  -h, --help         print this\n"
	      "\n"
	      "Runs in the foreground. SIGHUP reloads the configuration, SIGUSR1 opens the log\n"
	      "of events anew; SIGTERM stops and leaves the filter in force ('moatctl detach'\n"
	      "takes it off an interface).\n"
	      "Exit: 0 done, 1 configuration, 2 system (says what is missing).\n",
	      out);
}

/* ---- the database ---- */

static void moatd_watch_store(struct moatd *m);

static int moatd_lock_pins(struct moatd *m, const char *pins, struct problem *why);

/* Makes the pins, also those that somebody removed meanwhile. */
static void moatd_pin(struct moatd *m)
{
	struct daemon *d = &m->daemon;
	struct problem why = {};
	struct stat locked, now;
	int r = tables_pin(d->tables, &why);

	/* A directory that was removed and made again took the lock with it. */
	if (!r && !stat(d->config->pins, &now) &&
	    (fstat(m->pins_lock, &locked) < 0 || locked.st_ino != now.st_ino)) {
		base_closep(&m->pins_lock);
		m->pins_lock = -1;
		r = moatd_lock_pins(m, d->config->pins, &why);
	}
	if (r < 0 && strcmp(why.text, d->pins_problem) != 0)
		log_error("%s; the filter would not survive moatd", why.text);
	snprintf(d->pins_problem, sizeof(d->pins_problem), "%s", r < 0 ? why.text : "");
}

/*
 * What filters by these maps already gets the programs of this moatd before
 * the first write: the sieve of the one before is out of force by now, and
 * until then every packet is looked up in the hash maps.
 */
static void moatd_take_over(struct moatd *m)
{
	struct daemon *d = &m->daemon;

	if (tables_adopted(d->tables, MOAT_IPV4) && tables_adopted(d->tables, MOAT_IPV6))
		ifaces_attach_pinned(d->ifaces);
}

/* The interfaces wait until the maps were filled once, unless they were in force already. */
static void moatd_attach(struct moatd *m)
{
	struct daemon *d = &m->daemon;

	if (m->attached)
		return;
	m->attached = true;
	ifaces_attach_all(d->ifaces);
	moatd_pin(m);
	selftest_run(d);
	notify_send("STATUS=filtering");
}

static void moatd_follow(struct moatd *m)
{
	struct daemon *d = &m->daemon;
	struct problem why = {};
	ssize_t r = sync_follow_batch(d->sync, &why);

	moatd_watch_store(m);
	if (r == SYNC_CHANGES) /* more waits, but others have their turn first */
		loop_timer_set(d->loop, m->more, 0);
	if (r >= 0)
		moatd_attach(m);
}

static void moatd_more(void *arg)
{
	struct moatd *m = arg;

	if (m->attached)
		moatd_follow(m);
}

/* Something was written, or time has passed: expiry, another try of what failed. */
static void moatd_poll(void *arg)
{
	struct moatd *m = arg;
	struct sync *sync = m->daemon.sync;
	struct store *store = sync_store(sync);
	int64_t next = sync_next(sync);
	struct sync_numbers n;
	bool due = next && next <= time(NULL);

	if (!due && ((store && store_poll(store) != 0) || !m->attached)) {
		sync_numbers(sync, &n);
		due = n.started && !*n.problem; /* else sync_next() says when */
	}
	if (due)
		moatd_follow(m);
}

static void moatd_written(void *arg, uint32_t events)
{
	struct moatd *m = arg;
	struct store *store = sync_store(m->daemon.sync);

	(void)events;
	if (!store)
		return;
	store_wait_clear(store);
	moatd_poll(m);
	loop_timer_set(m->daemon.loop, m->settle, SETTLE_MS);
}

static void moatd_watch_store(struct moatd *m)
{
	struct store *store = sync_store(m->daemon.sync);
	int fd = store ? store_wait_fd(store) : -1;

	if (fd == m->store_fd)
		return;
	loop_unwatch(m->daemon.loop, m->store_watch);
	m->store_watch = 0;
	m->store_fd = fd;
	if (fd >= 0)
		m->store_watch = loop_watch(m->daemon.loop, fd, EPOLLIN, moatd_written, m);
}

/* ---- other timers, signals ---- */

static void moatd_selftest(void *arg)
{
	struct moatd *m = arg;

	if (!m->attached)
		return;
	moatd_pin(m);
	selftest_run(&m->daemon);
}

static void moatd_prune(void *arg)
{
	struct moatd *m = arg;

	sync_prune(m->daemon.sync);
}

static void moatd_watchdog(void *arg)
{
	(void)arg;
	notify_send("WATCHDOG=1");
}

static void moatd_signal(void *arg, uint32_t events)
{
	struct moatd *m = arg;
	struct signalfd_siginfo info;
	struct problem why = {};

	(void)events;
	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			if (!daemon_reload(&m->daemon, &why))
				moatd_selftest(m);
			http_reload(m->http);
			continue;
		}
		if (info.ssi_signo == SIGUSR1) {
			events_reopen(m->daemon.events);
			continue;
		}
		log_notice("stopping; the filter stays in force");
		notify_send("STOPPING=1\nSTATUS=stopped; the filter stays in force");
		loop_stop(m->daemon.loop);
	}
}

static int moatd_signals(struct moatd *m)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? -errno : 0;
}

/* ---- start ---- */

/* In kB of /proc/meminfo, proc(5). */
static uint64_t memory_available(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kb = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
			return kb * 1024;
	return UINT64_MAX;
}

/* The sieve is not counted: what does not fit beside the rest is done without. */
static int moatd_check_memory(const struct config *config, struct problem *why)
{
	uint64_t need = tables_memory(config->capacity) +
			tables_flows_memory(config->replies ? config->flows : 0) +
			tables_hits_memory(config->hits) + tables_events_memory();
	uint64_t have = memory_available();

	if (need <= have)
		return 0;
	return problem_set(why, -ENOMEM,
			   "capacity of %u IPv4 and %u IPv6 sources%s needs %llu MB of kernel memory, "
			   "%llu MB are available: lower capacity%s",
			   config->capacity[MOAT_IPV4], config->capacity[MOAT_IPV6],
			   config->replies ? " and flows" : "", (unsigned long long)need >> 20,
			   (unsigned long long)have >> 20, config->replies ? " or flows" : "");
}

/* Two daemons on the same maps would undo each other. */
static int moatd_lock_pins(struct moatd *m, const char *pins, struct problem *why)
{
	m->pins_lock = open(pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->pins_lock < 0)
		return problem_set(why, -errno, "pins '%s': %s", pins, strerror(errno));
	if (flock(m->pins_lock, LOCK_EX | LOCK_NB) < 0)
		return problem_set(why, -EBUSY,
				   "pins '%s': another moatd runs on them; stop it, or give this one "
				   "other pins",
				   pins);
	return 0;
}

static int moatd_open_tables(struct moatd *m, size_t nevers, struct problem *why)
{
	struct daemon *d = &m->daemon;
	size_t builtin = (nevers / BUILTIN_ROOM + 1) * BUILTIN_ROOM;
	uint32_t capacity[2] = { d->config->capacity[MOAT_IPV4] + (uint32_t)builtin,
				 d->config->capacity[MOAT_IPV6] + (uint32_t)builtin };
	int r;

	why->text[0] = '\0';
	r = tables_open(d->config->pins, capacity, &d->tables, why);
	if (!r && *why->text)
		log_warning("%s", why->text);
	r = r ?: moatd_lock_pins(m, d->config->pins, why);
	if (r)
		return r;
	if (tables_set_sieve(d->tables, d->config->sieve, memory_available(), why))
		log_warning("%s; lookups go by the hash maps alone, slower", why->text);
	return 0;
}

/*
 * Expiry and pause are written by the boot clock and compared by the kernel,
 * which knows no time namespaces; time_namespaces(7).
 */
static int moatd_check_clock(struct problem *why)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/timens_offsets", "re");
	long long seconds, nanoseconds;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "boottime %lld %lld", &seconds, &nanoseconds) == 2 &&
		    (seconds || nanoseconds))
			return problem_set(why, -ENOTSUP,
					   "moatd runs in a time namespace: its boot clock is not the "
					   "kernel's, so listings would end at the wrong time; start it "
					   "outside");
	return 0;
}

static void log_lack(void *arg, const char *what, const char *without)
{
	const struct utsname *name = arg;

	(void)what;
	log_notice("kernel %s: %s", name->release, without);
}

/* Once, at start: what an older kernel is done without. */
static void moatd_log_kernel(void)
{
	struct utsname name = {};

	uname(&name);
	program_lacks(log_lack, &name);
	if (!landlock_version())
		log_notice("kernel %s: no Landlock (Linux 5.13, or left out of lsm=): who fetches "
			   "feeds may read all that its account may",
			   name.release);
}

static void moatd_tell_rates(void *arg, const struct text *live)
{
	const struct moatd *m = arg;

	topics_publish(m->daemon.topics, TOPIC_RATES, live->data, live->size);
}

/* Before programs are loaded, which are given the rings. Without them all else works. */
static void moatd_start_events(struct moatd *m)
{
	struct daemon *d = &m->daemon;
	struct problem why = {};

	if (!events_new(d, &d->events, &why))
		return;
	log_warning("%s; packets cannot be watched", why.text);
	snprintf(d->events_problem, sizeof(d->events_problem), "%s", why.text);
}

static int moatd_start(struct moatd *m, struct problem *why)
{
	_cleanup_(never_block_free) struct never_block never = {};
	struct daemon *d = &m->daemon;
	int r;

	program_init_log();
	moatd_log_kernel();
	r = moatd_signals(m);
	r = r ?: loop_new(&d->loop);
	if (r < 0)
		return problem_set(why, r, "cannot start: %s", strerror(-r));
	r = daemon_never_begin(d, &never, why);
	r = r ?: moatd_open_tables(m, never.count, why);
	if (!r) {
		replies_apply(d);
		hits_apply(d);
	}
	if (!r)
		moatd_start_events(m);
	r = r ?: program_load_probe(d->tables, &d->probe, why);
	r = r ?: sync_new(d->config, never.prefix, never.count, d->tables, &d->sync, why);
	r = r ?: ifaces_new(d->config, d->tables, d->loop, &d->ifaces, why);
	if (!r && trials_new(d, &d->trials))
		r = problem_set(why, -ENOMEM, "interfaces: out of memory");
	if (!r && samples_new(d, &d->samples))
		r = problem_set(why, -ENOMEM, "samples: out of memory");
	if (!r && (rates_new(d, &d->rates) || rates_start(d->rates)))
		r = problem_set(why, -ENOMEM, "rates: out of memory");
	if (!r && feeds_run_new(d, &d->feeds))
		r = problem_set(why, -ENOMEM, "feeds: out of memory");
	if (!r && topics_new(&d->topics))
		r = problem_set(why, -ENOMEM, "topics: out of memory");
	if (!r)
		rates_on_look(d->rates, moatd_tell_rates, m);
	if (!r && audit_chain_new(d, &d->audit))
		r = problem_set(why, -ENOMEM, "audit: out of memory");
	if (!r && apply_begin(m->apply, d))
		r = problem_set(why, -ENOMEM, "configuration: out of memory");
	if (!r)
		events_reload(d->events);
	return r ?: http_new(d, &m->http, why);
}

static int moatd_timers(struct moatd *m)
{
	struct loop *loop = m->daemon.loop;
	int64_t watchdog = notify_watchdog_ms();
	int ids[] = {
		loop_watch(loop, m->signals, EPOLLIN, moatd_signal, m),
		loop_timer(loop, POLL_MS, POLL_MS, moatd_poll, m),
		loop_timer(loop, SELFTEST_PERIOD_MS, SELFTEST_PERIOD_MS, moatd_selftest, m),
		loop_timer(loop, PRUNE_MS, PRUNE_MS, moatd_prune, m),
		watchdog ? loop_timer(loop, watchdog, watchdog, moatd_watchdog, m) : 0,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i] < 0)
			return ids[i];
	m->settle = loop_timer(loop, SETTLE_MS, 0, moatd_poll, m);
	m->more = loop_timer(loop, 0, 0, moatd_more, m);
	return m->settle < 0 ? m->settle : m->more < 0 ? m->more : 0;
}

static int moatd_run(struct moatd *m, struct problem *why)
{
	struct daemon *d = &m->daemon;
	int r = moatd_timers(m);

	if (r < 0)
		return problem_set(why, r, "cannot start: %s", strerror(-r));
	moatd_take_over(m);
	notify_send("STATUS=reading the database");
	moatd_follow(m);
	if (tables_adopted(d->tables, MOAT_IPV4) && tables_adopted(d->tables, MOAT_IPV6))
		moatd_attach(m); /* in force already, whatever the database says */
	log_notice("moatd %s: ready", MOAT_VERSION);
	notify_send(m->attached ? "READY=1" : "READY=1\nSTATUS=not filtering yet: no database");
	r = loop_run(d->loop);
	return r < 0 ? problem_set(why, r, "event loop: %s", strerror(-r)) : 0;
}

static void moatd_stop(struct moatd *m)
{
	struct daemon *d = &m->daemon;

	daemon_never_end(d);
	d->feeds = feeds_run_free(d->feeds); /* answers who waits for a list */
	d->audit = audit_chain_free(d->audit);
	m->http = http_free(m->http);
	m->apply = apply_free(m->apply);
	d->rates = rates_free(d->rates);
	d->events = events_free(d->events);
	d->topics = topics_free(d->topics);
	d->samples = samples_free(d->samples);
	d->trials = trials_free(d->trials);
	d->ifaces = ifaces_free(d->ifaces);
	d->sync = sync_free(d->sync);
	d->probe = program_free(d->probe);
	d->tables = tables_free(d->tables);
	d->loop = loop_free(d->loop);
	d->config = config_free(d->config);
	if (m->signals >= 0)
		close(m->signals);
	if (m->pins_lock >= 0)
		close(m->pins_lock);
}

enum task { TASK_RUN, TASK_CHECK, TASK_PREPARE };

static int moatd_main(const char *config_path, enum task task)
{
	struct moatd m = { .signals = -1, .pins_lock = -1, .store_fd = -1 };
	struct problem why = {};
	int r;

	m.daemon.config_path = config_path;
	m.daemon.started = time(NULL);
	r = config_load(config_path, &m.daemon.config, &why);
	if (r < 0) {
		log_error("%s", why.text);
		return EXIT_CONFIG;
	}
	if (task != TASK_RUN) {
		r = task == TASK_PREPARE ? privileges_prepare(m.daemon.config, &why) : 0;
		if (r < 0)
			log_error("%s", why.text);
		else if (task == TASK_CHECK)
			printf("%s: good\n", config_path);
		config_free(m.daemon.config);
		return r < 0 ? EXIT_SYSTEM : EXIT_OK;
	}
	r = moatd_check_clock(&why);
	r = r ?: privileges_become(m.daemon.config, &why);
	/* What waits lies where that user may write: root takes no word of it. */
	r = r ?: apply_new(config_path, &m.daemon.config, &m.apply, &why);
	r = r ?: moatd_check_memory(m.daemon.config, &why);
	r = r ?: moatd_start(&m, &why);
	r = r ?: privileges_drop(&why);
	r = r ?: moatd_run(&m, &why);
	if (r < 0)
		log_error("%s", why.text);
	moatd_stop(&m);
	return r < 0 ? EXIT_SYSTEM : EXIT_OK;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'n' },
		{ "prepare", no_argument, NULL, 'p' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	const char *config_path = MOAT_DEFAULT_CONFIG;
	enum task task = TASK_RUN;
	int option;

	if (feeder_is_child(argc, argv))
		feeder_child_main();
	while ((option = getopt_long(argc, argv, "c:npvVh", options, NULL)) >= 0) {
		switch (option) {
		case 'c':
			config_path = optarg;
			break;
		case 'n':
			task = TASK_CHECK;
			break;
		case 'p':
			task = TASK_PREPARE;
			break;
		case 'v':
			log_set_level(LOG_DEBUG);
			break;
		case 'V':
			puts("moatd " MOAT_VERSION);
			return EXIT_OK;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "moatd: unexpected '%s'\n", argv[optind]);
		usage(stderr);
		return EXIT_CONFIG;
	}
	return moatd_main(config_path, task);
}
