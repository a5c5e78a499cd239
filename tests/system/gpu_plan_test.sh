#!/usr/bin/env bash
# tools/gpu/plan without a card: it runs what it can, says what it left out and why, and fails if a stage does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
export BUILD=$work/build OUT=$work/out
mkdir -p "$BUILD" "$work/bin" "$work/tools/gpu"
# Without the scripts beside it, which want a binary.
plan=$work/tools/gpu/plan
cp "$(dirname "$0")/../../tools/gpu/plan" "$plan"

# tests NAME COMMAND LABEL...: what the build folder's tests are.
tests() {
  : >"$BUILD/CTestTestfile.cmake"
  while [ $# -gt 0 ]; do
    printf 'add_test(%s "%s")\nset_tests_properties(%s PROPERTIES LABELS "%s")\n' "$1" "$2" "$1" "$3" \
      >>"$BUILD/CTestTestfile.cmake"
    shift 3
  done
}
says() {  # STAGE PATTERN
  grep "\"stage\": $1," "$OUT/results.jsonl" | grep -q "$2" || fail "stage $1 is not $2: $(cat "$OUT/results.jsonl")"
}

# Without nvidia-smi on the path there is no card here.
PATH=$work/bin:/usr/bin:/bin
if nvidia-smi -L >/dev/null 2>&1; then echo "this machine has a card"; exit 0; fi
tests
"$plan" >"$work/table" || fail "without tests: $(cat "$work/table")"
[ "$(wc -l <"$OUT/results.jsonl")" = 13 ] || fail "not 13 stages: $(cat "$OUT/results.jsonl")"
says 0 '"state": "ok"'
says 1 '"state": "missing", .* "no test is labelled gpu-1"'
for stage in 2 3 4 5 6 7 8 9 10 11 12; do says $stage '"state": "skipped", .* "no card"'; done
grep -q '^g++: .*[0-9]' "$OUT/stage-0.log" || fail "no compiler in the inventory: $(cat "$OUT/stage-0.log")"

# A part alone; a label that another one begins with is another label.
tests one /bin/true gpu-1 ten /bin/false gpu-10
"$plan" 1 >"$work/table" || fail "part 1: $(cat "$work/table")"
[ "$(wc -l <"$OUT/results.jsonl")" = 5 ] || fail "part 1 has not 5 stages: $(cat "$OUT/results.jsonl")"
says 1 '"state": "ok"'

tests one /bin/false gpu-1
if "$plan" 1 >"$work/table"; then fail "a stage failed, and the plan did not"; fi
says 1 '"state": "failed", .* see stage-1.log'
grep -q 'start *failed' "$work/table" || fail "the table does not say so: $(cat "$work/table")"

# With a card, stages that want one run.
printf '#!/bin/sh\necho "GPU 0: made up"\n' >"$work/bin/nvidia-smi"
chmod +x "$work/bin/nvidia-smi"
tests two /bin/true gpu-2
"$plan" 1 >"$work/table" || fail "with a card: $(cat "$work/table")"
says 2 '"state": "ok"'
says 3 '"state": "missing"'

# What the tests or the script of a stage leave out is not called ok.
printf 'add_test(three /bin/true)\nset_tests_properties(three PROPERTIES LABELS gpu-3 SKIP_RETURN_CODE 0)\n' >"$BUILD/CTestTestfile.cmake"
printf '#!/bin/sh\necho "no tool"\nexit 77\n' >"$work/tools/gpu/stage-4"
chmod +x "$work/tools/gpu/stage-4"
"$plan" 1 >"$work/table" || fail "with stages that are left out: $(cat "$work/table")"
says 3 '"state": "skipped"'
says 4 '"state": "skipped", .* "no tool"'

code=0
"$plan" 4 2>"$work/err" || code=$?
[ $code = 64 ] && grep -q 'unknown part "4"' "$work/err" || fail "part 4: $code, $(cat "$work/err")"
echo "1 passed, 0 failed"
