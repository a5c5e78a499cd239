#!/usr/bin/env bash
# A run directory holds the files, and metrics.jsonl the keys, that launch/run_directory.md lists; no others.
. "$(dirname "$0")/common.sh"
page=$(cd "$(dirname "$0")/../.." && pwd)/launch/run_directory.md

"$binary" train "$work/job.yaml" run.dir="$work/run" run.steps=4 schedule.warmup=1 run.eval_every=2 \
  run.sample_every=2 2>"$work/log" || fail "train: $(tail -n 3 "$work/log")"
for file in "$work/run"/* "$work/run"/.[a-z]*; do
  grep -q "^|.*[ ,]$(basename "$file")[ ,/].*|" "$page" || fail "$(basename "$file") is not in launch/run_directory.md"
done
for file in config.yaml manifest.json metrics.jsonl samples.txt checkpoints tokenizer data .lock; do
  [ -e "$work/run/$file" ] || fail "the run directory has no $file"
done
keys=$(grep -o '"[a-z_]*":' "$work/run/metrics.jsonl" | tr -d '":' | sort -u)
for key in $keys; do
  grep -q "\b$key\b" "$page" || fail "metrics.jsonl: $key is not in launch/run_directory.md"
done
expected="bits_per_byte gradient_norm learning_rate loss matrix_flops_per_second peak_bytes step"
expected+=" step_seconds tokens tokens_per_second valid_loss valid_tokens"
[ "$(echo $keys)" = "$expected" ] || fail "metrics.jsonl has the keys: $(echo $keys)"

# Losses are written with all their digits: what is read back is the number itself.
awk 'NR == 1' "$work/run/metrics.jsonl" | grep -Eq '"loss":[0-9]\.[0-9]{10,}' || fail "loss was rounded"
echo "1 passed, 0 failed"
