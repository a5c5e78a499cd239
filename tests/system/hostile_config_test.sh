#!/usr/bin/env bash
# A config.json whose sizes are no model's ends every verb that reads one at once: 65, one printable line
# with file and key. Nothing is planned or allocated by it before its tensors are looked at.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"
"$binary" train job.yaml run.dir=run run.steps=1 schedule.warmup=0 2>log || fail "$(cat log)"
step=run/checkpoints/step-1
mkdir model && cp $step/model.safetensors $step/config.json $step/tokenizer*.json model/
head -n 20 text.txt > short.txt
sed '/^model/d; /^tokenizer/d' job.yaml > tune.yaml

refused() {  # PATTERN VERB...: 65 in less than a second and 256 MiB
  local pattern=$1 code=0
  shift
  (ulimit -v 1500000; ulimit -t 2; "$binary" "$@") >out 2>err || code=$?
  [ "$code" = 65 ] || fail "$*: exit code $code, wanted 65: $(head -c 500 err)"
  grep -q -- "$pattern" err || fail "$*: no \"$pattern\" in: $(head -c 500 err)"
  [ "$(wc -l < err)" = 1 ] && [ "$(wc -c < err)" -lt 400 ] || fail "$*: no short line: $(head -c 500 err)"
  [ -z "$(LC_ALL=C tr -d '\n -~' < err)" ] || fail "$*: unprintable: $(od -c err | head)"
}
all_refuse() {  # PATTERN SED-EXPRESSION
  rm -rf bad made && cp -r model bad
  sed -i "$2" bad/config.json
  for verb in "eval bad --tokens 1,2,3" "eval bad short.txt" "generate bad one --tokens 1" "inspect bad" \
    "compress bad made --method svd --rank 1" "export bad made" "export bad made --dense" "import bad made" \
    "train tune.yaml model.from=bad run.dir=tuned" "plan tune.yaml model.from=bad"; do
    # shellcheck disable=SC2086
    refused "bad/config.json: $1" $verb
  done
  [ ! -e made ] && [ ! -e tuned ] || fail "$2: a refused verb wrote"
}
set_key() { printf 's/"%s": [^,]*/"%s": %s/' "$1" "$1" "$2"; }

all_refuse 'vocab_size: 144115188075855873; want an integer' "$(set_key vocab_size 144115188075855873)"
all_refuse 'vocab_size: 2000000000, but transformer.wte.weight is \[300, 32\]; want 300' "$(set_key vocab_size 2000000000)"
all_refuse 'n_embd: 1000000, but transformer.wpe.weight is \[32, 32\]; want 32' "$(set_key n_embd 1000000)"
all_refuse 'n_embd: 4294967296; want' "$(set_key n_embd 4294967296)"
all_refuse 'n_positions: 9223372036854775807; want' "$(set_key n_positions 9223372036854775807)"
all_refuse 'n_inner: 1000000, but transformer.h.0.mlp.c_fc.bias is \[128\]; want 128' "$(set_key n_inner 1000000)"
all_refuse 'n_layer: 1000 layers, but there are only' "$(set_key n_layer 1000)"
all_refuse 'n_layer: 2.9; want' "$(set_key n_layer 2.9)"
all_refuse 'n_head: 1.5; want' "$(set_key n_head 1.5)"
all_refuse 'layer_norm_epsilon: -1; want' "$(set_key layer_norm_epsilon -1)"
all_refuse 'activation_function: "x\\n\\u001b\[31m"; want one of' "$(set_key activation_function '"x\\n\\u001b[31m"')"
all_refuse "activation_function: \"$(printf 'y%.0s' $(seq 50))" "$(set_key activation_function "\"$(printf 'y%.0s' $(seq 100000))\"")"
for document in '[]' null 12 '"x"'; do all_refuse '.*; want an object' "1s/.*/$document/; 2,\$d"; done
echo "1 passed, 0 failed"
