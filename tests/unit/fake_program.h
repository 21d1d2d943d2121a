/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and interfaces that are not there, with the symbols of
 * plane/program.h, for tests of what attaches and probes them.
 *
 * The probe judges packets by the maps of fake_tables.h.
 */
#ifndef TESTS_FAKE_PROGRAM_H
#define TESTS_FAKE_PROGRAM_H

#include "plane/program.h"
#include "tests/unit/fake_tables.h"

#define FAKE_INTERFACES 8

/* An interface of the machine; pinned outlives it and the daemon. */
struct fake_interface {
	char name[16];
	bool exists;
	bool foreign; /* has the program of somebody else */
	uint32_t on;  /* id of our program on it, 0: none */
	bool pinned;
	bool no_native; /* the driver refuses native mode */
	bool no_tc;
	bool no_egress; /* no tc program can be had there */
	bool noting;	/* the egress program is on it */
	enum attach_mode mode;
	struct moat_iface settings; /* pinned */
};

struct fake_machine {
	struct fake_interface interface[FAKE_INTERFACES];
	uint32_t last_id;		  /* of programs */
	unsigned int attaches;		  /* calls of program_attach() */
	unsigned int loaded;		  /* programs that are not freed */
	int load_error;			  /* program_load() fails with it */
	int64_t boot_ns;		  /* for the probe */
	const struct moat_sample *sample; /* what program_samples() hands out next */
	size_t samples;
	uint64_t missed;
	bool probe_is_wrong; /* the probe passes everything */
};

extern struct fake_machine fake_machine;

/* By name; made if it is not known. */
struct fake_interface *fake_interface(const char *name);

#endif
