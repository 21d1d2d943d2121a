# SPDX-License-Identifier: BSD-2-Clause
# moat: see "make help". Everything that is made goes under build/ (SAN=1: build/san/).
#
#: As any user:
#:   make               build/moatd and build/moatctl
#:   make check         unit tests, include rules, house rules, formatting, lint
#:   make fuzz          every fuzzer for FUZZ_SECONDS=300
#:   make format        clang-format the tree
#:   make man           the man pages, in build/man
#:   make dist deb rpm  a tarball, and packages made from it, in build/dist
#:   make clean
#: As root:
#:   sudo make demo     see it work between two network namespaces (KEEP=1 leaves it running)
#:   sudo make test     everything of "check", and the filter on this kernel; installs what is missing
#:   sudo make test-kernels  the filter on other kernels, in qemu (KERNELS="6.1 6.12" for some of them)
#:   sudo make bench    ns a packet, as CSV (BIG=1: 10,000,000 sources too)
#:   sudo make bench-wire   packets a second through a veth pair, against other filters
#:   sudo make bench-bars   both; fails if a bar is not met
#:   sudo make bench-plot   both, drawn as tools/bench/plot/*.svg (CSV="file ...": of these rows)
#:   sudo make bench-events what events cost a packet, and how many a second reach a reader
#:   sudo make bench-hits   what noting the hits of listed sources costs a packet
#:   sudo make bench-control  how fast the daemon brings listings into force (BIG=1: 10,000,000 too)
#:   sudo make verifier-record  notes what the programs cost the verifier, for the tests
#:   sudo make install  to PREFIX=/usr/local, under DESTDIR
#: Variables: V=1 shows commands, SAN=1 builds with ASan and UBSan in build/san, CC, CLANG, CFLAGS.

VERSION := 0.1.0

CC	  ?= gcc
CLANG	  ?= clang
BPFTOOL	  ?= bpftool
PREFIX	  ?= /usr/local
BUILD	  := build$(if $(SAN),/san)

ifeq ($(origin CC),default)
CC := gcc
endif
ifndef V
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)';
endif

WARN   := -Wall -Wextra -Werror -Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
	  -Wwrite-strings -Wvla -Wno-format-nonliteral
comma  := ,
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS ?= -O2 -g
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DMOAT_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) $(SANITIZE) \
	     -Iinclude -Iuser -I$(BUILD) -MMD -MP $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANITIZE) $(LDFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu17 -O2 -g -Wall -Wextra -Werror -I. -Iinclude -Ivmlinux

LIBS_core  := -lyaml -lz -lzstd -lm
LIBS_store := -lsqlite3 -lcrypto
LIBS_plane := -lxdp -lbpf -lelf -lz
LIBS_daemon := -lmicrohttpd -lgnutls -lcrypto -ljansson -lcurl -lseccomp -lcap-ng -lmaxminddb
LIBS_cli   := -lcurl -lcrypto -ljansson -lncursesw -ltinfo

layer_objects = $(patsubst user/%.c,$(BUILD)/%.o,$(sort $(wildcard user/$(1)/*.c)))
CORE   := $(call layer_objects,core)
STORE  := $(call layer_objects,store)
PLANE  := $(call layer_objects,plane)
DAEMON := $(filter-out %/moatd.o,$(call layer_objects,daemon))
CLI    := $(filter-out %/moatctl.o,$(call layer_objects,cli))

# A unit test links only what it tests: its layer and those below.
UNIT   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
PROG   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/prog/test_*.c)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(BUILD)/moatd $(BUILD)/moatctl

$(BUILD)/moatd: $(BUILD)/daemon/moatd.o $(DAEMON) $(PLANE) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_daemon) $(LIBS_plane) $(LIBS_store) $(LIBS_core)

$(BUILD)/moatctl: $(BUILD)/cli/moatctl.o $(CLI) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_cli) $(LIBS_core)

$(BUILD)/%.o: user/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -I. -c -o $@ $<

# The packet generator of the wire tests and the demo.
$(BUILD)/traffic: tools/traffic.c tools/traffic_frame.c tools/traffic_wire.c tools/traffic_frame.h tools/traffic_wire.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) -lpcap

# It holds the document.
$(BUILD)/daemon/api_openapi.o $(BUILD)/fuzz/daemon/api_openapi.o: user/daemon/openapi.json

# ---- the kernel side ----

$(BUILD)/moat.bpf.o: bpf/moat.bpf.c vmlinux/vmlinux.h
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/moat.skel.h: $(BUILD)/moat.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name moat > $@

$(PLANE): | $(BUILD)/moat.skel.h
$(BUILD)/plane/object.o: $(BUILD)/moat.skel.h

# ---- the dashboard, part of the program ----

WEB := $(filter-out %/LICENSE %/ORIGIN,$(sort $(shell find user/web -type f)))
$(BUILD)/daemon/web_files.h: $(WEB) tools/web-files
	@mkdir -p $(@D)
	$(call say,WEB,$@)tools/web-files $(WEB) > $@
$(BUILD)/tidy/user/daemon/web.ok: | $(BUILD)/daemon/web_files.h
$(BUILD)/daemon/web.o $(BUILD)/fuzz/daemon/web.o: $(BUILD)/daemon/web_files.h

# ---- tests: tests/unit/test_LAYER_*.c, tests/prog/test_*.c ----

# The program's reader of the sieve, in user space.
SIEVE_TESTS := $(filter-out %_trie,$(filter $(BUILD)/tests/unit/test_core_sieve%,$(UNIT)))
$(SIEVE_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/tests/unit/sieve_lab.o $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) $(if $(findstring sieve_hosts,$@),$(call wraps,calloc)) -o $@ $^ -lcmocka $(LIBS_core)
$(BUILD)/tests/unit/test_core_%: $(BUILD)/tests/unit/test_core_%.o $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_core)
# The writer of prefixes is compiled into its test once more, which looks after every store.
$(BUILD)/tests/unit/test_core_sieve_trie: $(BUILD)/tests/unit/test_core_sieve_trie.o \
		$(filter-out $(patsubst %,$(BUILD)/core/sieve_%.o,trie stock prefixes),$(CORE))
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_core)
$(BUILD)/tests/unit/test_store_%: $(BUILD)/tests/unit/test_store_%.o $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_store) $(LIBS_core)
# The HTTP side over a fake daemon: the shorter stems win over test_daemon_% below.
HTTP_UNIT := $(addprefix $(BUILD)/tests/unit/,http_lab.o fake_daemon.o fake_apply.o fake_feeds.o fake_events.o) $(BUILD)/daemon/loop.o \
	     $(addprefix $(BUILD)/daemon/,metrics.o metrics_apply.o metrics_events.o metrics_feeds.o metrics_samples.o metrics_sieve.o metrics_store.o metrics_http.o feed_report.o labels.o protocols.o \
	     effect.o counters.o rates.o rates_json.o web.o) \
	     $(patsubst user/%.c,$(BUILD)/%.o,$(wildcard user/daemon/events*.c user/daemon/topics*.c)) \
	     $(patsubst user/%.c,$(BUILD)/%.o,$(wildcard user/daemon/http*.c user/daemon/api*.c user/daemon/audit*.c))
$(BUILD)/tests/unit/test_daemon_http: $(BUILD)/tests/unit/test_daemon_http.o $(HTTP_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_store) $(LIBS_core)
$(BUILD)/tests/unit/test_daemon_http_%: $(BUILD)/tests/unit/test_daemon_http_%.o $(HTTP_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_store) $(LIBS_core)
$(BUILD)/tests/unit/test_daemon_api_%: $(BUILD)/tests/unit/test_daemon_api_%.o $(HTTP_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_store) $(LIBS_core)
# What keeps the maps true, over maps and programs in memory, and (sync) by a clock of the test's.
INNER_UNIT := $(addprefix $(BUILD)/tests/unit/,fake_tables.o fake_program.o fake_no_feeds.o fake_no_events.o fake_apply.o) \
	      $(patsubst user/%.c,$(BUILD)/%.o,$(wildcard user/daemon/sync*.c)) \
	      $(patsubst user/%.c,$(BUILD)/%.o,$(wildcard user/daemon/discover*.c)) \
	      $(patsubst %,$(BUILD)/daemon/%.o,feeds refusals elsewhere replies hits selftest labels explain frame daemon \
	      daemon_never audit_chain audit_note ifaces samples loop notify)
SYNC_TESTS := $(filter $(patsubst %,$(BUILD)/tests/unit/test_daemon_%,sync sync_hold sync_full sync_trouble sync_random sync_quorum sync_region \
		sync_never sync_forged \
		explain),$(UNIT))
INNER_TESTS := $(filter $(patsubst %,$(BUILD)/tests/unit/test_daemon_%,ifaces samples refusals elsewhere loop discover watch),$(UNIT))
wraps = $(patsubst %,-Wl$(comma)--wrap=%,$(1))
$(SYNC_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(addprefix $(BUILD)/tests/unit/,sync_lab.o sync_check.o) \
		$(INNER_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) $(call wraps,time clock_gettime store_snapshot store_changes \
		store_refused_update store_refused_reset store_read_only) -o $@ $^ -lcmocka $(LIBS_store) $(LIBS_core)
$(INNER_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(INNER_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) $(if $(findstring discover,$@),$(call wraps,fopen getifaddrs freeifaddrs)) \
		-o $@ $^ -lcmocka $(LIBS_store) $(LIBS_core)
# The feeder's child is the test program itself, run again.
FEEDER_UNIT := $(addprefix $(BUILD)/tests/unit/,feeder_lab.o http_server.o) $(BUILD)/daemon/loop.o \
	       $(patsubst user/%.c,$(BUILD)/%.o,$(wildcard user/daemon/feeder*.c)) $(BUILD)/daemon/landlock.o
FEEDER_TESTS := $(filter $(BUILD)/tests/unit/test_daemon_feeder%,$(UNIT))
$(FEEDER_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(FEEDER_UNIT) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_core)
# The feeds over a fake feeder, which gives the lists that a test wrote, and a fake daemon.
FEEDS_UNIT := $(addprefix $(BUILD)/tests/unit/,fake_feeder.o fake_daemon.o) $(BUILD)/daemon/loop.o \
	      $(addprefix $(BUILD)/daemon/,feeds_run.o feeds_job.o feeds_asn.o feeds_hold.o feed_radius.o feed_guard.o feed_apply.o feed_rules.o feed_order.o feed_linger.o feed_overlap.o feed_set.o feed_report.o \
	      feed_schedule.o notify.o crowdsec.o crowdsec_table.o crowdsec_url.o crowdsec_usage.o crowdsec_report.o feeds.o)
FEEDS_TESTS := $(filter $(patsubst %,$(BUILD)/tests/unit/test_daemon_%,feeds_run feeds_hold feed_radius),$(UNIT))
$(FEEDS_TESTS): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(FEEDS_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_store) $(LIBS_core)
# The same against a LAPI of the test's: the feeder and its child are the real ones.
LAPI_UNIT := $(filter-out %/fake_feeder.o,$(FEEDS_UNIT)) $(filter-out %/loop.o %/feeder_lab.o,$(FEEDER_UNIT))
$(BUILD)/tests/unit/test_daemon_crowdsec_lapi: $(BUILD)/tests/unit/test_daemon_crowdsec_lapi.o $(LAPI_UNIT) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_store) $(LIBS_core)
# Another configuration, killed at every step of what is written.
APPLY_UNIT := $(patsubst %,$(BUILD)/daemon/%.o,apply apply_journal durable loop)
$(BUILD)/tests/unit/test_daemon_apply: $(BUILD)/tests/unit/test_daemon_apply.o $(APPLY_UNIT) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) $(call wraps,fsync rename unlink write) -o $@ $^ -lcmocka -ljansson $(LIBS_core)
$(BUILD)/tests/unit/test_daemon_feed_schedule: $(BUILD)/tests/unit/test_daemon_feed_schedule.o $(BUILD)/daemon/feed_schedule.o
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka
$(BUILD)/tests/unit/test_daemon_%: $(BUILD)/tests/unit/test_daemon_%.o $(DAEMON) $(PLANE) $(STORE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_plane) $(LIBS_store) $(LIBS_core)

PROG_SUPPORT := $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(sort $(filter-out $(wildcard tests/prog/test_*.c),$(wildcard tests/prog/*.c))))
$(PROG_SUPPORT) $(PROG:=.o): | $(BUILD)/moat.skel.h
$(BUILD)/tests/prog/test_%: $(BUILD)/tests/prog/test_%.o $(PROG_SUPPORT) $(PLANE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lpcap $(LIBS_plane) $(LIBS_core)

# What tests/prog/test_verifier.c compares with: after a change that is meant.
.PHONY: verifier-record
verifier-record: $(BUILD)/tests/prog/test_verifier
	$(call say,RECORD,tests/prog/verifier_bounds.h)VERIFIER_RECORD=tests/prog/verifier_bounds.h $<

# ---- tests: what else they need ----

$(BUILD)/tests/unit/test_cli_%: $(BUILD)/tests/unit/test_cli_%.o $(BUILD)/tests/unit/cli_lab.o $(CLI) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS_cli) $(LIBS_core)

# Programs that the wire tests call: one source, no layer of moat.
$(BUILD)/tests/e2e/%: $(BUILD)/tests/e2e/%.o
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lpcap

# Says in plain text why this machine cannot run the filter, if so.
$(BUILD)/tools/can-load: tools/can-load.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBS_plane)

# Fuzzers: tests/fuzz/fuzz_LAYER_*.c with libFuzzer, everything they link made by clang once more.
FUZZ	:= $(patsubst tests/%.c,$(BUILD)/fuzz/tests/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
# What clang alone warns of is not what fuzzers are for: gcc judges the same files.
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	      -Wno-missing-field-initializers -Wno-sign-compare
fuzz_objects = $(patsubst $(BUILD)/%,$(BUILD)/fuzz/%,$(1))

$(BUILD)/fuzz/%.o: user/%.c
	@mkdir -p $(@D)
	$(call say,CLANG,$<)$(CLANG) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -O1 $(FUZZ_FLAGS) -c -o $@ $<
$(BUILD)/fuzz/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CLANG,$<)$(CLANG) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -O1 $(FUZZ_FLAGS) -I. -Wno-missing-prototypes -c -o $@ $<
$(BUILD)/fuzz/tests/fuzz/fuzz_core_sieve: $(BUILD)/fuzz/tests/fuzz/fuzz_core_sieve.o $(BUILD)/fuzz/tests/unit/sieve_lab.o \
		$(call fuzz_objects,$(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_core)
$(BUILD)/fuzz/tests/fuzz/fuzz_core_%: $(BUILD)/fuzz/tests/fuzz/fuzz_core_%.o $(call fuzz_objects,$(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_core)
$(BUILD)/fuzz/tests/fuzz/fuzz_store_%: $(BUILD)/fuzz/tests/fuzz/fuzz_store_%.o $(call fuzz_objects,$(STORE) $(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_store) $(LIBS_core)
$(BUILD)/fuzz/tests/fuzz/fuzz_daemon_mmdb: $(BUILD)/fuzz/tests/fuzz/fuzz_daemon_mmdb.o \
		$(BUILD)/fuzz/daemon/feeder_mmdb.o $(call fuzz_objects,$(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_daemon) $(LIBS_core)
$(call fuzz_objects,$(PLANE)): | $(BUILD)/moat.skel.h
$(BUILD)/fuzz/tests/fuzz/fuzz_daemon_%: $(BUILD)/fuzz/tests/fuzz/fuzz_daemon_%.o \
		$(call fuzz_objects,$(DAEMON) $(PLANE) $(STORE) $(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) $(FUZZ_WRAPS) -fsanitize=fuzzer -o $@ $^ $(LIBS_daemon) $(LIBS_plane) \
		$(LIBS_store) $(LIBS_core)
# The child's part is played by the fuzzer.
$(BUILD)/fuzz/tests/fuzz/fuzz_daemon_feeder: FUZZ_WRAPS = $(call wraps,feeder_spawn kill waitpid)
# Over the fake daemon: no stem, so these rules win over the one above.
$(BUILD)/fuzz/tests/fuzz/fuzz_daemon_http: $(call fuzz_objects,$(BUILD)/tests/fuzz/fuzz_daemon_http.o $(HTTP_UNIT) $(STORE) $(CORE))
	$(call say,LINK,$@)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka $(LIBS_daemon) $(LIBS_store) $(LIBS_core)

# ---- checks that need no root ----

CLANG_FORMAT ?= clang-format
CLANG_TIDY   ?= clang-tidy
CODE	:= $(sort $(shell find bpf include user tests tools -path tests/golden -prune -o -name '*.[ch]' -print))
SCRIPTS := $(sort $(shell grep -rlE '^\#!/bin/(ba)?sh' --exclude-dir=golden --exclude-dir=data tools tests .ci 2>/dev/null))
TIDY	:= $(filter user/%.c tools/%.c,$(filter-out %.bpf.c,$(CODE)))

.PHONY: check-layers check-rules check-headers check-format check-tidy check-scripts format
check-layers:
	@tools/check-layers

check-rules:
	@tools/check-rules

# Every header compiles on its own, on its side or on both.
check-headers:
	@for h in $(filter include/%.h bpf/%.h,$(CODE)); do \
		echo "#include \"$${h#include/}\"" | $(CLANG) $(BPF_CFLAGS) -x c -fsyntax-only - || \
			{ echo "$$h: does not compile alone in BPF"; exit 1; }; done
	@for h in $(filter include/%.h user/%.h,$(CODE)); do \
		p=$${h#include/}; echo "#include \"$${p#user/}\"" | \
		$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -x c -fsyntax-only - || \
			{ echo "$$h: does not compile alone in user space"; exit 1; }; done

# Other versions format otherwise, so only the one the tree was formatted with judges.
CLANG_FORMAT_VERSION := 14
has_format = $(CLANG_FORMAT) --version 2>/dev/null | grep -q 'version $(CLANG_FORMAT_VERSION)\.'
check-format:
	@if $(has_format); then $(CLANG_FORMAT) --dry-run -Werror $(CODE); \
	else echo '# SKIP $(CLANG_FORMAT) $(CLANG_FORMAT_VERSION) is not installed'; fi

format:
	$(Q)$(has_format) && $(CLANG_FORMAT) -i $(CODE)

$(BUILD)/tidy/%.ok: %.c .clang-tidy | $(BUILD)/moat.skel.h
	@mkdir -p $(@D)
	$(call say,TIDY,$<)$(CLANG_TIDY) --quiet $< -- -x c $(filter-out -MMD -MP -Werror,$(ALL_CFLAGS)) \
		-I. 2>$@.log && touch $@

# ONLY=FOLDER/: of its files alone.
ifneq ($(shell command -v $(CLANG_TIDY) 2>/dev/null),)
check-tidy: $(patsubst %.c,$(BUILD)/tidy/%.ok,$(foreach f,$(TIDY),$(if $(filter $(or $(ONLY),$(dir $f)),$(dir $f)),$f)))
else
check-tidy:
	@echo '# SKIP $(CLANG_TIDY) is not installed'
endif

check-scripts:
	@if command -v shellcheck >/dev/null; then shellcheck -x -S warning $(SCRIPTS); \
	else echo '# SKIP shellcheck is not installed'; fi

# ---- what people run ----

self	:= $(MAKE) -s --no-print-directory
E2E	:= $(sort $(wildcard tests/e2e/test_*.sh))
# What takes long starts first, what measures time runs alone.
EARLY	:= $(foreach t,deb rpm feed_slow privileges web radius crowdsec fault_kill fault_lock,tests/e2e/test_$(t).sh) \
	   $(foreach t,feeds_run watch,$(foreach b,$(BUILD) $(BUILD)/san,$(b)/tests/unit/test_daemon_$(t)))
ALONE	:= tests/e2e/test_latency.sh tests/e2e/test_http_abuse.sh
tap	 = $(foreach t,$(1),$(if $(filter $(EARLY),$t),early:)$(if $(filter $(ALONE),$t),alone:)tap:$t)
E2E_TOOLS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/e2e/*.c)))
GOLDEN	:= $(sort $(wildcard tests/golden/test_*.sh))
CHECKS	:= $(foreach c,layers rules headers format scripts,"exit:$(self) check-$(c)") \
	   $(foreach d,$(sort $(dir $(TIDY))),"early:exit:$(self) check-tidy -k ONLY=$(d)") $(GOLDEN:%=tap:%)
# Once more where lookups go by the hash maps alone.
SIEVELESS := $(foreach t,differential verdicts bypasses plane plane_probe,\
	     "tap:env MOAT_SIEVE=0 MOAT_PAIRS=60000 $(BUILD)/tests/prog/test_$(t)")
SAN_UNIT := $(patsubst $(BUILD)/%,$(BUILD)/san/%,$(UNIT))
FUZZ_SECONDS ?= 10
FUZZ_RUNS = $(foreach f,$(FUZZ),"exit:tools/run-fuzz $(f) $(FUZZ_SECONDS)")
FUZZ_BESIDE = $(foreach f,$(FUZZ),"beside:exit:tools/run-fuzz $(f) $(FUZZ_SECONDS)")
TEST_LOGS := $(BUILD)/test-logs
export BUILD

# What root made in the build directory belongs to who called sudo.
give_back = if [ -n "$$SUDO_UID" ] && [ -d $(BUILD) ]; then chown -R "$$SUDO_UID:$$SUDO_GID" $(BUILD); fi
need_root = [ "$$(id -u)" = 0 ] || { echo '$@ makes network namespaces and loads BPF: run "sudo make $@"'; exit 1; }

.PHONY: unit san-unit prog e2e-tools fuzzers check test fuzz
unit: $(UNIT)
san-unit:
	@$(MAKE) --no-print-directory SAN=1 BUILD=$(BUILD)/san unit $(BUILD)/san/moatd
prog: $(PROG)
e2e-tools: all $(E2E_TOOLS) $(if $(wildcard tools/traffic.c),$(BUILD)/traffic)
fuzzers: $(FUZZ)

check: all unit $(if $(shell command -v scdoc),man)
	@tools/run-tests $(TEST_LOGS) $(CHECKS) $(call tap,$(UNIT))

# The recipe calls make again: what it needs may not be installed before its first line.
test:
	@$(need_root)
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$$(nproc) --output-sync=target) \
		all man unit san-unit prog e2e-tools fuzzers $(BUILD)/tools/can-load || \
		{ echo 'the build failed'; echo '0 passed, 1 failed'; exit 1; }
	@status=0; tools/run-tests $(TEST_LOGS) "tap:$(BUILD)/tools/can-load $(BUILD)/moat.bpf.o" $(CHECKS) \
		$(call tap,$(UNIT) $(PROG) $(E2E)) $(SIEVELESS) $(call tap,$(SAN_UNIT)) $(FUZZ_BESIDE) || status=$$?; \
	$(give_back); exit $$status

# What this kernel makes of the filter; runs in each guest of the matrix.
$(BUILD)/tools/kernels/about: $(BUILD)/tools/kernels/about.o $(PLANE) $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_plane) $(LIBS_core)
$(BUILD)/tools/kernels/%.o: tools/kernels/%.c | $(BUILD)/moat.skel.h
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

.PHONY: test-kernels
test-kernels:
	@$(need_root)
	@tools/install-deps build run test kernels
	@$(MAKE) --no-print-directory all prog $(BUILD)/traffic $(BUILD)/tools/kernels/about
	@status=0; tools/kernels/run.sh $(BUILD) || status=$$?; $(give_back); exit $$status

fuzz: FUZZ_SECONDS = 300
fuzz: fuzzers
	@TEST_DEADLINE=100000 tools/run-tests $(TEST_LOGS) $(FUZZ_RUNS)

# ---- benchmarks: the whole filter with another lookup, by the order of the include path ----

BENCH	:= $(BUILD)/tools/bench
BENCH_IMPL := hash lpm moat
BENCH_OBJECTS := $(BENCH)/empty.staged.bpf.o $(BENCH)/empty.timed.bpf.o $(BENCH_IMPL:%=$(BENCH)/%.staged.bpf.o) \
		 $(BENCH_IMPL:%=$(BENCH)/%.timed.bpf.o) $(BENCH_IMPL:%=$(BENCH)/%.bpf.o)
# The lookup's interface is given; a peer need not use all of its parameters.
BENCH_BPF = $(CLANG) -Itools/bench/$* $(BPF_CFLAGS) -Wno-unused-parameter -MMD -MP -c -o $@ $<

$(BENCH)/empty.staged.bpf.o: tools/bench/empty.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(BENCH_BPF)
$(BENCH)/%.staged.bpf.o: bpf/moat.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(subst -Itools,-Itools/bench/stage -Itools,$(BENCH_BPF))
$(BENCH)/empty.timed.bpf.o: tools/bench/empty_timed.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(BENCH_BPF)
$(BENCH)/%.timed.bpf.o: bpf/moat.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(subst -Itools,-Itools/bench/timed -Itools,$(BENCH_BPF))
$(BENCH)/%.bpf.o: bpf/moat.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(BENCH_BPF)
$(BENCH)/%.o: tools/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -I. -c -o $@ $<
$(BENCH)/parse: $(BENCH)/parse.o $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_core)
BENCH_FILTER := $(addprefix $(BENCH)/,filter.o filter_moat.o sources.o) $(PLANE) $(CORE)
$(BENCH)/lookup $(BENCH)/flood $(BENCH)/update $(BENCH)/hits $(BENCH)/events: $(BENCH)/%: $(BENCH)/%.o $(BENCH)/run.o $(BENCH_FILTER)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_plane) $(LIBS_core)

$(BENCH)/wire: $(addprefix $(BENCH)/,wire.o sender.o churn.o probe.o run.o) $(BENCH_FILTER)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_plane) $(LIBS_core)
$(BENCH)/sender.bpf.o: tools/bench/sender.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(BENCH_BPF)

$(BENCH)/verdicts: $(BENCH)/verdicts.o $(BENCH)/probe.o $(CORE)
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_plane) $(LIBS_core)
$(BENCH)/latency: $(BENCH)/latency.o $(BENCH)/probe.o $(BENCH)/sources.o
	$(call say,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_plane) $(LIBS_store)

# The filter without its hits, for what they cost.
$(BENCH)/hitless/moat.staged.bpf.o: bpf/moat.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) -Itools/bench/hitless -Itools/bench/stage $(BPF_CFLAGS) -Wno-unused-parameter -MMD -MP -c -o $@ $<

# The filter without its events, for what they cost.
$(BENCH)/eventless/moat.staged.bpf.o: bpf/moat.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) -Itools/bench/eventless -Itools/bench/stage $(BPF_CFLAGS) -Wno-unused-parameter -MMD -MP -c -o $@ $<

.PHONY: bench-events
bench-events:
	@{ $(need_root); } >&2
	@{ tools/install-deps build run && $(self) all $(BUILD)/traffic $(BENCH)/events $(BENCH)/moat.staged.bpf.o $(BENCH)/eventless/moat.staged.bpf.o; } >&2
	@status=0; { $(BENCH)/events $(BENCH) 1000 && tools/bench/events.sh; } || status=$$?; $(give_back); exit $$status

.PHONY: bench-hits
bench-hits:
	@{ $(need_root); } >&2
	@{ tools/install-deps build && $(self) $(BENCH)/hits $(BENCH)/moat.staged.bpf.o $(BENCH)/hitless/moat.staged.bpf.o; } >&2
	@status=0; $(BENCH)/hits $(BENCH) 1000 1000000 || status=$$?; $(give_back); exit $$status

.PHONY: bench bench-wire bench-bars bench-plot bench-control bench-tools
bench-tools: $(BENCH)/lookup $(BENCH)/flood $(BENCH)/update $(BENCH)/wire $(BENCH)/latency $(BENCH)/parse $(BENCH)/verdicts $(BENCH)/sender.bpf.o $(BENCH_OBJECTS)

# Standard output is CSV and nothing else.
bench:
	@{ $(need_root); } >&2
	@{ tools/install-deps build && $(self) bench-tools; } >&2
	@status=0; tools/bench/rows $(BENCH) bench || status=$$?; $(give_back); exit $$status

bench-wire:
	@{ $(need_root); } >&2
	@{ tools/install-deps build run bench && $(self) bench-tools; } >&2
	@status=0; tools/bench/rows $(BENCH) wire || status=$$?; $(give_back); exit $$status

# Both, and a bar that is not met is an error.
bench-bars:
	@BARS=1 $(self) bench >/dev/null && BARS=1 $(self) bench-wire >/dev/null

# Of both, or of the rows in CSV.
bench-plot:
	@$(if $(CSV),,$(self) bench >/dev/null && $(self) bench-wire >/dev/null)
	@tools/bench/plot/draw tools/bench/plot $(or $(CSV),$(BENCH)/bench.csv $(BENCH)/wire.csv)
	@if [ -n "$$SUDO_UID" ]; then chown "$$SUDO_UID:$$SUDO_GID" tools/bench/plot/*.svg; fi

bench-control:
	@{ $(need_root); } >&2
	@{ tools/install-deps build run bench && $(self) e2e-tools bench-tools; } >&2
	@status=0; $(BENCH)/parse && tools/bench/control.sh $(BENCH) && tools/bench/control_feeds.sh $(BENCH) || status=$$?; $(give_back); exit $$status

.PHONY: demo help clean
demo:
	@$(need_root)
	@tools/install-deps build run demo
	@$(MAKE) --no-print-directory e2e-tools
	@status=0; tools/demo || status=$$?; $(give_back); exit $$status

include user/deploy/package.mk

help:
	@sed -n 's/^#: \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

clean:
	rm -rf build

-include $(shell find $(BUILD) \( -path $(BUILD)/deb -o -path $(BUILD)/rpm \) -prune -o -type f -name '*.d' -print 2>/dev/null)
