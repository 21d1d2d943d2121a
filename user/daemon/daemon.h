/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatd as a whole: what main() owns and the API acts on. One thread.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "core/config.h"
#include "core/problem.h"
#include "daemon/discover.h"
#include "daemon/ifaces.h"
#include "daemon/loop.h"
#include "daemon/sync.h"
#include "moat/hits.h"
#include "plane/tables.h"

struct audit_chain;
struct apply;
struct discover_watch;
struct events;
struct feeds_run;
struct rates;
struct http;
struct http_streams;
struct samples;
struct trials;
struct topics;

/* What became of reports of abuse. */
enum reports_result { REPORTS_ACCEPTED, REPORTS_REFUSED, REPORTS_EXPIRED, REPORTS_RESULTS };

struct daemon {
	const char *config_path;
	struct config *config;
	struct loop *loop;
	struct tables *tables;
	struct sync *sync;
	struct ifaces *ifaces;
	struct feeds_run *feeds;      /* NULL: not there yet, or not any more */
	struct audit_chain *audit;    /* likewise */
	struct samples *samples;      /* likewise */
	struct events *events;	      /* likewise */
	struct topics *topics;	      /* likewise */
	struct http_streams *streams; /* of the HTTP server; NULL: there is none */
	struct trials *trials;	      /* likewise */
	struct apply *apply;	      /* likewise; owned by who started it */
	struct rates *rates;	      /* likewise */
	struct http *http;	      /* likewise; not owned */
	struct program *probe;	      /* never on the wire */
	int64_t started;	      /* unix seconds */
	uint64_t reports[REPORTS_RESULTS];
	struct discover_watch *never;	 /* NULL: nothing is watched */
	struct never_counts never_block; /* what is in force */
	bool selftest_ok;
	char selftest_problem[PROBLEM_MAX];
	char pins_problem[PROBLEM_MAX];	 /* the filter would not survive moatd; empty: it would */
	char never_problem[PROBLEM_MAX]; /* what was found is not in force; empty: it is */
	char replies_problem[PROBLEM_MAX]; /* why answers do not pass although they should; or empty */
	char hits_problem[PROBLEM_MAX];	  /* why no hits are noted although they should; or empty */
	char tokens_problem[PROBLEM_MAX]; /* why the tokens file is not in force; or empty */
	char tls_problem[PROBLEM_MAX]; /* why the certificate is not the configured one; or empty */
	char clear_problem[PROBLEM_MAX];  /* who may listen to what TCP tells; or empty */
	char events_problem[PROBLEM_MAX]; /* why there are no events; empty: there are */
	char reload_problem[PROBLEM_MAX]; /* of the last SIGHUP; empty: none */
};

/* SIGHUP: the whole file valid and in force, or nothing changes. */
int daemon_reload(struct daemon *d, struct problem *why);

/* Puts a checked configuration in force, which is taken over, or frees it and changes nothing. */
int daemon_use(struct daemon *d, struct config *next, struct problem *why);

/* Writes what was done into the log and the audit log; an action does not wait for the database. */
void daemon_audit(struct daemon *d, const struct actor *actor, const char *verb,
		  const char *detail);

/* Every packet passes, for seconds or (0) until resumed; returns by itself, also if moatd is dead. */
int daemon_pause(struct daemon *d, const struct actor *actor, int64_t seconds, struct problem *why);
int daemon_resume(struct daemon *d, const struct actor *actor, struct problem *why);
/* Seconds left, 0 not paused, -1 until resumed. */
int64_t daemon_paused(const struct daemon *d);

/* Something is wrong now and what to do about it; calls fn, if any, for each. Returns how many. */
size_t daemon_degraded(struct daemon *d,
		       void (*fn)(void *arg, const char *what, const char *why,
				  const char *what_to_do),
		       void *arg);

/* What an address gets and why. Texts of listings go to fn. */
struct explain_query {
	struct prefix address; /* a host */
	uint8_t protocol;      /* IP protocol number */
	int port;	       /* destination port or ICMP type; -1: none given */
	const char *iface;     /* NULL: as an interface that enforces */
};

struct explanation {
	bool listed;			 /* the model has a live key for it */
	struct prefix key;		 /* that decides */
	struct plan plan;		 /* of the key */
	bool in_kernel;			 /* the kernel holds the key */
	struct moat_source value;	 /* as the kernel holds it */
	uint64_t kernel_set;		 /* categories of the value's class */
	bool has_hit;			 /* in the kernel, and it was seen */
	struct moat_hit hit;		 /* then: how often, and when */
	struct outcome outcome;		 /* what the loaded program did with such a packet */
	enum moat_verdict model_verdict; /* what the model says it must do */
	enum moat_reason model_reason;
	uint8_t model_category;
	uint8_t shared;	     /* category whose tag takes the place of drop; 0: none */
	bool differ;	     /* model and kernel differ: a bug or a lost write */
	const char *refused; /* NULL, or why the key is not in the kernel */
	bool listings_lost;  /* the database did not give the listings, for this reason: */
	struct problem listings_problem;
};

int daemon_explain(struct daemon *d, const struct explain_query *query, store_listing_fn fn,
		   void *arg, struct explanation *ret, struct problem *why);

#endif
