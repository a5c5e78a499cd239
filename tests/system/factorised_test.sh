#!/usr/bin/env bash
# A job of ttm and svd layers as its users run it: it resumes to the same bits, its checkpoints are models,
# and a config.json that does not fit its tensors is a bad data file.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cat >> "$work/job.yaml" <<YAML
parallel: {microbatches: 3, recompute: block, reuse: step}
linear:
  - {match: "*", kind: svd, rank: 6}
  - {match: "blocks.*.mlp.*", kind: ttm, rank: 5}
  - {match: "blocks.{1..1}.mlp.down", kind: ttm, keep: 30%, init: orthogonal}
YAML

"$binary" train "$work/job.yaml" run.dir="$work/whole" 2>"$work/log" || fail "train: $(cat "$work/log")"
cp -r "$work/whole" "$work/again"
rm -r "$work/again/checkpoints/step-30"
"$binary" train "$work/job.yaml" run.dir="$work/again" 2>"$work/log" || fail "resume: $(cat "$work/log")"
grep -q "resumed after step 25" "$work/log" || fail "did not resume: $(cat "$work/log")"
for file in model optimizer-0; do
  cmp "$work/whole/checkpoints/step-30/$file.safetensors" "$work/again/checkpoints/step-30/$file.safetensors" ||
    fail "$file differs after resuming"
done
diff <(losses "$work/whole") <(losses "$work/again") || fail "losses differ after resuming"
losses "$work/whole" | awk 'NR == 1 { first = $2 } { last = $2 } END { exit !(last < first - 0.5) }' ||
  fail "it does not learn: $(losses "$work/whole" | tail -n 1)"

# A run keeps the layers that it was started with.
expect 78 'linear: embeddings.token is svd rank 6 in .*step-30, the job says svd rank 5 (rank 6 -> 5); keep the rules' "$binary" \
  train "$work/job.yaml" run.dir="$work/whole" run.steps=40 'linear=[{match: "*", kind: svd, rank: 5}]'

model=$work/whole/checkpoints/step-30
"$binary" eval "$model" "$work/text.txt" --json >"$work/out" 2>"$work/err" || fail "eval: $(cat "$work/err")"
cp -r "$model" "$work/bad"
rm -f "$work/bad/manifest.json"
sed -i 's/"kind": "ttm"/"kind": "tmm"/' "$work/bad/config.json"
expect 65 'bad/config.json: trainyard_linear.blocks.0.mlp.down.kind: got "tmm"; want' \
  "$binary" eval "$work/bad" "$work/text.txt"
sed -i 's/"kind": "tmm"/"kind": "ttm"/; s/"rank": 6/"rank": 5/' "$work/bad/config.json"
expect 65 'file \[.*\] != config \[' "$binary" eval "$work/bad" "$work/text.txt"

# W made once per step instead of in each pass of its micro-batches saves work, of a trained model's layers too.
flops() { "$binary" plan "$work/job.yaml" "$@" --json | sed 's/.*"matrix_flops":\([0-9.e+]*\).*/\1/'; }
for source in "" "model={from: $model}"; do
  over=(${source:+"$source" linear=[]})
  [ "$("$binary" plan "$work/job.yaml" "${over[@]}" | grep -c 'W once per step')" -ge 2 ] || fail "plan ${over[*]}: no W once per step"
  awk -v step="$(flops "${over[@]}")" -v pass="$(flops "${over[@]}" parallel.reuse=pass)" \
    'BEGIN { exit !(step > 0 && step < pass) }' || fail "W made once per step saves nothing ${over[*]}"
done

# Errors of rules end the job before anything is created.
expect 78 'linear\[0\]: blocks.0.mlp.up \[32, 128\]: ttm: in modes \[4, 4\] multiply to 16' "$binary" train \
  "$work/job.yaml" run.dir="$work/none" 'linear=[{match: "*.up", kind: ttm, in: [4, 4], out: [8, 16], rank: 4}]'
expect 78 'linear\[0\].rank: missing or 0; state rank >= 1, or keep' "$binary" train \
  "$work/job.yaml" run.dir="$work/none" 'linear=[{match: "*.up", kind: svd}]'
expect 78 'linear\[0\].of: has a scale of its own' "$binary" train "$work/job.yaml" run.dir="$work/none" \
  'linear=[{match: "*.up", kind: scaled, of: {kind: scaled, of: {kind: dense}}}]'
# Another function on the same weights is another layer.
up='linear=[{match: "*.up", kind: svd, rank: 4, activation: silu}]'
"$binary" train "$work/job.yaml" run.dir="$work/silu" run.steps=2 schedule.warmup=1 "$up" 2>"$work/log" || fail "silu: $(cat "$work/log")"
expect 78 'blocks.0.mlp.up is svd rank 4 with silu in .*, the job says svd rank 4 with relu (activation silu -> relu)' "$binary" train "$work/job.yaml" \
  run.dir="$work/silu" run.steps=4 schedule.warmup=1 "${up/silu/relu}"
"$binary" inspect "$work/silu" --spectrum >"$work/out" 2>"$work/err" || fail "spectrum: $(cat "$work/err")"
grep -q 'blocks.0.mlp.down *128 x 32' "$work/out" || fail "no spectrum beside silu: $(cat "$work/out")"
grep -q 'no one matrix stands for blocks.0.mlp.up (svd rank 4 with silu)' "$work/out" || fail "silu: $(cat "$work/out")"
expect 64 'blocks.0.mlp.up: svd rank 4 with silu: no one matrix stands for it that svd could cut' "$binary" \
  compress "$work/silu" "$work/none" --method svd --rank 2
[ ! -e "$work/none" ] || fail "a bad rule created its run directory"
echo "1 passed, 0 failed"
