#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a guest of the kernel matrix boots into: archives that the kernel
# unpacks into memory. All guests share one base; each has modules of its own.
#
#	image.sh base BUILD FILE		# busybox, tools, moat and its tests, with their libraries
#	image.sh modules KERNEL FILE		# of a folder that fetch.sh printed
set -eu

# Where busybox's are not enough for the tests.
readonly TOOLS='bash ip tc ethtool nsenter unshare curl jq sqlite3 awk sed grep date timeout mktemp rm nft'
readonly MODULES='veth sch_ingress cls_bpf cls_u32 act_bpf nf_tables nft_counter'

root=$(mktemp -d "${TMPDIR:-/tmp}/moat-image-XXXXXX")
trap 'rm -rf "$root"' EXIT
chmod 755 "$root" # it becomes the guest's
here=$(cd "$(dirname "$0")/../.." && pwd)

pack() { (cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$1"; }

# with_libraries FILE...: their libraries, where the loader looks for them.
with_libraries()
{
	local library
	{ ldd "$@" 2>/dev/null || true; } | awk '/=> \// { print $3 } $1 ~ /^\// && /\(/ { print $1 }' | sort -u |
		while read -r library; do
			mkdir -p "$root${library%/*}"
			cp -L "$library" "$root$library"
		done
}

# What test_chain.sh needs; without it, it skips.
with_chaining()
{
	local at
	at=$(command -v xdp-filter) || return 0
	cp -L "$at" "$root/bin/xdp-filter"
	programs+=("$at")
	for at in /usr/lib/*/bpf/xdp-dispatcher.o /usr/lib/*/bpf/xdpfilt_*.o; do
		mkdir -p "$root${at%/*}"
		cp "$at" "$root$at"
	done
	cp "$here/tests/e2e/test_chain.sh" "$root/moat/tests/e2e/"
}

base()
{
	local build=$1 tool at programs=()
	mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,etc,var/tmp,root,moat/tools,moat/tests/e2e,moat/build/tests/prog,moat/build/tools/kernels}
	mkdir -p "$root/usr"
	ln -s bin "$root/sbin"
	ln -s ../bin "$root/usr/bin"
	ln -s ../bin "$root/usr/sbin"
	cp "$(command -v busybox)" "$root/bin/busybox"
	"$root/bin/busybox" --list | while read -r tool; do
		[ "$tool" = busybox ] || ln -s busybox "$root/bin/$tool"
	done
	for tool in $TOOLS; do
		at=$(command -v "$tool")
		rm -f "$root/bin/$tool"
		cp -L "$at" "$root/bin/$tool"
		programs+=("$at")
	done
	ln -sf bash "$root/bin/sh" # busybox's takes its own tools before those of the path
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"

	for at in moatd moatctl traffic tools/kernels/about; do
		strip -o "$root/moat/build/$at" "$build/$at"
		programs+=("$build/$at")
	done
	for at in "$build"/tests/prog/test_*; do
		[[ $at != *.[od] ]] || continue
		strip -o "$root/moat/build/tests/prog/${at##*/}" "$at"
		programs+=("$at")
	done
	cp "$here/tests/e2e/lib.sh" "$root/moat/tests/e2e/"
	cp "$here/tools/run-tests" "$root/moat/tools/"
	cp "$here/tools/kernels/smoke.sh" "$root/moat/tests/e2e/"
	cp "$here/tools/kernels/guest.sh" "$root/init"
	chmod +x "$root/init"
	with_chaining
	with_libraries "${programs[@]}"
	pack "$2"
}

modules()
{
	local kernel=$1 release module at from
	release=$(cat "$kernel/release")
	mkdir -p "$root/all/lib/modules" "$root/lib/modules/$release"
	cp -al "$kernel/modules" "$root/all/lib/modules/$release" 2>/dev/null ||
		cp -a "$kernel/modules" "$root/all/lib/modules/$release"
	# Lists of what is built in are not in every package; what matters is said by modprobe in the guest.
	depmod -b "$root/all" "$release" 2>/dev/null
	from=$root/all/lib/modules/$release
	for module in $MODULES; do
		modprobe -d "$root/all" -S "$release" --show-depends "$module" 2>/dev/null |
			awk '$1 == "insmod" { print $2 }'
	done | sort -u | while read -r at; do
		cp "$at" "$root/lib/modules/$release/"
	done
	find "$root/lib" -name '*.xz' -exec xz -d {} + -o -name '*.zst' -exec zstd -q -d --rm {} +
	find "$from/" -maxdepth 1 \( -name 'modules.builtin*' -o -name modules.order \) -exec cp {} "$root/lib/modules/$release/" \;
	rm -rf "$root/all"
	depmod -b "$root" "$release" 2>/dev/null
	pack "$2"
}

case $1 in
base) base "$2" "$3" ;;
modules) modules "$2" "$3" ;;
*) exit 2 ;;
esac
