/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs: loaded once for each interface on the shared maps, attached by
 * a pinned link, updated in place; and a probe instance that no packet of the
 * wire reaches, for the self-test and explain.
 *
 * Pins: DIR/if/IFACE/{link or chained,iface,stats} ('.' and '%' of the name as %2e, %25).
 * The tc programs are attached by clsact (netlink), which outlives the daemon.
 */
#ifndef PLANE_PROGRAM_H
#define PLANE_PROGRAM_H

#include "core/config.h"
#include "core/problem.h"
#include "moat/reason.h"
#include "moat/sample.h"
#include "moat/stats.h"
#include "plane/tables.h"

struct program;

/* Bytes of the longest frame program_probe() runs, with the metadata before it. */
#define PROGRAM_FRAME_MAX (32 * 1024)

/* What the kernel lacks, found by probing once; each with a text for status. */
struct features {
	bool batch;    /* map batch operations */
	bool frags;    /* multi-buffer XDP */
	bool test_run; /* BPF_PROG_TEST_RUN for XDP */
	bool metadata; /* and it shows metadata; without, outcome.mark comes from the policy */
};
const struct features *program_features(void);

/* Calls fn for each that is lacking: a word, and a text for people. Returns how many. */
size_t program_lacks(void (*fn)(void *arg, const char *what, const char *without), void *arg);

/* Sends libbpf's messages to the log, one level down. Call once. */
void program_init_log(void);

enum attach_mode { ATTACH_NONE, ATTACH_NATIVE, ATTACH_GENERIC };

/* Characters of what stands before and behind in a chain of programs. */
#define CHAIN_PLACE 160

struct attachment {
	enum attach_mode mode;
	bool fallback; /* generic because native was refused */
	uint32_t ifindex;
	uint32_t program;	 /* kernel id */
	bool tc;		 /* the tc program of ingress is in place */
	bool replies;		 /* that of egress is: flows opened here are noted */
	char chain[CHAIN_PLACE]; /* who is before and behind under libxdp's dispatcher; empty: own link */
};

/*
 * Loads the object for an interface (dir/if/NAME), adopting its pinned iface
 * and stats maps. Attaches nothing.
 */
int program_load(const struct tables *t, const char *dir, const char *iface, struct program **ret,
		 struct problem *why);

/* The probe instance: own iface and stats maps, no pins, no interface. */
int program_load_probe(const struct tables *t, struct program **ret, struct problem *why);

struct program *program_free(struct program *p); /* pins and attachments stay */
DEFINE_CLEANUP(struct program, program_free)

/* Written before attach, and any time after. */
void program_set_iface(struct program *p, bool enforce, uint64_t drop_reasons);
/*
 * Whether answers to what was opened here pass. In force at once in the XDP
 * program; the egress program comes and goes with program_attach().
 */
void program_set_replies(struct program *p, bool pass);
void program_get_iface(const struct program *p, struct moat_iface *ret);

/*
 * Attaches, or updates the pinned link in place so that no packet goes
 * unfiltered; then the tc programs. Pins link and maps. Call it again when
 * program_check() says -ENOLINK, or to change the mode.
 *   -ENODEV no such interface (yet), -EEXIST a foreign XDP program is there
 *   (why names it; it is left alone), or the pinned link filters another
 *   interface, -EPERM, ...
 * With return 0 why is empty, or says what is not as wished: generic because
 * native was refused, a change of mode that could not be had without a gap,
 * marks that will not be set, replies that will not pass. With auto, what is attached keeps its mode.
 */
int program_attach(struct program *p, enum config_mode mode, struct problem *why);

/*
 * On trial: program_attach() does not pin the link that it makes, so that the
 * filter ends with the process. Without trial again, the next call pins it.
 */
void program_set_trial(struct program *p, bool trial);

/*
 * Beside other programs, under libxdp's dispatcher (plane/chain.h), with this
 * priority; 0, as at first: alone, by an own link. Takes effect with
 * program_attach(). Chained programs set no marks, and cannot be on trial.
 * A filter that is in force by an own link, and cannot be chained, keeps it.
 * A program that takes over is attached before the old one is detached: what
 * passes both in between is counted by both, and nothing goes unfiltered.
 */
void program_set_chain(struct program *p, uint32_t priority);

/* What the kernel says now, not what we believe: -ENOLINK if the attachment or a pin is gone. */
int program_check(const struct program *p, struct attachment *ret, struct problem *why);

/* Detaches from an interface by its pins; needs no loaded program. 0, -ENOENT not attached. */
int program_detach(const char *dir, const char *iface, struct problem *why);

/* Names of interfaces that have pins in dir. fn returns non-zero to stop. */
int program_each_pinned(const char *dir, int (*fn)(void *arg, const char *iface), void *arg);

/* All cells, summed over CPUs: ret has MOAT_CELLS entries. */
int program_stats(const struct program *p, struct moat_stats *ret);

/*
 * Samples of the packets that passed since the last call; chance is that of a
 * packet to become one (moat/sample.h), 0: none do. A sample is handed out by
 * the second call after it was taken: what the program wrote before a look is
 * whole at the next one, on every kind of CPU.
 */
void program_set_sampling(struct program *p, uint32_t chance);
uint32_t program_sampling(const struct program *p);
/* The same of packets that are dropped: one in 2^(n-1) becomes a sample; 0: none does. */
void program_set_drop_sampling(struct program *p, uint8_t n);
uint8_t program_drop_sampling(const struct program *p);
typedef void (*program_sample_fn)(void *arg, const struct moat_sample *sample);
/* *ret_missed: packets ever that passed and found a ring full. Returns how many were handed out. */
size_t program_samples(struct program *p, program_sample_fn fn, void *arg, uint64_t *ret_missed);

/*
 * Runs the probe instance on a frame (BPF_PROG_TEST_RUN) on the shared maps;
 * the frame, *size bytes in a buffer of room, may come back changed. What
 * counted it tells verdict, reason, family and category. A source under limit
 * pays for the packet as for one from the wire.
 *   -EINVAL the frame is shorter than an Ethernet header, or too long
 */
struct outcome {
	uint32_t xdp; /* XDP_* */
	enum moat_verdict verdict;
	enum moat_reason reason;
	enum moat_family family;
	uint8_t category;
	uint32_t mark; /* of the tag left in metadata, 0 without */
};
int program_probe(struct program *probe, void *frame, uint32_t *size, uint32_t room,
		  struct outcome *ret, struct problem *why);

/*
 * Whether two programs are the same instructions (the kernel's tag). True also
 * where the kernel does not let us see the other one (that takes
 * CAP_SYS_ADMIN); program_check() compares ids without it.
 */
bool program_same(const struct program *a, uint32_t program_id);

#endif
