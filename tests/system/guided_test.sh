#!/usr/bin/env bash
# A dense guide beside TTM layers: it is trained and stored while it lasts, then gone; a run that is killed
# before, as and after it ends goes on to the same bits, and several ranks drop it together.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

guided='linear=[{match: "blocks.*.mlp.*", kind: guided, steps: 10, of: {kind: ttm, keep: 40%}}]'
base=(train job.yaml tokenizer.kind=bytes data.batch=4 checkpoint.keep=9 optim.factor_rates=shape "$guided")
"$binary" "${base[@]}" run.dir=whole 2>log || fail "the run itself: $(cat log)"
grep -q 'guides have faded out, and are gone' log || fail "says nothing of its guides: $(cat log)"
holds_guides() { grep -q '"guided"' "whole/checkpoints/step-$1/config.json"; }
for step in 5 10; do holds_guides $step || fail "no guides in step $step"; done
for step in 15 30; do ! holds_guides $step || fail "guides in step $step"; done
size() { stat -c %s "whole/checkpoints/step-$1/model.safetensors"; }
[ "$(size 15)" -lt "$(size 10)" ] || fail "step 15 is as large as step 10"

for step in 5 10 15; do
  rm -rf run && cp -r whole run
  for later in run/checkpoints/step-*; do [ "${later##*-}" -le $step ] || rm -r "$later"; done
  "$binary" "${base[@]}" run.dir=run 2>log || fail "on from step $step: $(tail -n 2 log)"
  grep -q "resumed after step $step" log || fail "not on from step $step: $(cat log)"
  [ "$(weights run)" = "$(weights whole)" ] || fail "other weights after a stop at step $step"
done

mpi 2 "${base[@]}" parallel.zero=1 run.dir=two 2>log || fail "two ranks: $(tail -n 2 log)"
grep -q '"guided"' two/checkpoints/step-5/config.json && ! grep -q '"guided"' two/checkpoints/step-30/config.json ||
  fail "guides of two ranks"
awk 'NR == FNR { one[$1] = $2; next } { d = one[$1] - $2; if (d < -1e-3 || d > 1e-3) exit 1 }' \
  <(losses whole) <(losses two) || fail "two ranks differ: $(losses two | tail -n 1), $(losses whole | tail -n 1)"

# A model with guides is evaluated and exported without them.
"$binary" eval whole/checkpoints/step-5 text.txt >out 2>err || fail "eval: $(cat err)"
"$binary" export whole/checkpoints/step-5 dense --dense >out 2>err || fail "export: $(cat err)"
! grep -q trainyard_linear dense/config.json || fail "not plain: $(cat dense/config.json)"

expect 78 'run.steps: 10 are not more than the 10 steps in which the guide' "$binary" "${base[@]}" run.dir=short \
  run.steps=10 schedule.warmup=2
expect 78 'of.keep' "$binary" config check job.yaml \
  'linear=[{match: "*", kind: guided, steps: 3, of: {kind: ttm, keep: 2}}]'
expect 78 'of: a dense layer has no use for a guide' "$binary" config check job.yaml \
  'linear=[{match: "*", kind: guided, steps: 3, of: {kind: dense}}]'
expect 78 'has a guide still; train it to its end first' "$binary" train job.yaml run.dir=adapted \
  tokenizer.kind=bytes "$guided" 'adapters=[{match: "*", kind: lora}]'
expect 78 'steps' "$binary" config check job.yaml 'linear=[{match: "*", kind: guided, of: {kind: svd, rank: 2}}]'
echo "1 passed, 0 failed"
