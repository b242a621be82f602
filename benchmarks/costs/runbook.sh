#!/bin/sh
# The runbook's steps in a checkout, with the picks made locally.
# runbook.sh full|shallow|warm URL RELEASE PRODUCTION PICK...
# `warm` is run in the clone's parent folder, where `work` lies already.
set -eu
mode=$1 url=$2 production=$4
shift 4

case $mode in
full)
  git clone --quiet --branch release "$url" work
  cd work
  ;;
shallow)
  git clone --quiet --depth=1 --branch release "$url" work
  cd work
  git fetch --quiet --depth=1 origin "$production"
  ;;
warm)
  cd work
  git fetch --quiet --all
  ;;
esac
git checkout --quiet -B release origin/release

git restore --source="$production" --staged --worktree .
git commit --quiet --allow-empty --message "fix: restore release to last production state"
git push --quiet origin release
git fetch --quiet origin release
git diff --quiet "$production" origin/release

if [ "$mode" = shallow ]; then
  git fetch --quiet --depth=2 origin "$@"
fi
git cherry-pick -x -m 1 "$@" > /dev/null
git push --quiet origin release
