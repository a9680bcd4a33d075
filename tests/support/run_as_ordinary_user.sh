#!/bin/sh
# Runs a test binary as an ordinary user when we are root: what holds for root must hold without it.
# Not as nobody, which root's calls run as: what takes the one for the other would not be seen.
user=64321
if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: not root: the suite itself has run as an ordinary user"
  exit 0
fi
if ! setpriv --reuid=$user --regid=$user --clear-groups test -x "$1" 2>/dev/null; then
  echo "SKIPPED: the build folder is not accessible to other users, or setpriv is missing"
  exit 0
fi
# NACRE_TEST_GROUP: a supplementary group that the user has.
groups=--clear-groups
if [ -n "$NACRE_TEST_GROUP" ]; then
  groups=--groups=$NACRE_TEST_GROUP
fi
exec setpriv --reuid=$user --regid=$user $groups -- "$@"
