#!/usr/bin/env bash
# TensorBoard's own reader finds every number of metrics.jsonl and the samples in events/, once each, also
# after a run was killed and repeats steps. PYTHON: another one than that of tools/peers/setup.
. "$(dirname "$0")/../system/common.sh"
python=${PYTHON:-${TY_PEERS_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/trainyard-peers}/bin/python}
if ! "$python" -c 'import tensorboard' 2>/dev/null; then
  echo "skipped: $python has no tensorboard; run tools/peers/setup"
  exit 77
fi
export OMP_NUM_THREADS=1
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"

"$binary" train job.yaml run.eval_every=10 run.sample_every=10 2>log || fail "the run: $(tail -n 3 log)"
rm -r run/checkpoints/step-30 run/checkpoints/step-25  # as if it had been killed after step 20 was saved
"$binary" train job.yaml run.eval_every=10 run.sample_every=10 2>log || fail "going on: $(tail -n 3 log)"
grep -q 'resumed after step 20' log || fail "it did not go on from step 20: $(cat log)"
[ "$(ls run/events | wc -l)" = 2 ] || fail "not a file per start: $(ls run/events)"
"$python" "$here/compare_events.py" run || fail "TensorBoard reads something else"

"$binary" train job.yaml run.dir=without log.tensorboard=false 2>log || fail "without: $(tail -n 3 log)"
[ ! -e without/events ] || fail "log.tensorboard=false wrote events"
echo "1 passed, 0 failed"
