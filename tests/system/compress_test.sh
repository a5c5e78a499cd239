#!/usr/bin/env bash
# compress, export and import as users run them, on a tiny trained run: tables, files, training on, errors.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

loss() { "$binary" eval "$1" text.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p'; }
near() {  # A B TOLERANCE
  awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t) }'
}
tree() { find . -path ./run -prune -o -type f -print | sort; }

"$binary" train job.yaml run.dir=run 2>log || fail "train: $(cat log)"

# The table first, and nothing else with --dry-run.
tree > before
says 'blocks.1.mlp.down *128 x 32 *svd rank 12 .*4.10 k *1.92 k *8.19 k *3.84 k' \
  "$binary" compress run --method svd --keep 50% --dry-run
grep -q 'parameters of the model: 36.1 k (36096) -> 27.4 k (27392), 75.9 %' out || fail "no totals: $(cat out)"
grep -q 'svd  4/4  blocks.1.mlp.down' err || fail "no progress: $(cat err)"
says '4 layers' "$binary" compress run never --method ttm --rank 4 --dry-run
rm -f out err && tree | diff before - || fail "--dry-run left files"
json 'maps path in out spec relative_error parameters_before parameters_after flops_per_token_before
  flops_per_token_after predicted_time_ratio ratio method source directory' "$binary" compress run --method ttm --rank 4 --dry-run

# Every budget and both methods give models that evaluate, generate, are inspected and trained on.
says 'ttm in \[4, 4, 2\] out \[4, 4, 8\] ranks \[6, 6\]' \
  "$binary" compress run ttm --method ttm --rank 6 --match 'blocks.*.mlp.up' --in 4,4,2 --out 4,4,8
json 'relative_error' "$binary" compress ttm svd --method svd --error 10% \
  --match 'blocks.*.mlp.down,blocks.*.attn.*' --match embeddings.token
ls svd | tr '\n' ' ' | grep -qx 'config.json model.safetensors tokenizer.json tokenizer_config.json ' ||
  fail "files: $(ls svd)"
[ "$(grep -c '"kind"' svd/config.json)" = 9 ] || fail "nine factorised layers: $(cat svd/config.json)"
says 'transformer.wte.a' "$binary" inspect svd
# The most likely tokens do not depend on a seed; drawn ones do.
text() { "$binary" generate svd 'one and' --tokens 8 "$@"; }
[ "$(text --greedy --seed 1)" = "$(text --temperature 0 --seed 2)" ] || fail "greedy depends on the seed"
[ "$(text --temperature 9 --seed 1)" != "$(text --temperature 9 --seed 2)" ] || fail "draws ignore the seed"
case $(text --greedy) in 'one and'?*) ;; *) fail "no text after the prompt: $(text --greedy)" ;; esac
says 'kronecker 3 x' "$binary" compress run kronecker --method kronecker --rank 3 --match '*.mlp.down'
near "$(loss kronecker)" "$(loss run)" 0.5 || fail "loss $(loss kronecker), before $(loss run)"
near "$(loss svd)" "$(loss run)" 0.5 || fail "loss $(loss svd), before $(loss run)"
near "$(loss svd)" "$(loss run)" 0 && fail "cut factors cannot give the same loss"
sed -e 's/^model:.*/model: {from: svd}/' -e 's/^tokenizer:.*/tokenizer: {from: svd}/' job.yaml > more.yaml
"$binary" train more.yaml run.dir=more run.steps=60 2>log || fail "training on: $(cat log)"
[ "$(grep -c '"kind"' more/checkpoints/step-60/config.json)" = 9 ] || fail "training lost the factors"
awk -v a="$(loss svd)" -v b="$(loss more)" 'BEGIN { exit !(b < a - 0.1) }' ||
  fail "60 steps do not help: $(loss svd) -> $(loss more)"

# Full rank changes nothing.
"$binary" compress run full --method svd --rank 1000 --match '*' >/dev/null 2>err || fail "full rank"
grep -q 'warning: 9 of 9 layers do not get smaller' err || fail "no warning: $(cat err)"
near "$(loss full)" "$(loss run)" 1e-5 || fail "full rank: $(loss full) != $(loss run)"

# One form turns into another: with all ranks nothing is lost on the way, and every step says what it loses.
says 'was *becomes .*' "$binary" compress full trains --method ttm --rank 1000 --match 'blocks.*.mlp.*'
grep -q 'svd rank 32 *ttm in .* 0.00 %' out || fail "svd into ttm: $(cat out)"
says 'ttm in .*kronecker .* 0.00 %' "$binary" compress trains products --method kronecker --rank 1000 --match 'blocks.*.mlp.*'
says 'kronecker .*svd rank 3 ' "$binary" compress products cut3 --method svd --rank 3 --match 'blocks.*.mlp.*'
near "$(loss products)" "$(loss run)" 1e-4 || fail "forms: $(loss products) != $(loss run)"
"$binary" compress run straight --method svd --rank 3 >/dev/null 2>err || fail "$(cat err)"
near "$(loss cut3)" "$(loss straight)" 1e-4 || fail "by forms: $(loss cut3) != $(loss straight)"

# Each layer its own method and size; together they keep to the budget, with less error than one method for all.
squares() { sed 's/"relative_error":/\n&/g' out | sed -n 's/"relative_error":\([^,}]*\).*/\1/p' | awk '{ s += $1 * $1 } END { print s }'; }
json 'relative_error' "$binary" compress run --method svd --keep 50% --dry-run
one=$(squares)
json 'relative_error method' "$binary" compress run found --search svd,ttm --keep 50%
sed 's/"parameters_after":/\n&/g' out | sed -n 's/"parameters_after":\([0-9]*\).*/\1/p' | head -4 |
  awk '{ s += $1 } END { exit !(s > 0.4 * 16384 && s <= 8192) }' || fail "not half of the weights: $(cat out)"
awk -v a="$(squares)" -v b="$one" 'BEGIN { exit !(a <= b) }' || fail "search $(squares), svd alone $one"
near "$(loss found)" "$(loss run)" 0.5 || fail "loss $(loss found), before $(loss run)"
says 'time: predicted' "$binary" compress run --search svd,kronecker --time 90% --dry-run

# Dense again, as it is, and imported: the same losses; plain names only.
json 'directory parameters factorised_maps bytes' "$binary" export svd dense --dense
grep -q '"factorised_maps":0.*"parameters":36096' out || fail "$(cat out)"
grep -q trainyard_linear dense/config.json && fail "dense config.json names factors"
near "$(loss dense)" "$(loss svd)" 1e-5 || fail "export --dense: $(loss dense) != $(loss svd)"
says 'copy .*9 factorised layers' "$binary" export svd copy
cmp svd/model.safetensors copy/model.safetensors || fail "a copy differs"
says 'model .*all layers dense' "$binary" export run model
[ "$(ls model)" = "$(ls svd)" ] || fail "export of a run: $(ls model)"
json 'directory' "$binary" import dense again
cmp dense/model.safetensors again/model.safetensors || fail "import changes tensors"

# What config.json says is kept from verb to verb. A run states its end of text; factorised layers another type.
keys() {  # DIRECTORY KEY=VALUE...
  local directory=$1
  shift
  for want in "$@"; do
    grep -q "\"${want%%=*}\": ${want#*=}" "$directory/config.json" ||
      fail "$directory: no $want: $(cat "$directory/config.json")"
  done
}
keys run/checkpoints/step-30 bos_token_id=299 eos_token_id=299 dtype='"float32"' attn_pdrop=0.1 embd_pdrop=0.1 resid_pdrop=0.1
sed -i -e 's/"attn_pdrop": 0.1/"attn_pdrop": 0.0, "own_key": [1, 2.5]/' -e 's/"resid_pdrop": 0.1/"resid_pdrop": 0.25/' \
  -e 's/"eos_token_id": 299/"eos_token_id": 7/' again/config.json
cat > kept.yaml <<YAML
schema: 1
run: {name: kept, dir: kept, steps: 1, device: cpu}
model: {from: cut}
data: {train: text.txt, sequence: 16, batch: 2}
YAML
"$binary" import again kept1 >/dev/null && "$binary" compress kept1 cut --method svd --rank 3 >out 2>err &&
  "$binary" export cut kept2 --dense >/dev/null && "$binary" train kept.yaml 2>log &&
  "$binary" train kept.yaml run.dir=kept3 model.dropout=0.2 2>log || fail "$(cat err log)"
for directory in kept1 cut kept2 kept/checkpoints/step-1; do
  keys $directory eos_token_id=7 bos_token_id=299 attn_pdrop=0.0 embd_pdrop=0.1 resid_pdrop=0.25
  tr -d ' \n' < $directory/config.json | grep -q '"own_key":\[1,2.5\]' || fail "$directory: own_key is lost"
done
keys kept3/checkpoints/step-1 eos_token_id=7 attn_pdrop=0.2 embd_pdrop=0.2 resid_pdrop=0.2
keys kept2 model_type='"gpt2"' activation_function='"gelu_new"'
keys cut model_type='"trainyard_gpt2"' activation_function='"trainyard:gelu_new"'
keys kept3/checkpoints/step-1 model_type='"trainyard_gpt2"'

# An error that factors of 16 bits cannot keep is said, beside what is true of them.
"$binary" train job.yaml run.dir=half run.steps=1 schedule.warmup=0 precision.weights=bf16 2>log || fail "$(cat log)"
json 'relative_error' "$binary" compress half near --method svd --error 0.0001
grep -q 'warning: --error 0.0001 cannot be kept by 4 of 4 layers: rounding the factors of blocks.0.mlp.up to bf16' err ||
  fail "no warning: $(cat err)"
grep -q '"relative_error":0.00[1-9]' out || fail "not the error of what is stored: $(cat out)"

# Errors: one line, nothing written.
rm -f out err && tree > before
bad() { local pattern=$1; shift; expect 64 "$pattern" "$binary" "$@"; [ "$(wc -l < err)" = 1 ] || fail "$(cat err)"; }
bad 'got sdv; want one of svd, ttm, fwsvd, .*(did you mean "svd"?)' compress run x --method sdv --rank 3
bad 'search: wants --keep SHARE of the weights, or --time SHARE' compress run x --search svd
bad 'rank: is chosen for each layer by --search' compress run x --search svd --rank 3
expect 64 'search: these methods need' "$binary" compress run x --search svd --keep 1%
bad 'time: is of --search' compress run x --method svd --keep 50% --time 50%
bad 'method: missing; want svd or ttm or fwsvd' compress run x --rank 3
bad 'wants one of --rank N, --keep SHARE and --error EPS, got none' compress run x --method svd
bad 'got --rank and --error' compress run x --method svd --rank 3 --error 0.1
bad 'keep: got 150%; want a number > 0 and <= 1, or a percentage' compress run x --method svd --keep 150%
bad 'error: got big; want a number >= 0 and < 1' compress run x --method svd --error big
bad 'rank: got 0; want an integer >= 1' compress run x --method svd --rank 0
bad 'less than rank 1 needs, 160 of 4096 weights; want 0.0391 or more' compress run x --method svd --keep 1%
bad 'svd: exists already' compress run svd --method svd --rank 3
bad 'is not a directory; make that first' compress run none/x --method svd --rank 3
bad '"\*.mpl" matches no linear layer of .*; there are: embeddings.token, blocks.0.attn.qkv' \
  compress run x --method svd --rank 3 --match '*.mpl'
bad 'a token table, which cannot be cut by cp; want --method svd or ttm' compress run x --method cp --rank 3 --match '*'
bad 'in modes \[4, 4\] multiply to 16, but the layer has 32 in features' \
  compress run x --method ttm --rank 3 --in 4,4 --out 8,16
bad '--in alone; give modes of both sides' compress run x --method ttm --rank 3 --in 4,8
bad 'in: got 4x; want a list of integers' compress run x --method ttm --rank 3 --in 4x,8 --out 8,16
bad 'in: means nothing to --method svd' compress run x --method svd --rank 3 --in 4,8 --out 8,16
bad 'cores: got 9; want an integer >= 1 and <= 6' compress run x --method ttm --rank 3 --cores 9
bad '"y" is one word too many' compress run x y --method svd --rank 3
bad 'the directory to write is missing' compress run --method svd --rank 3
bad 'dense: exists already' export svd dense --dense
bad 'the directory to write is missing' import dense
bad 'no model here' export nowhere x
cp -r dense broken && head -c 5000 dense/model.safetensors > broken/model.safetensors
expect 65 'broken/model.safetensors' "$binary" import broken x
rm -rf out err broken && tree | diff before - || fail "refused commands left files"
echo "1 passed, 0 failed"
