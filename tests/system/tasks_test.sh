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

# Each example twice: another loss, which counts what the answers to both differ by; no other number of examples.
"$binary" train task.yaml run.dir=twice run.steps=20 model.dropout=0.3 2>log || fail "once: $(tail -3 log)"
mv twice once
"$binary" train task.yaml run.dir=twice run.steps=20 model.dropout=0.3 task.consistency=50 2>log || fail "twice: $(tail -3 log)"
[ "$(last once tokens)" = "$(last twice tokens)" ] || fail "examples: $(last once tokens), twice $(last twice tokens)"
first_loss() { grep -m 1 '"loss":' "$1/metrics.jsonl" | sed 's/.*"loss":\([^,}]*\).*/\1/'; }
above "$(first_loss twice)" "$(first_loss once)" "loss with what both differ by"
[ "$("$binary" plan task.yaml model.dropout=0.1 task.consistency=2 --json | sed 's/.*"matrix_flops":\([0-9.e+]*\).*/\1/')" != \
  "$("$binary" plan task.yaml model.dropout=0.1 --json | sed 's/.*"matrix_flops":\([0-9.e+]*\).*/\1/')" ] || fail "the plan counts one pass"
expect 78 'task.consistency: runs each example twice' "$binary" train task.yaml run.dir=no task.consistency=2 parallel.sequence=true

sed -e 's/steps: 200}/steps: 6}/' -e 's/warmup: 20/warmup: 1/' "$(dirname "$0")/../../configs/smaller/lpaf.yaml" > lpaf.yaml
"$binary" train lpaf.yaml model.from=run tokenizer.from=run/tokenizer data.train=train.tsv data.valid=dev.tsv data.sequence=32 \
  run.dir=lpaf 2>log || fail "lpaf.yaml: $(tail -3 log)"
grep -q '"kind": *"svd"' lpaf/checkpoints/step-6/config.json || fail "lpaf.yaml: no factors"
expect 78 'task.consistency: compares two passes that nothing tells apart' "$binary" train task.yaml run.dir=no task.consistency=2

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
sed -e 's/dataset: sst2, //' task.yaml > masked.yaml
"$binary" train masked.yaml run.dir=masked run.steps=10 "task={kind: masked_lm, whole_words: true}" \
  "data={train: text.txt, valid: text.txt, sequence: 32, batch: 8}" 2>log || fail "masked: $(tail -3 log)"
sed -e 's/^model:.*/model: {family: bart, layers: 2, width: 32, heads: 2, context: 32}/' \
  -e 's/^tokenizer:.*/tokenizer: {kind: bpe, vocab: 300}/' -e 's/^task:.*/task: {kind: seq2seq}/' \
  -e 's|^data:.*|data: {train: pairs.jsonl, valid: pairs.jsonl, first: long, answer: short, sequence: 32, batch: 16}|' \
  task.yaml > summary.yaml
"$binary" train summary.yaml run.dir=summary 2>log || fail "seq2seq: $(tail -3 log)"
awk -v got="$(last summary valid_loss)" 'BEGIN { exit !(got < 1.5) }' || fail "seq2seq: $(last summary valid_loss)"

json "loss perplexity tokens" "$binary" eval summary pairs.jsonl
# Its decoder begins as the directory says, where it is evaluated and where it is trained further.
cp -r summary/checkpoints/step-60 begins
rm begins/manifest.json
sed -i 's/"decoder_start_token_id": *[0-9]*/"decoder_start_token_id": 7/' begins/config.json
grep -q '"decoder_start_token_id": *7' begins/config.json || fail "$(cat begins/config.json)"
"$binary" eval begins pairs.jsonl --first long --answer short --json > begun || fail "eval begins"
"$binary" eval summary/checkpoints/step-60 pairs.jsonl --first long --answer short --json > out || fail "eval of a checkpoint"
loss_in() { grep -o '"loss":[0-9.]*' "$1" | cut -d: -f2; }
[ "$(loss_in begun)" != "$(loss_in out)" ] || fail "another beginning, the same loss: $(cat out)"
sed -e '/^tokenizer:/d' -e 's|^model:.*|model: {from: begins}|' summary.yaml > further.yaml
"$binary" train further.yaml run.dir=further run.steps=1 optim.lr=1e-12 schedule.warmup=0 2>log || fail "further: $(cat log)"
awk -v a="$(last further valid_loss)" -v b="$(loss_in begun)" 'BEGIN { exit !(a / b > 0.9999 && a / b < 1.0001) }' ||
  fail "further: $(last further valid_loss), $(cat begun)"
# Hidden tokens: the loss of the run's own validation comes out again, whoever shares the work.
json "loss perplexity hidden_tokens windows" "$binary" eval masked text.txt --sequence 32
alone=$(loss_in out)
awk -v a="$(last masked valid_loss)" -v b="$alone" 'BEGIN { exit !(a / b > 0.9999 && a / b < 1.0001) }' ||
  fail "masked: $(last masked valid_loss), $(cat out)"
mpi 2 eval masked text.txt --sequence 32 --json >out 2>log || fail "masked, two ranks: $(cat log)"
awk -v a="$alone" -v b="$(loss_in out)" 'BEGIN { exit !(a / b > 0.9999 && a / b < 1.0001) }' || fail "$alone, $(cat out)"
expect 64 'windows of 2 tokens, 2 of them special ones' "$binary" eval masked text.txt --sequence 2
expect 64 'do not overlap' "$binary" eval masked text.txt --stride 4
# Statistics of both, and cuts with them.
for each in "masked text.txt" "summary pairs.jsonl"; do
  read -r model file <<<"$each"
  json "layers examples loss" "$binary" statistics "$model" --data "$file" --kind fisher,gram --examples 40 --sequence 32
  grep -q '"examples":40,' out || fail "$model: $(cat out)"
  for method in fwsvd whitened; do
    "$binary" compress "$model" "$model-$method" --method $method --keep 60% --match '*blocks.*' >out 2>log ||
      fail "$model, $method: $(cat log)"
    "$binary" eval "$model-$method" "$file" --sequence 32 --first long --answer short >out 2>log || fail "$model-$method: $(cat log)"
  done
done
says "without singular values" "$binary" inspect masked --spectrum --data text.txt --sequence 32

# With texts that it writes itself: the scores are those of the file that it leaves.
json "loss examples rouge1 rouge_l_sum" "$binary" eval summary pairs.jsonl --generate --max-tokens 8
"$binary" eval summary pairs.jsonl --generate --beams 2 --max-tokens 8 --predictions beams.txt 2>log > own || fail "generate: $(cat log)"
[ "$(wc -l < beams.txt)" = 200 ] || fail "$(wc -l < beams.txt) lines of texts"
"$binary" eval --predictions beams.txt --references pairs.jsonl --answer short > again
[ "$(grep -o 'rouge1.*rouge_l_sum [0-9.]*' own)" = "$(grep -o 'rouge1.*rouge_l_sum [0-9.]*' again)" ] || fail "scores: $(cat own again)"
mpi 3 eval summary pairs.jsonl --generate --beams 2 --max-tokens 8 2>log > shared || fail "$(cat log)"
[ "$(grep -o 'rouge1.*rouge_l_sum [0-9.]*' own)" = "$(grep -o 'rouge1.*rouge_l_sum [0-9.]*' shared)" ] || fail "scores: $(cat own shared)"
expect 64 'does not answer texts' "$binary" eval run dev.tsv --generate

# Scores of texts: of themselves, of others; judges are classifiers and encoders that were trained here.
printf 'good film end\nbad plot end\n' > a.txt
printf 'good film end\nmusic\n' > b.txt
says 'rouge1 1.0000  rouge2 1.0000  rouge_l 1.0000' "$binary" eval --predictions a.txt --references a.txt
says 'rouge1 0.5000 .* examples 2' "$binary" eval --predictions b.txt --references a.txt
judges="--style-judge run --style-label positive --similarity-judge run --fluency-judge run --fluency-label negative"
# shellcheck disable=SC2086
says 'sta 0.5000  sim 1.0000  fl 0.5000  j 0.0000' "$binary" eval --predictions a.txt --sources a.txt $judges
# shellcheck disable=SC2086
json "sta sim fl j rouge1" "$binary" eval --predictions b.txt --sources a.txt --references a.txt $judges
says 'rouge1 ' "$binary" eval --predictions pairs.jsonl --prediction long --references pairs.jsonl --answer short --stemmer
expect 64 'has no label "kind"; want one of negative, positive' \
  "$binary" eval --predictions a.txt --style-judge run --style-label kind
expect 64 'sources is missing' "$binary" eval --predictions a.txt --similarity-judge run
expect 65 'a.txt: has 2 texts, but pairs.jsonl has 200' \
  "$binary" eval --predictions pairs.jsonl --prediction long --references a.txt

# A row of GLUE: of a run, of what was printed of others, and the average once all nine are there.
"$binary" eval run dev.tsv --json > sst2.json
says '"missing":\["cola",' "$binary" eval --table run --json
says 'average .*sst2' "$binary" eval --table sst2.json
for task in cola mrpc stsb qqp mnli qnli rte wnli; do
  echo "{\"dataset\": \"$task\", \"file\": \"dev_matched.tsv\", \"accuracy\": 0.5, \"f1\": 0.5," \
    "\"matthews_correlation\": 0.5, \"pearson\": 0.5, \"spearman\": 0.5}" > "$task.json"
done
others="cola.json mrpc.json stsb.json qqp.json mnli.json qnli.json rte.json wnli.json"
# shellcheck disable=SC2086
says 'no average without mnli mismatched' "$binary" eval --table run $others
sed 's/matched/mismatched/; s/0.5/0.7/g' mnli.json > mm.json
# shellcheck disable=SC2086
"$binary" eval --table run mm.json $others --json > row.json || fail "eval --table"
is_json row.json average tasks missing
grep -q '"score":0.6}' row.json && grep -q '"accuracy_mismatched":0.7' row.json || fail "row: $(cat row.json)"
awk -v sst2="$(sed 's/.*"accuracy":\([^,}]*\).*/\1/' sst2.json)" \
  -v got="$(sed 's/.*"average":\([^,}]*\).*/\1/' row.json)" \
  'BEGIN { d = got - (7 * 0.5 + 0.6 + sst2) / 9; exit !(d < 1e-9 && d > -1e-9) }' || fail "average: $(cat row.json)"
expect 64 'is the second for dev.tsv of sst2' "$binary" eval --table run sst2.json
expect 64 'set of GLUE' "$binary" eval --table masked

# Images: a bright and a dark class in the binary form of CIFAR-10.
LC_ALL=C awk 'BEGIN { for (i = 0; i < 40; i++) { printf "%c", i % 2; for (k = 0; k < 3072; k++) printf "%c", i % 2 ? 235 : 20 } }' \
  > images.bin
sed -e 's/^model:.*/model: {family: vit, layers: 1, width: 16, heads: 2, image: 32, patch: 8}/' -e '/^tokenizer:/d' \
  -e 's/^task:.*/task: {kind: image_classification}/' \
  -e 's|^data:.*|data: {train: images.bin, valid: images.bin, dataset: cifar10, batch: 8}|' task.yaml > images.yaml
"$binary" train images.yaml run.dir=images 2>log || fail "images: $(tail -3 log)"
above "$(last images accuracy)" 0.95 "accuracy of images"
# A run without a tokenizer goes on, too.
more=$(($(sed -n 's/.*"step":\([0-9]*\).*/\1/p' images/metrics.jsonl | tail -n 1) + 3))
for again in 1 2; do "$binary" train images.yaml run.dir=images run.steps=$more 2>log || fail "images, again: $(tail -3 log)"; done

# What does not fit is refused in one line.
expect 78 'task.kind.*masked_lm' "$binary" train task.yaml run.dir=no "task={kind: causal_lm}"
expect 78 'task.kind.*read texts' "$binary" train task.yaml run.dir=no "task={kind: image_classification}"
expect 78 'early_stop.metric' "$binary" train task.yaml run.dir=no run.eval_every=10 "run.early_stop={metric: pearson, patience: 1}"
[ ! -e no ] || fail "a refused job left a directory"
echo "1 passed, 0 failed"
