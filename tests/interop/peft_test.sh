#!/usr/bin/env bash
# The peft library gives the logits of our models with the adapters that we write, of every kind of them.
# PYTHON: another one than that of tools/peers/setup.
. "$(dirname "$0")/../system/common.sh"
python=${PYTHON:-${TY_PEERS_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/trainyard-peers}/bin/python}
if ! "$python" -c 'import peft' 2>/dev/null; then
  echo "skipped: $python has no peft; run tools/peers/setup"
  exit 77
fi
export OMP_NUM_THREADS=1
here=$(cd "$(dirname "$0")" && pwd)
cd "$work"
compare() { "$python" "$here/compare_peft.py" "$@" 2>log || fail "$*: $(tail -n 5 log)"; }
checked=0
adapters() {  # NAME BASE LABELS RULES [KEY=VALUE ...]: trains, writes and compares
  local name=$1 base=$2 labels=$3 rules=$4
  shift 4
  "$binary" train "$job" model.from="$base" run.dir="$name" run.steps=4 schedule.warmup=1 "adapters=$rules" "$@" \
    2>log || fail "$name: $(tail -n 3 log)"
  "$binary" export "$name" "$name-peft" --adapters >log 2>&1 || fail "export $name: $(cat log)"
  "$binary" eval "$name" --inputs inputs.safetensors --logits "$name.safetensors" >log 2>&1 ||
    fail "eval $name: $(cat log)"
  # shellcheck disable=SC2086
  compare "$base" "$name-peft" "$name.safetensors" inputs.safetensors $labels
  checked=$((checked + 1))
}

# GPT-2, whose q, k and v are one module there.
job=job.yaml
"$binary" train job.yaml run.dir=gpt2 run.steps=2 schedule.warmup=1 2>log || fail "gpt2: $(tail -n 3 log)"
compare inputs inputs.safetensors 250
base=gpt2/checkpoints/step-2
adapters q-v $base "" '[{match: "*.attn.qkv", kind: lora, rank: 3, alpha: 8, dropout: 0.1, parts: [q, v]}]'
adapters uneven $base "" '[{match: "*", kind: lora, rank: 4, rslora: true}, {match: "blocks.1.mlp.*", kind: lora, rank: 2, alpha: 3}]'
adapters dora $base "" '[{match: "*.attn.*", kind: lora, rank: 2, dora: true, parts: []}, {match: "*.mlp.up", kind: lora, rank: 3, dora: true}]'
adapters dora-v $base "" '[{match: "*.attn.qkv", kind: lora, rank: 2, dora: true, parts: [v]}]'
adapters pissa $base "" '[{match: "*.attn.qkv", kind: lora, rank: 2, init: pissa, parts: [q, v]}, {match: "*.mlp.*", kind: lora, rank: 3, init: pissa}]'
adapters biases $base "" '[{match: "*.mlp.*", kind: lora, rank: 2}]' 'optim.train=["*.bias"]'

# BERT, whose q, k and v are apart, with a head that its base has not.
printf 'text\tlabel\n' > pairs.tsv
awk 'NR <= 64 { print $0 "\t" NR % 3 }' text.txt >> pairs.tsv
cat > bert.yaml <<'YAML'
schema: 1
run: {name: bert, steps: 2, seed: 2, device: cpu}
task: {kind: classification}
data: {train: pairs.tsv, valid: pairs.tsv, first: text, answer: label, sequence: 16, batch: 12}
optim: {lr: 1e-2}
log: {every: 1}
YAML
"$binary" train job.yaml run.dir=bert run.steps=2 schedule.warmup=1 model.family=bert model.width=24 model.heads=4 \
  model.inner=40 task.kind=masked_lm tokenizer.kind=wordpiece 2>log || fail "bert: $(tail -n 3 log)"
job=bert.yaml base=bert/checkpoints/step-2
compare inputs inputs.safetensors 50
adapters bert-q-v $base 3 '[{match: "*.attn.qkv", kind: lora, rank: 3, alpha: 8, parts: [q, v]}]'
adapters bert-all $base 3 '[{match: "*", kind: lora, rank: 3, alpha: 8}]'
adapters bert-dora $base 3 '[{match: "*.attn.qkv", kind: lora, rank: 2, dora: true, parts: [q, v]}, {match: "*.mlp.down", kind: lora, rank: 2, dora: true}]'
adapters bert-pissa $base 3 '[{match: "*.attn.qkv", kind: lora, rank: 2, init: pissa, parts: [q, v]}]'

echo "$checked passed, 0 failed"
