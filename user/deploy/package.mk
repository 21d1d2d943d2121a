# SPDX-License-Identifier: BSD-2-Clause
# Man pages, installation, tarball, packages. Included by the Makefile at the top.

# Also as another user than whose tree it is.
GIT := git -c safe.directory=*

# A build knows no time but this one: that of the last commit, or of the tarball.
SOURCE_DATE_EPOCH ?= $(or $(shell $(GIT) log -1 --format=%ct 2>/dev/null),$(shell cat .date 2>/dev/null),0)
export SOURCE_DATE_EPOCH

# ---- man pages: user/man/page says where their words come from ----

MAN := $(patsubst user/man/%.scd,$(BUILD)/man/%,$(wildcard user/man/*.scd))
.PHONY: man
man: $(MAN)

$(BUILD)/man/%: user/man/%.scd user/man/page user/man/tidy README.md user/store/schema.c $(BUILD)/moatd $(BUILD)/moatctl
	@mkdir -p $(@D)
	$(call say,MAN,$@)user/man/page $(BUILD) $< >$@.scd && scdoc <$@.scd | user/man/tidy >$@

# ---- installation ----

BINDIR	 ?= $(PREFIX)/bin
SBINDIR	 ?= $(PREFIX)/sbin
MANDIR	 ?= $(PREFIX)/share/man
DATADIR	 ?= $(PREFIX)/share/moat
COMPLETE ?= $(PREFIX)/share/bash-completion/completions
COMPLETE_ZSH ?= $(PREFIX)/share/zsh/vendor-completions
SYSCONFDIR ?= /etc
UNITDIR	 ?= /lib/systemd/system
SYSUSERSDIR ?= /usr/lib/sysusers.d
TMPFILESDIR ?= /usr/lib/tmpfiles.d
SYSTEMD	 := user/deploy/systemd
put = install -D -m

# A file of the administrator's is left as it is. The unit starts what is installed here.
.PHONY: install
install: all man
	$(put) 755 $(BUILD)/moatd $(DESTDIR)$(SBINDIR)/moatd
	$(put) 755 $(BUILD)/moatctl $(DESTDIR)$(BINDIR)/moatctl
	for page in $(MAN); do $(put) 644 $$page \
		$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	$(put) 644 $(SYSTEMD)/moatd.service $(DESTDIR)$(UNITDIR)/moatd.service
	sed -i 's,/usr/sbin/moatd,$(SBINDIR)/moatd,' $(DESTDIR)$(UNITDIR)/moatd.service
	$(put) 644 $(SYSTEMD)/moat.sysusers $(DESTDIR)$(SYSUSERSDIR)/moat.conf
	$(put) 644 $(SYSTEMD)/moat.tmpfiles $(DESTDIR)$(TMPFILESDIR)/moat.conf
	$(put) 644 $(SYSTEMD)/chain.conf $(DESTDIR)$(DATADIR)/chain.conf
	test -e $(DESTDIR)$(SYSCONFDIR)/moat/moat.yaml || \
		$(put) 640 user/deploy/moat.yaml $(DESTDIR)$(SYSCONFDIR)/moat/moat.yaml
	for kind in prometheus grafana; do test ! -d user/deploy/$$kind || \
		find user/deploy/$$kind -type f \( -name '*.y*ml' -o -name '*.json' \) ! -name '*test*' \
		-exec $(put) 644 -t $(DESTDIR)$(DATADIR)/$$kind {} + || exit 1; done
	if $(BUILD)/moatctl completion bash >$(BUILD)/moatctl.bash 2>/dev/null; then \
		$(put) 644 $(BUILD)/moatctl.bash $(DESTDIR)$(COMPLETE)/moatctl; fi
	if $(BUILD)/moatctl completion zsh >$(BUILD)/moatctl.zsh 2>/dev/null; then \
		$(put) 644 $(BUILD)/moatctl.zsh $(DESTDIR)$(COMPLETE_ZSH)/_moatctl; fi

# ---- tarball: what is committed, the same bytes whoever makes it ----

DIST := $(BUILD)/dist/moat-$(VERSION)
TAR  := tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s
.PHONY: dist
dist: $(DIST).tar.gz
.PHONY: $(DIST).tar.gz
$(DIST).tar.gz:
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@if [ -e .git ]; then $(GIT) ls-files -z | tar -c --null -T - ; \
	else tar -c --exclude=./build --exclude=./.date . ; fi | tar -x -C $(DIST)
	@echo $(SOURCE_DATE_EPOCH) >$(DIST)/.date
	$(call say,TAR,$@)$(TAR) -C $(@D) -c moat-$(VERSION) | gzip -9n >$@ && rm -r $(DIST)

# ---- packages: of the tarball, without network ----

.PHONY: deb rpm
deb: $(DIST).tar.gz
	@user/deploy/debian/make-deb $(BUILD) $<
rpm: $(DIST).tar.gz
	@user/deploy/rpm/make-rpm $(BUILD) $<
