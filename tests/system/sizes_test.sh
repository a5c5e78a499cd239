#!/usr/bin/env bash
# Parameters of known models, by plans that allocate nothing: published counts of the public library's classes
# and what ranks of factorised MLPs make of them.
. "$(dirname "$0")/common.sh"
sizes=$(cd "$(dirname "$0")/../../configs/sizes" && pwd)
cd "$work"

has() {  # COUNT CONFIG OVERRIDES...
  local count=$1
  shift
  says "\"parameters\":$count," "$binary" plan "$@" --json
}
cat > gpt2.yaml <<YAML
schema: 1
run: {name: gpt2}
model: {family: gpt2, layers: 12, width: 768, heads: 12, context: 1024, vocab: 50257}
data: {sequence: 128, batch: 8}
YAML
medium="model.layers=24 model.width=1024 model.heads=16"
has 124439808 gpt2.yaml
has 81912576 gpt2.yaml model.layers=6
has 67736832 gpt2.yaml model.layers=4
# shellcheck disable=SC2086
has 354823168 gpt2.yaml $medium
# shellcheck disable=SC2086
has 218303488 gpt2.yaml $medium 'linear=[{match: "*.mlp.up", kind: ttm, rank: 72, in: [8, 8, 16], out: [8, 32, 16]},
  {match: "*.mlp.down", kind: ttm, rank: 72, in: [8, 32, 16], out: [8, 8, 16]}]'
# shellcheck disable=SC2086
has 220920832 gpt2.yaml $medium 'linear=[{match: "blocks.{0..16}.mlp.*", kind: svd, rank: 50}]'

# OPT-350m has keys that only its directory can say; of one, a plan reads config.json alone.
mkdir opt
cat > opt/config.json <<JSON
{"model_type": "opt", "architectures": ["OPTForCausalLM"], "hidden_size": 1024, "num_hidden_layers": 24,
 "num_attention_heads": 16, "ffn_dim": 4096, "max_position_embeddings": 2048, "vocab_size": 50272,
 "word_embed_proj_dim": 512, "do_layer_norm_before": false, "activation_function": "relu"}
JSON
has 331196416 gpt2.yaml 'model={from: opt}'
has 109482240 "$sizes/bert-base.yaml"
has 109483778 "$sizes/bert-base.yaml" model.head=task 'task={kind: classification, labels: 2}'
has 66362880 "$sizes/bert-base.yaml" model.family=distilbert model.layers=6
has 139420416 "$sizes/bart-base.yaml"
# 85798656 of the body and 590592 of the pooler.
has 86389248 "$sizes/bert-base.yaml" 'model={family: vit, image: 224, patch: 16, vocab: 1, head: none}'

table() {  # NAME RANK:PARAMETERS...: one command gives them all
  local name=$1 ranks row
  shift
  ranks=$(printf '%s\n' "$@" | cut -d: -f1 | paste -sd,)
  "$binary" plan "$sizes/$name.yaml" --linear-ranks "$ranks" --json >out 2>err || fail "$name: $(cat err)"
  is_json out dense_parameters ranks
  for row in "$@"; do
    grep -q "\"parameters\":${row#*:},\"rank\":${row%:*}," out || fail "$name: no $row in $(cat out)"
  done
}
table bert-svd 6:53412096 183:69724416 534:102072576
table bert-ttm 10:53373696 60:69770496 110:102078720
table bart-svd 10:83718912 210:102150912 460:125190912
table bart-ttm 10:83311872 64:102015744 96:125780736
says '110 .*102078720 .*93.2 %.*96, 110' "$binary" plan "$sizes/bert-ttm.yaml" --linear-ranks 110
expect 78 'linear: no rule makes layers that have a rank' "$binary" plan "$sizes/bert-base.yaml" --linear-ranks 5
expect 78 'model.head: none leaves nothing' "$binary" train "$sizes/bert-base.yaml" run.dir=no
[ ! -e no ] || fail "a refused job left a directory"
echo "1 passed, 0 failed"
