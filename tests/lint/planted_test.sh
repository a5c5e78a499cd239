#!/usr/bin/env bash
# planted_test.sh [ROOT]: every fault of tests/planted still fits the sources, says what it does and
# names a test that there is. Whether that test finds it, tools/planted_faults tells.
. "$(dirname "$0")/common.sh"
bad=0
complain() { echo "$*" >&2; bad=1; }
count=0
while read -r fault; do
  count=$((count + 1))
  git apply --check "$fault" || complain "$fault: does not fit the sources any more; write it anew"
  [[ $(head -1 "$fault") == *. ]] || complain "$fault: its first line is no sentence that says what is wrong"
  name=$(sed -n 's/^Test: //p' "$fault")
  grep -rqE "NAME $name( |\$)" tests --include CMakeLists.txt || complain "$fault: no test is named \"$name\""
done < <(find tests/planted -name '*.patch' 2>/dev/null | LC_ALL=C sort)
[ "$bad" = 0 ] || { echo "FAILED: planted" >&2; exit 1; }
passed "$count faults"
