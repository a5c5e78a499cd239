#!/usr/bin/env bash
# The stages of tools/gpu/plan that compare runs, tried where there is no card: the CPU takes its place. One whose
# runs differ fails.
set -euo pipefail
build=$(cd "$(dirname "$1")" && pwd)
stages=$(cd "$(dirname "$0")/../../tools/gpu" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
export DEVICE=cpu SIZES="1 64 2" MLPS="svd;rank: 4" LAYERS=1 SEQUENCE=8 BATCHES=1 STEPS=1 GOMP_SPINCOUNT=1000
says() {  # STAGE PATTERN...
  local stage=$1
  shift
  "$stages/stage-$stage" "$build" "$work" >"$work/log" 2>&1 || fail "stage $stage: $(tail -n 3 "$work/log")"
  for pattern in "$@"; do grep -q -- "$pattern" "$work/log" || fail "stage $stage: no \"$pattern\" in: $(cat "$work/log")"; done
}
says 4 '^svd-bf16 from svd-cpu: .*, at most 0.01$'
says 7 '^{"layers": 1, "width": 64, "batch": 1, .*"tokens_per_second"'
says 9 '^{"kind": "svd", "size": "rank: 4", "batch": 1, .*"tokens_per_second"'
says 10 '^fp32-resumed: the bits of fp32-first$' '^bf16-graphs: the bits of bf16-first$'
says 11 '^sharded from one: ' '^pipeline from one: '

# What the comparisons are for.
mkdir "$work/bin"
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
