#!/usr/bin/env bash
# Tasks besides language modelling, on tiny generated data of the public formats: labels and numbers of
# texts and pairs, masked tokens, texts from texts, images; over ranks, with resume, from a model directory.
. "$(dirname "$0")/common.sh"
cd "$work"

# The label says whether "good" occurs; the pair's number is how many words agree.
awk 'BEGIN { srand(1); split("film plot cast scene music story", w, " ");
  print "sentence\tlabel" > "train.tsv"; print "sentence\tlabel" > "dev.tsv";
  for (i = 0; i < 400; i++) { y = i % 2; s = "";
    for (k = 0; k < 3 + i % 5; k++) s = s w[int(rand() * 6) + 1] " ";
    print s (y ? "good" : "bad") " end\t" y > (i < 320 ? "train.tsv" : "dev.tsv") }
  for (i = 0; i < 200; i++) { a = w[i % 6 + 1]; b = w[int(i / 6) % 6 + 1];
    print "{\"a\": \"" a " one\", \"b\": \"" b " one\", \"close\": " (a == b) ", \"long\": \"" a " and " b "\", \"short\": \"" b "\"}" > "pairs.jsonl" } }'
cat > task.yaml <<YAML
schema: 1
run: {name: task, dir: run, seed: 1, steps: 60}
model: {family: bert, layers: 2, width: 32, heads: 2, context: 32}
tokenizer: {kind: wordpiece, vocab: 300}
task: {kind: classification}
data: {train: train.tsv, valid: dev.tsv, dataset: sst2, sequence: 32, batch: 16}
optim: {lr: 5e-3, clip: 1.0}
schedule: {name: linear, warmup: 5}
checkpoint: {every: 20}
log: {every: 1}
YAML
last() { grep "\"$2\":" "$1/metrics.jsonl" | tail -1 | sed "s/.*\"$2\":\([^,}]*\).*/\1/"; }
above() { awk -v got="$1" -v want="$2" 'BEGIN { exit !(got >= want) }' || fail "$3: $1, wanted $2"; }

# It learns; ranks and a resumed run give the same numbers.
"$binary" train task.yaml 2>log || fail "classification: $(tail -3 log)"
above "$(last run accuracy)" 0.95 accuracy
"$binary" train task.yaml run.dir=part run.steps=20 2>log || fail "first part: $(tail -3 log)"
"$binary" train task.yaml run.dir=part run.allow_changes=true 2>log || true
for axes in "data=2" "tensor=2" "pipeline=2"; do
  mpi 2 train task.yaml run.dir="run-$axes" "parallel.$axes" 2>log || fail "$axes: $(tail -3 log)"
  awk -v a="$(last run loss)" -v b="$(last "run-$axes" loss)" \
    'BEGIN { d = a - b; exit !(d < 1e-3 && d > -1e-3) }' || fail "$axes: other losses"
done

# eval knows the run's columns; answers have the labels' names.
json "loss accuracy examples" "$binary" eval run dev.tsv --predictions answers.txt
[ "$(wc -l < answers.txt)" = 80 ] && grep -q '^positive$' answers.txt || fail "answers: $(head -3 answers.txt)"
expect 65 'sentence' "$binary" eval run pairs.jsonl

# Another task from the same body: what its head lacks is drawn, and said.
sed -e '/^tokenizer:/d' -e 's|^model:.*|model: {from: run/checkpoints/step-60}|' \
  -e 's|^task:.*|task: {kind: regression}|' \
  -e 's|^data:.*|data: {train: pairs.jsonl, valid: pairs.jsonl, first: a, second: b, answer: close, sequence: 32, batch: 16}|' \
  task.yaml > more.yaml
expect 0 'freshly drawn.*head.labels' "$binary" train more.yaml run.dir=more run.steps=5
grep -q '"pearson":' more/metrics.jsonl || fail "regression has no pearson"

# Masked tokens, and a text from a text.
"$binary" train task.yaml run.dir=masked run.steps=10 "task={kind: masked_lm, whole_words: true}" \
  "data={train: text.txt, valid: text.txt, sequence: 32, batch: 8}" 2>log || fail "masked: $(tail -3 log)"
sed -e 's/^model:.*/model: {family: bart, layers: 2, width: 32, heads: 2, context: 32}/' \
  -e 's/^tokenizer:.*/tokenizer: {kind: bpe, vocab: 300}/' -e 's/^task:.*/task: {kind: seq2seq}/' \
  -e 's|^data:.*|data: {train: pairs.jsonl, valid: pairs.jsonl, first: long, answer: short, sequence: 32, batch: 16}|' \
  task.yaml > summary.yaml
"$binary" train summary.yaml run.dir=summary 2>log || fail "seq2seq: $(tail -3 log)"
awk -v got="$(last summary valid_loss)" 'BEGIN { exit !(got < 1.5) }' || fail "seq2seq: $(last summary valid_loss)"

# Images: a bright and a dark class in the binary form of CIFAR-10.
LC_ALL=C awk 'BEGIN { for (i = 0; i < 40; i++) { printf "%c", i % 2; for (k = 0; k < 3072; k++) printf "%c", i % 2 ? 235 : 20 } }' \
  > images.bin
sed -e 's/^model:.*/model: {family: vit, layers: 1, width: 16, heads: 2, image: 32, patch: 8}/' -e '/^tokenizer:/d' \
  -e 's/^task:.*/task: {kind: image_classification}/' \
  -e 's|^data:.*|data: {train: images.bin, valid: images.bin, dataset: cifar10, batch: 8}|' task.yaml > images.yaml
"$binary" train images.yaml run.dir=images 2>log || fail "images: $(tail -3 log)"
above "$(last images accuracy)" 0.95 "accuracy of images"

# What does not fit is refused in one line.
expect 78 'task.kind.*masked_lm' "$binary" train task.yaml run.dir=no "task={kind: causal_lm}"
expect 78 'task.kind.*read texts' "$binary" train task.yaml run.dir=no "task={kind: image_classification}"
expect 78 'early_stop.metric' "$binary" train task.yaml run.dir=no run.eval_every=10 "run.early_stop={metric: pearson, patience: 1}"
[ ! -e no ] || fail "a refused job left a directory"
echo "1 passed, 0 failed"
