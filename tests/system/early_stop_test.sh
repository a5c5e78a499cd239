#!/usr/bin/env bash
# A run that keeps its best step and ends when no better one comes: the same step however often it was
# stopped and resumed on the way, and in any layout.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

# What is learned of one text is soon wrong of the other: the loss on it falls, then rises.
awk 'BEGIN { srand(4); for (i = 0; i < 30; i++) { for (j = 0; j < 8; j++) printf "%c", 97 + int(26 * rand()); print "" } }' > few.txt
awk 'BEGIN { srand(9); for (i = 0; i < 60; i++) { for (j = 0; j < 8; j++) printf "%c", 97 + int(26 * rand()); print "" } }' > others.txt
base=(job.yaml data.train=few.txt data.valid=others.txt tokenizer.kind=bytes model.dropout=0 data.batch=8
  run.steps=200 run.eval_every=10 checkpoint.every=0 checkpoint.keep=2 schedule.name=constant schedule.warmup=0
  log.every=10 checkpoint.best=true 'run.early_stop={metric: valid_loss, patience: 3}')
field() { grep -o "\"$1\":[-+.e0-9]*" "$2" | head -n 1 | cut -d: -f2; }

"$binary" train "${base[@]}" run.dir=whole 2>log || fail "the run: $(tail -n 3 log)"
line=$(grep '^stopped early' log) || fail "not stopped early: $(tail -n 4 log)"
last=$(sed -n 's/.*after step \([0-9]*\) of 200: valid_loss was .* at step \([0-9]*\) and has not been better in 3 evaluations.*/\1/p' <<<"$line")
best=$(sed -n 's/.* at step \([0-9]*\) and has not been better.*/\1/p' <<<"$line")
[ -n "$last" ] && [ "$last" -lt 200 ] && [ "$best" = $((last - 30)) ] || fail "the line says: $line"
# The best step is that of the metrics.
found=$(grep '"valid_loss"' whole/metrics.jsonl | sed 's/.*"step":\([0-9]*\),.*"valid_loss":\([^,}]*\),.*/\2 \1/' | sort -g | head -n 1 | cut -d' ' -f2)
[ "$found" = "$best" ] || fail "step $best is said to be the best, metrics say $found"

# Both are there, though only two are kept, and the best one has a name.
[ -e "whole/checkpoints/step-$last/manifest.json" ] || fail "the last step was not saved"
[ "$(readlink whole/checkpoints/best)" = "step-$best" ] || fail "best is $(readlink whole/checkpoints/best)"
"$binary" eval whole/checkpoints/best others.txt --sequence 16 --json > of_best || fail "eval of the best"
"$binary" eval whole others.txt --sequence 16 --json > of_last || fail "eval of the last"
awk "BEGIN {exit !($(field loss of_best) < $(field loss of_last))}" || fail "best: $(cat of_best), last: $(cat of_last)"
"$binary" generate whole/checkpoints/best abc --tokens 3 >/dev/null || fail "generate from the best"
"$binary" export whole/checkpoints/best exported >/dev/null || fail "export of the best"
cmp exported/model.safetensors whole/checkpoints/best/model.safetensors || fail "another model was exported"
says "best  *valid_loss was .* at step $best and has not been better in 3" "$binary" inspect whole
says 'stopped early' "$binary" inspect whole
"$binary" inspect whole --json > out && grep -q "\"best\":{\"evaluations_since\":3,\"metric\":\"valid_loss\",\"step\":$best" out ||
  fail "inspect --json: $(cat out)"
says "$best of run" "$binary" inspect whole/checkpoints/best

# The run is complete, and stays as it is until it is given more patience.
"$binary" train "${base[@]}" run.dir=whole 2>log || fail "complete: $(cat log)"
grep -q "stopped early after step $last of 200: .*raise run.early_stop.patience" log || fail "complete: $(cat log)"
cp -r whole more
"$binary" train "${base[@]}" run.dir=more run.early_stop.patience=4 2>log || fail "more patience: $(cat log)"
grep -q "^stopped early after step $((last + 10)) of 200" log || fail "more patience: $(tail -n 3 log)"

# Stopped, killed and resumed: the same end. Without its link, it is made again.
"$binary" train "${base[@]}" run.dir=parts run.steps=$((best + 10)) 2>log || fail "first part: $(cat log)"
rm parts/checkpoints/best
"$binary" train "${base[@]}" run.dir=parts 2>log || fail "second part: $(cat log)"
grep -qF -- "$line" log || fail "in parts: $(tail -n 3 log), in one: $line"
[ "$(readlink parts/checkpoints/best)" = "step-$best" ] || fail "in parts: best is $(readlink parts/checkpoints/best)"
cmp parts/checkpoints/best/model.safetensors whole/checkpoints/best/model.safetensors || fail "in parts: another best"
for layout in parallel.data=2 parallel.tensor=2 'parallel.pipeline=2 parallel.microbatches=2'; do
  rm -rf ranks
  # shellcheck disable=SC2086
  mpi 2 train "${base[@]}" run.dir=ranks $layout 2>log || fail "$layout: $(cat log)"
  grep -q '^stopped early' log || fail "$layout: $(tail -n 3 log)"
done

# Without patience the best step is kept all the same; with keep: 1 too.
"$binary" train "${base[@]}" run.dir=kept run.steps=$((best + 20)) checkpoint.keep=1 run.early_stop.patience=0 2>log ||
  fail "kept: $(cat log)"
[ "$(readlink kept/checkpoints/best)" = "step-$best" ] || fail "kept: best is $(readlink kept/checkpoints/best)"
[ "$(find kept/checkpoints -maxdepth 1 -name 'step-*' | wc -l)" = 2 ] || fail "kept: $(ls kept/checkpoints)"

expect 78 'run.early_stop.metric: got valid_los; evaluations have valid_loss' \
  "$binary" config check "${base[@]}" run.early_stop.metric=valid_los
expect 78 'run.early_stop.patience: compares evaluations; wants run.eval_every and data.valid' \
  "$binary" config check "${base[@]}" run.eval_every=0
echo "1 passed, 0 failed"
