#!/usr/bin/env bash
# Training in fp16 on 2 data x 2 tensor ranks: steps that overflow are skipped and said, the loss falls, a
# run that is stopped and goes on has the weights of one that was not, and replicas stay equal.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1

job=("$work/job.yaml" precision.compute=fp16 precision.loss_scale=16777216 parallel.tensor=2
     parallel.check_replicas=3)

mpi 4 train "${job[@]}" run.dir="$work/whole" 2>"$work/whole.log" || fail "fp16: $(tail -n 3 "$work/whole.log")"
grep -q "^step 1 skipped: gradients overflowed fp16 at loss scale 16777216, now 8388608$" "$work/whole.log" ||
  fail "no word about step 1: $(cat "$work/whole.log")"
skips=$(grep -c "skipped: gradients overflowed" "$work/whole.log")
[ "$skips" = "$(grep -c '"skipped":true' "$work/whole/metrics.jsonl")" ] || fail "metrics know other skips than $skips"
grep '"skipped":true' "$work/whole/metrics.jsonl" | grep -q gradient_norm && fail "a norm that is not finite"
grep -q '"loss_scale":16777216.0.*"step":1,' "$work/whole/metrics.jsonl" || fail "no loss scale in metrics"
first=$(losses "$work/whole" | head -n 1 | cut -d' ' -f2) last=$(losses "$work/whole" | tail -n 1 | cut -d' ' -f2)
awk -v a="$first" -v b="$last" 'BEGIN { exit !(b < 0.9 * a) }' || fail "loss $first became $last"

# Two checkpoints back, then forward again: the scale and the count of skipped steps are those of the file.
cp -r "$work/whole" "$work/again"
rm -r "$work/again/checkpoints/step-30" "$work/again/checkpoints/step-25"
mpi 4 train "${job[@]}" run.dir="$work/again" 2>"$work/again.log" || fail "again: $(tail -n 3 "$work/again.log")"
grep -q "resumed after step 20" "$work/again.log" || fail "did not resume: $(cat "$work/again.log")"
[ "$(weights "$work/whole")" = "$(weights "$work/again")" ] || fail "weights differ after a resume"
diff <(losses "$work/whole") <(losses "$work/again") || fail "losses differ after a resume"
for run in whole again; do
  grep -A 4 '"loss_scale"' "$work/$run/checkpoints/step-30/manifest.json" > "$work/$run.scale"
  grep -q "\"skipped_steps\": $skips" "$work/$run.scale" || fail "$run: not $skips: $(cat "$work/$run.scale")"
done
cmp "$work/whole.scale" "$work/again.scale" || fail "scales differ after a resume"

# In another format the same run goes on; what it skipped does not count as updates.
"$binary" train "$work/job.yaml" run.dir="$work/again" run.steps=32 2>"$work/fp32.log" ||
  fail "fp32 after fp16: $(tail -n 3 "$work/fp32.log")"
grep -q "\"skipped_steps\": $skips" "$work/again/checkpoints/step-32/manifest.json" || fail "fp32 forgot the skips"
expect 78 "precision.weights: got bf16 with compute = fp16" \
  "$binary" train "$work/job.yaml" precision="{compute: fp16, weights: bf16}" run.dir="$work/narrow"
echo "1 passed, 0 failed"
