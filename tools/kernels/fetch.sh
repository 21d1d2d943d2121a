#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Debian's kernels, downloaded and unpacked but never installed, by an apt
# directory of their own: of the host's only the mirror is read, nothing changed.
#
#	fetch.sh update CACHE		# the lists of packages; once a day is enough
#	fetch.sh get CACHE LANE		# prints the folder of the newest kernel of a lane
#
# LANE is a version ("6.12") or "newest". The folder holds release, vmlinuz and
# modules/ (as below /lib/modules/RELEASE). What was fetched before is used
# again, also without network. Fails and says why if there is none.
# DEBIAN_MIRROR is another place to get them from.
set -eu

MIRROR=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' | sed -n 's:/debian$::p' | head -n 1)}
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly LIST_MINUTES=1440 # lists younger than that are not asked for again

command=$1
cache=$(realpath "$2")
apt=$cache/apt

private()
{
	local tool=$1
	shift
	"$tool" -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
		-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o Acquire::Retries=2 \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root "$@"
}

update()
{
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
	touch "$apt/status"
	cat >"$apt/sources.list" <<-END
		deb [signed-by=$KEYRING] $MIRROR/debian-security bullseye-security main
		deb [signed-by=$KEYRING] $MIRROR/debian-security bookworm-security main
		deb [signed-by=$KEYRING] $MIRROR/debian trixie-backports main
	END
	[ -z "$(find "$apt/updated" -mmin -$LIST_MINUTES 2>/dev/null)" ] || return 0
	# A suite that is gone costs its lane only.
	if private apt-get update >"$apt/update.log" 2>&1; then
		touch "$apt/updated"
	else
		grep -E '^[EW]:' "$apt/update.log" | sed 's/^/# /' >&2
	fi
}

# candidate LANE: "PACKAGE VERSION" of its newest kernel.
candidate()
{
	local version='[0-9]+\.[0-9]+'
	[ "$1" = newest ] || version=${1//./\\.}
	private apt-cache dumpavail 2>/dev/null |
		awk -v name="^linux-image-${version//\\/\\\\}\\\\.[0-9].*-cloud-amd64\$" '
		/^Package: / { package = $2 }
		/^Version: / && package ~ name { print $2, package }' |
		sort -V | tail -n 1 | awk '{ print $2, $1 }'
}

# Since 7.2 a kernel's image is empty and depends on where things are.
packages_of()
{
	echo "$1=$2"
	private apt-cache depends "$1=$2" | awk -v version="$2" '
		$1 == "Depends:" && $2 ~ /^linux-(binary|modules)-[0-9]/ { print $2 "=" version }'
}

unpack()
{
	local folder=$1 deb release
	for deb in "$folder"/*.deb; do
		dpkg-deb -x "$deb" "$folder/files"
	done
	set -- "$folder"/files/boot/vmlinuz-* "$folder"/files/usr/lib/modules/*/vmlinuz
	[ -e "$1" ] || shift
	[ -e "$1" ] || { echo "no vmlinuz in the packages" && return 1; }
	mv "$1" "$folder/vmlinuz"
	set -- "$folder"/files/lib/modules/* "$folder"/files/usr/lib/modules/*
	[ -e "$1" ] || shift
	release=${1##*/}
	mv "$1" "$folder/modules"
	rm -rf "$folder/files" "$folder"/*.deb
	echo "$release" >"$folder/release"
}

get()
{
	local lane=$1 package version folder part had
	read -r package version < <(candidate "$lane") || true
	if [ -z "${version:-}" ]; then
		# Without lists: the last one that was had.
		had="linux-image-$lane.[0-9]*"
		[ "$lane" != newest ] || had='linux-image-[0-9]*'
		folder=$(find "$cache" -maxdepth 1 -name "$had" ! -name '*.part' | sort -V | tail -n 1)
		[ -n "$folder" ] && [ -e "$folder/release" ] && echo "$folder" && return
		echo "no such kernel in Debian's lists, and none from before" >&2
		return 1
	fi
	folder=$cache/${package}_$version
	if [ ! -e "$folder/release" ]; then
		part=$folder.part
		rm -rf "$part" && mkdir -p "$part"
		mapfile -t packages < <(packages_of "$package" "$version")
		(cd "$part" && private apt-get download "${packages[@]}" >log 2>&1) || {
			tail -n 1 "$part/log" >&2
			return 1
		}
		unpack "$part" >&2
		mv "$part" "$folder"
	fi
	echo "$folder"
}

case $command in
update) update ;;
get) get "$3" ;;
*) exit 2 ;;
esac
