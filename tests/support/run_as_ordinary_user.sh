#!/bin/sh
# Runs a test binary as an ordinary user when we are root: what holds for root must hold without it.
if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: not root: the suite itself has run as an ordinary user"
  exit 0
fi
if ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1" 2>/dev/null; then
  echo "SKIPPED: the build folder is not accessible to other users, or setpriv is missing"
  exit 0
fi
exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
