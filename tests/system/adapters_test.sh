#!/usr/bin/env bash
# Adapters as their users run them: what is stored and how often, going on, other layouts, the public
# library's form, and adding them in.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
loss_of() { "$binary" eval "$1" text.txt --json 2>/dev/null | grep -o '"loss":[-+.e0-9]*' | cut -d: -f2; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { exit !((a - b) ^ 2 < 1e-10) }' || fail "$3: losses $1 and $2"; }

base=(job.yaml tokenizer.kind=bytes model.dropout=0 run.steps=6 checkpoint.every=2 checkpoint.keep=9
  schedule.warmup=2 data.batch=4)
"$binary" train "${base[@]}" run.dir=base 2>log || fail "the base: $(cat log)"
from=(model.from=base/checkpoints/step-6)
rules='adapters=[{match: "*.mlp.*", kind: lora, rank: 2, dora: true}, {match: "*.attn.qkv", kind: lora, rank: 3, dora: true, parts: [q, v]}]'
tune=("${base[@]}" "${from[@]}" "$rules")

# What is trained is counted for each rule.
json 'trained_by_rule' "$binary" plan "${tune[@]}"
says 'adapters\[0\] \*.mlp.\*  *1600 ' "$binary" plan "${tune[@]}"
says 'what is trained .*numbers .*%' "$binary" plan "${tune[@]}"

# Frozen weights are one file on disk, however many checkpoints have it; trained ones are small.
"$binary" train "${tune[@]}" run.dir=tuned 2>log || fail "tuning: $(cat log)"
[ "$(stat -c %h tuned/checkpoints/step-6/model-frozen.safetensors)" = 3 ] || fail "frozen weights were stored again"
[ "$(stat -c %s tuned/checkpoints/step-6/model-trained.safetensors)" -lt 12000 ] || fail "more than adapters"
[ ! -e tuned/checkpoints/step-6/model.safetensors ] || fail "all weights were stored"

# A run that goes on is the run; it links to what it found. A copy has files of its own.
cp -r tuned again && rm -r again/checkpoints/step-6
"$binary" train "${tune[@]}" run.dir=again 2>log || fail "going on: $(cat log)"
grep -q 'resumed after step 4' log || fail "going on: $(cat log)"
for file in model-trained model-frozen optimizer-0; do
  cmp {again,tuned}/checkpoints/step-6/$file.safetensors || fail "going on: another $file"
done
[ "$(stat -c %h again/checkpoints/step-6/model-frozen.safetensors)" = 2 ] || fail "going on stored frozen weights"
for layout in 'parallel.data=2 parallel.zero=1' 'parallel.tensor=2' 'parallel.pipeline=2 parallel.microbatches=2'; do
  rm -rf again && cp -r tuned again && rm -r again/checkpoints/step-6
  # shellcheck disable=SC2086
  mpi 2 train "${tune[@]}" run.dir=again $layout 2>log || fail "$layout: $(cat log)"
  near "$(loss_of again)" "$(loss_of tuned)" "$layout"
done
[ -e again/checkpoints/step-6/model-frozen-00002-of-00002.safetensors ] || fail "stages: $(ls again/checkpoints/step-6)"

# A damaged file of frozen weights is found where they are; another precision stores them anew.
cp -r tuned hurt && printf 'X' | dd of=hurt/checkpoints/step-6/model-frozen.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
"$binary" eval hurt text.txt >out 2>err || fail "a copy of one is whole: $(cat err)"
grep -q 'step 6: .*model-frozen.safetensors: hash' err || fail "no word of damage: $(cat err)"
rm -rf again && cp -r tuned again && rm -r again/checkpoints/step-6
"$binary" train "${tune[@]}" run.dir=again precision.compute=bf16 2>log || fail "bf16: $(cat log)"
[ "$(stat -c %h again/checkpoints/step-6/model-frozen.safetensors)" = 1 ] || fail "bf16: linked to fp32"

# The public library's form, there and back; added in; under a run that adapts another base.
"$binary" export tuned peft --adapters >out 2>err || fail "export: $(cat err)"
grep -q '6 adapted modules' out || fail "export: $(cat out)"
grep -q '"base_model_name_or_path": ".*base/checkpoints/step-6"' peft/adapter_config.json ||
  fail "no base in $(cat peft/adapter_config.json)"
"$binary" import peft back >log 2>&1 || fail "import: $(cat log)"
near "$(loss_of back)" "$(loss_of tuned)" "there and back"
"$binary" export tuned dense --dense >log 2>&1 || fail "dense: $(cat log)"
near "$(loss_of dense)" "$(loss_of tuned)" "added in"
"$binary" train "${base[@]}" model.from=back run.dir=on 2>log || fail "on from adapters: $(cat log)"
grep -q 'adapters of model.from' <("$binary" plan "${base[@]}" model.from=back) || fail "they are not trained"

# pissa starts as its base, and is written as a change of it.
"$binary" train "${base[@]}" "${from[@]}" run.dir=pissa \
  'adapters=[{match: "*.mlp.*", kind: lora, rank: 2, init: pissa}]' 2>log || fail "pissa: $(cat log)"
"$binary" export pissa pissa-peft --adapters >out 2>err || fail "pissa: $(cat err)"
grep -q '"r": 4' pissa-peft/adapter_config.json || fail "pissa: $(cat pissa-peft/adapter_config.json)"
"$binary" import pissa-peft pissa-back >log 2>&1 || fail "pissa: $(cat log)"
near "$(loss_of pissa-back)" "$(loss_of pissa)" "pissa there and back"

# A bottleneck behind a layer: trained alone, in every layout, beside factors; never added in.
behind='adapters=[{match: "*.attn.out", kind: bottleneck, width: 6}, {match: "*.mlp.down", kind: bottleneck, width: 5, activation: relu}]'
says 'adapters\[1\] \*.mlp.down  *714 ' "$binary" plan "${base[@]}" "${from[@]}" "$behind"
"$binary" train "${base[@]}" "${from[@]}" "$behind" run.dir=behind 2>log || fail "bottlenecks: $(cat log)"
[ "$(stat -c %h behind/checkpoints/step-6/model-frozen.safetensors)" = 3 ] || fail "bottlenecks: frozen weights were stored again"
for layout in 'parallel.tensor=2' 'parallel.tensor=2 parallel.sequence=true' 'parallel.pipeline=2 parallel.microbatches=2'; do
  rm -rf again && cp -r behind again && rm -r again/checkpoints/step-6
  # shellcheck disable=SC2086
  mpi 2 train "${base[@]}" "${from[@]}" "$behind" run.dir=again $layout 2>log || fail "$layout: $(cat log)"
  near "$(loss_of again)" "$(loss_of behind)" "bottlenecks, $layout"
done
expect 65 'blocks.0.attn.out: dense + bottleneck of 6: no one matrix stands for it' "$binary" export behind none --dense
expect 65 'blocks.0.attn.out: dense + bottleneck of 6, for which peft has no form' "$binary" export behind none --adapters
expect 64 'none of the layers can have lora; blocks.0.attn.qkv is dense, and wants an adapter of kind lora' \
  "$binary" statistics behind --data text.txt --kind lora
"$binary" compress behind cut --method svd --rank 32 --match '*.mlp.down' --keep-adapters >out 2>err || fail "$(cat err)"
grep -q 'dense + bottleneck of 5 with relu *svd rank 32 + bottleneck of 5 with relu' out || fail "kept: $(cat out)"
near "$(loss_of cut)" "$(loss_of behind)" "cut at full rank"

# What cannot be is said in a line.
expect 64 'peft: adapters of a model, not the model: trainyard import peft OUT --base MODEL' "$binary" eval peft text.txt
expect 65 'base: has no adapters\|step-6: has no adapters' "$binary" export base none --adapters
sed -i 's|"base_model_name_or_path": "[^"]*"|"base_model_name_or_path": "elsewhere"|' peft/adapter_config.json
expect 65 'base_model_name_or_path: "elsewhere" is no directory here; name the model: --base' "$binary" import peft none
expect 65 'started with pissa, which changed its base; name the original: --base' \
  "$binary" export pissa none --adapters --base elsewhere
expect 64 'adapters, --dense: .* want one' "$binary" export tuned none --adapters --dense
sed -i 's|"lora_bias": false|"lora_bias": true|; s|"revision": null|"lora_bias": true|' peft/adapter_config.json
expect 65 'adapter_config.json: "lora_bias": is not supported' "$binary" import peft none --base base
expect 78 'optim.train: matches blocks.0.attn.qkv.weight, which lies under a dora adapter' \
  "$binary" plan "${tune[@]}" 'optim.train=["*.attn.qkv.weight"]'
[ ! -e none ] || fail "something was written"
echo "1 passed, 0 failed"
