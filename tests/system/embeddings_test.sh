#!/usr/bin/env bash
# Token tables of factors as users have them: from scratch, resumed, cut from a trained model, dense again.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

loss() { "$binary" eval "$1" text.txt --json | sed -n 's/.*"loss":\([^,}]*\).*/\1/p'; }
near() {  # A B TOLERANCE
  awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= t) }'
}
cp job.yaml bert.yaml
sed -i -e 's/^model:.*/model: {family: bert, layers: 2, width: 32, heads: 2, context: 32}/' \
  -e 's/^tokenizer:.*/tokenizer: {kind: wordpiece, vocab: 300}/' bert.yaml
echo 'task: {kind: masked_lm}' >> bert.yaml

# Trained from scratch they learn, resume to the same bits, and become plain directories of the same losses.
table() { echo "linear=[{match: embeddings.token, kind: $1, rank: 6}]"; }
check() {  # NAME JOB OVERRIDE...
  local name=$1 job=$2
  shift 2
  "$binary" train "$job" run.dir="$name" "$@" 2>log || fail "$name: $(cat log)"
  cp -r "$name" "$name-again"
  rm -r "$name-again/checkpoints/step-30"
  "$binary" train "$job" run.dir="$name-again" "$@" 2>log || fail "resume of $name: $(cat log)"
  grep -q "resumed after step 25" log || fail "$name did not resume: $(cat log)"
  for file in model optimizer-0; do
    cmp "$name/checkpoints/step-30/$file.safetensors" "$name-again/checkpoints/step-30/$file.safetensors" ||
      fail "$name: $file differs after resuming"
  done
  losses "$name" | awk 'NR == 1 { first = $2 } { last = $2 } END { exit !(last < first - 0.5) }' ||
    fail "$name does not learn: $(losses "$name" | tail -n 1)"
  "$binary" export "$name" "$name-dense" --dense >out || fail "export of $name"
  grep -q 'all layers dense' out || fail "$(cat out)"
}
check ttm job.yaml "$(table ttm)"
check svd job.yaml "$(table svd)" model.tied=false
check bert bert.yaml "$(table svd)"
for name in ttm svd; do
  near "$(loss $name)" "$(loss $name-dense)" 1e-5 || fail "$name: $(loss $name), dense $(loss $name-dense)"
  [ "$("$binary" generate $name one --tokens 8 --greedy)" = "$("$binary" generate $name-dense one --tokens 8 --greedy)" ] ||
    fail "$name generates otherwise than dense"
done
says 'bert.embeddings.word_embeddings.b' "$binary" inspect bert/checkpoints/step-30
grep -q trainyard bert-dense/config.json && fail "not plain: $(cat bert-dense/config.json)"

# Ranks share them: every rank has the rows of its part of the vocabulary.
mpi 2 train job.yaml run.dir=two "$(table svd)" model.tied=false parallel.tensor=2 2>log || fail "two ranks: $(cat log)"
near "$(loss two)" "$(loss svd)" 1e-2 || fail "two ranks: $(loss two), one $(loss svd)"

# Cut from a trained model: with all ranks the same losses, with fewer a smaller model that trains on.
"$binary" train job.yaml run.dir=run 2>log || fail "train: $(cat log)"
says 'embeddings.token *300 x 32 *svd rank 32 *0.00 %' "$binary" compress run full --method svd --rank 32 --match embeddings.token
near "$(loss full)" "$(loss run)" 1e-5 || fail "full rank: $(loss full) != $(loss run)"
says 'embeddings.token *300 x 32 *ttm in ' "$binary" compress run train --method ttm --error 0 --match embeddings.token
near "$(loss train)" "$(loss run)" 1e-5 || fail "all ranks: $(loss train) != $(loss run)"
says 'embeddings.token *300 x 32 *row_trains out ' "$binary" compress run rows --method row_trains --error 0 --match embeddings.token
near "$(loss rows)" "$(loss run)" 1e-5 || fail "all ranks of rows: $(loss rows) != $(loss run)"
sed -e 's/^model:.*/model: {from: rows}/' -e 's/^tokenizer:.*/tokenizer: {from: rows}/' job.yaml > rows.yaml
mpi 2 train rows.yaml run.dir=rows-two parallel.tensor=2 2>log || fail "trains of rows, two ranks: $(cat log)"
"$binary" train rows.yaml run.dir=rows-one 2>log || fail "trains of rows: $(cat log)"
near "$(loss rows-two)" "$(loss rows-one)" 1e-2 || fail "two ranks: $(loss rows-two), one $(loss rows-one)"
says 'embeddings.token *300 x 32 *svd rank 8' "$binary" compress run cut --method svd --rank 8 --match embeddings.token
sed -e 's/^model:.*/model: {from: cut}/' -e 's/^tokenizer:.*/tokenizer: {from: cut}/' job.yaml > more.yaml
"$binary" train more.yaml run.dir=more run.steps=30 2>log || fail "training on: $(cat log)"
grep -A3 '"embeddings.token"' more/checkpoints/step-30/config.json | grep -q '"rank": 8' || fail "training lost the factors"
awk -v a="$(loss cut)" -v b="$(loss more)" 'BEGIN { exit !(b < a) }' || fail "training does not help: $(loss cut) -> $(loss more)"
# What only ids read multiplies nothing.
says 'embeddings.token *300 x 32 *svd rank 4 *[0-9.]* % *9.60 k *1.33 k$' \
  "$binary" compress svd-dense never --method svd --rank 4 --match embeddings.token --dry-run

# What cannot be is said in one line.
expect 78 'embeddings.token \[300, 32\]: a token table can be dense, svd, ttm or row_trains, not cp' \
  "$binary" train job.yaml run.dir=no 'linear=[{match: embeddings.token, kind: cp, terms: 3}]'
expect 78 'a ttm table has no canonical sums' "$binary" train job.yaml run.dir=no "$(table ttm)" parallel.reduction=canonical
expect 78 'matches no linear layer of a block' "$binary" train more.yaml run.dir=no \
  'adapters=[{match: embeddings.token, kind: lora, rank: 2}]'
[ ! -e no ] || fail "a refused job left a directory"
echo "1 passed, 0 failed"
