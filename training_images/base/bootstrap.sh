#!/bin/bash
# Makes the root file system of a stand-in for python:3.11-slim-bookworm from Debian's packages, as a tar on stdout.
# Usage: bootstrap.sh FOLDER CA_BUNDLE KEYRING [MIRROR]     (root; FOLDER is made and left behind)
set -euo pipefail
root=$1 bundle=$2 keyring=$3 mirror=${4:-http://deb.debian.org/debian}

debootstrap --variant=minbase --keyring="$keyring" \
  --include=ca-certificates,python3,python3-venv,python3-pip bookworm "$root" "$mirror" >&2

# What the official image has: `python` and `pip` that install anywhere (bookworm marks its Python as managed by apt).
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
ln -sf python3 "$root/usr/bin/python"
cat > "$root/etc/apt/sources.list" <<LIST
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror%/debian}/debian-security bookworm-security main
LIST
# The host's authorities: behind a proxy that inspects TLS nothing can be downloaded without them.
cat "$bundle" > "$root/etc/ssl/certs/ca-certificates.crt"

# Leaves out what no container needs: package lists and archives, documents, translations, byte code.
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* "$root"/usr/share/{doc,man,locale,info}/*
find "$root" -xdev -name __pycache__ -prune -exec rm -rf {} +
# dpkg fails for packages with manual pages where these folders are missing
mkdir -p "$root"/var/cache/apt/archives/partial "$root"/var/log/apt "$root"/usr/share/man/man1
cat > "$root/etc/dpkg/dpkg.cfg.d/no-documents" <<CFG
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
CFG
tar --numeric-owner --one-file-system --exclude=./dev --exclude=./proc --exclude=./sys -C "$root" -c .
