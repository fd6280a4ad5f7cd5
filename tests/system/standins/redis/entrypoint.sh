#!/bin/sh
# Drops root, and serves the compose network: Debian's build refuses other hosts by default ("protected mode").
set -eu
if [ "$1" != redis-server ]; then
  exec "$@"
fi
chown -R redis:redis /data
exec gosu redis "$@" --protected-mode no
