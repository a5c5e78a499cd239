#!/usr/bin/env bash
# The stages of tools/gpu/plan that compare runs, tried where there is no card: the CPU takes its place. One whose
# runs differ fails.
set -euo pipefail
build=$(cd "$(dirname "$1")" && pwd)
stages=$(cd "$(dirname "$0")/../../tools/gpu" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
export DEVICE=cpu SIZES="1 64 2" MLPS="svd;rank: 4" LAYERS=1 SEQUENCE=8 BATCHES=1 STEPS=1 ROWS=16 GOMP_SPINCOUNT=1000
says() {  # STAGE PATTERN...
  local stage=$1
  shift
  "$stages/stage-$stage" "$build" "$work" >"$work/log" 2>&1 || fail "stage $stage: $(tail -n 3 "$work/log")"
  for pattern in "$@"; do grep -q -- "$pattern" "$work/log" || fail "stage $stage: no \"$pattern\" in: $(cat "$work/log")"; done
}
says 4 '^svd-bf16 from svd-cpu: .*, at most 0.01$'
says 6 '^{"backend":"cpu",.*"dtype":"bf16"'
says 7 '^{"layers": 1, "width": 64, "batch": 1, .*"tokens_per_second"'
says 9 '^{"kind": "svd", "size": "rank: 4", "batch": 1, .*"tokens_per_second"'
says 10 '^fp32-resumed: the bits of fp32-first$' '^bf16-graphs: the bits of bf16-first$'
says 11 '^sharded from one: ' '^pipeline from one: '

# Stage 12 sums up what the profiler says of each launch; where that or PyTorch is missing, stages are skipped.
mkdir "$work/bin"
cat >"$work/bin/ncu" <<'SCRIPT'
#!/usr/bin/env bash
cat <<'CSV'
==PROF== Connected
"ID","Process ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"","","","","",""
"0","7","void adamw<4, float>(long)","gpu__time_duration.sum","nsecond","1,500"
"0","7","void adamw<4, float>(long)","dram__throughput.avg.pct_of_peak_sustained_elapsed","%","80"
"1","7","void adamw<4, float>(long)","gpu__time_duration.sum","nsecond","500"
"1","7","void adamw<4, float>(long)","dram__throughput.avg.pct_of_peak_sustained_elapsed","%","40"
"2","7","gather_rows(int)","gpu__time_duration.sum","nsecond","9000"
"2","7","gather_rows(int)","dram__throughput.avg.pct_of_peak_sustained_elapsed","%","10"
CSV
SCRIPT
chmod +x "$work/bin/ncu"
PATH=$work/bin:$PATH says 12 '^gather_rows  *1  *9.0  *10.0$' '^void adamw  *2  *2.0  *70.0$'
skipped() {  # STAGE PATTERN
  local code=0
  "$stages/stage-$1" "$build" "$work" >"$work/log" 2>&1 || code=$?
  [ $code = 77 ] && grep -q "$2" "$work/log" || fail "stage $1: exit code $code: $(cat "$work/log")"
}
skipped 12 'ncu is not here'
PYTHON=false skipped 8 'has no torch for cpu'

# What the comparisons are for.
cat >"$work/bin/trainyard" <<SCRIPT
#!/usr/bin/env bash
case "\$*" in *run.dir=bf16-again*) set -- "\$@" run.seed=4 ;; *run.dir=dense-fp32*) set -- "\$@" optim.lr=1e-3 ;; esac
exec "$build/trainyard" "\$@"
SCRIPT
chmod +x "$work/bin/trainyard"
for stage in 4 10; do
  if "$stages/stage-$stage" "$work/bin" "$work" >"$work/log" 2>&1; then fail "stage $stage does not see another run"; fi
  grep -q 'FAILED: .*\(too far from\|are not those of\)' "$work/log" || fail "stage $stage: $(cat "$work/log")"
done
echo "1 passed, 0 failed"
