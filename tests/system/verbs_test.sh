#!/usr/bin/env bash
# inspect, data and doctor for people and for programs, on a tiny run and on damaged files; and the keys
# that every --json promises.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

for verb in inspect data doctor eval generate compress import export plan bench train config launch; do
  says "Usage: trainyard $verb" "$binary" "$verb" --help
  says "^  $verb  *[A-Z]" "$binary" --help
done

# A run, and what lies in it.
"$binary" train job.yaml run.dir=run run.eval_every=10 2>log || fail "train: $(cat log)"
says 'state *complete, 30 of 30 steps' "$binary" inspect run
grep -q 'step-30 .*ok$' out || fail "no checkpoint table: $(cat out)"
grep -q 'valid *loss .* at step 30' out || fail "no validation: $(cat out)"
json 'kind name state steps_done steps checkpoints resumes_from last last_valid tokens valid' "$binary" inspect run
says 'parameters *36.1 k (36096), tied head' "$binary" inspect run/checkpoints/step-30
json 'step run_id ranks files optimizer_shards model parameters' "$binary" inspect run/checkpoints/step-30/
says 'transformer.wte.weight *\[300, 32\] *fp32' "$binary" inspect run/checkpoints/step-30/model.safetensors
json 'tensors dtypes bytes' "$binary" inspect run/checkpoints/step-30/model.safetensors
says 'vocabulary *300' "$binary" inspect run/tokenizer
json 'kind vocab end_of_text fingerprint' "$binary" inspect run/tokenizer
says 'begins *"zero and zero make 0;' "$binary" inspect run/data/train.bin
json 'tokens vocab largest_id documents end_of_text_count source_bytes begins' "$binary" inspect run/data/train.bin
says 'text *[0-9.]* KiB, UTF-8' "$binary" inspect text.txt
json 'documents bytes text_bytes tokens' "$binary" inspect text.txt --tokenizer run/tokenizer

# Damage is one line and exit code 65; the rest is told all the same.
damage() { printf 'X' | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }
damage run/checkpoints/step-30/model.safetensors 5000
expect 65 'step-30/model.safetensors: hash .*the manifest says' "$binary" inspect run/checkpoints/step-30
[ "$(wc -l < err)" = 1 ] || fail "more than one line: $(cat err)"
grep -q 'model.safetensors .*DAMAGED' out || fail "no verdict: $(cat out)"
expect 65 'step-30/model.safetensors: hash .*step 25 is the newest that is whole' "$binary" inspect run
grep -q 'state *stopped' out || fail "a damaged last checkpoint is no complete run: $(cat out)"
expect 65 'step-30' "$binary" inspect run --json
is_json out damage && grep -q '"valid":false' out || fail "$(cat out)"
head -c 3000 run/checkpoints/step-25/model.safetensors > cut.safetensors
expect 65 'cut.safetensors' "$binary" inspect cut.safetensors
head -c 2000 run/data/train.bin > cut.bin
expect 65 'cut.bin: 2000 bytes, but' "$binary" inspect cut.bin
cp -r run/tokenizer broken && echo '{' > broken/tokenizer.json
expect 65 'broken/tokenizer.json' "$binary" inspect broken
expect 64 'no such file or directory; want a run' "$binary" inspect nowhere
expect 64 'what to inspect .* is missing' "$binary" inspect
expect 64 'trainyard config show' "$binary" inspect job.yaml

# Token files.
says '36.0 k (35951) tokens  1 document  2.5[0-9]* bytes per token' "$binary" data tokenize text.txt same.bin --tokenizer run/tokenizer
cmp same.bin run/data/train.bin || fail "data tokenize and train make different token files"
printf '{"body": "one two"}\n{"body": "three"}\n' > lines.jsonl
json 'path documents tokens bytes_per_token bytes_per_second tokenizer' \
  "$binary" data tokenize lines.jsonl lines.bin --kind bytes --text-key body
grep -q '"documents":2.*"tokens":13' out || fail "13 ids of two documents: $(cat out)"
says 'documents *2, 1 end-of-text id (256)' "$binary" data inspect lines.bin
printf 'id\ttext\n1\tab\n2\tcd\n' > table.tsv
says '5 tokens  2 documents' "$binary" data tokenize table.tsv table.bin --kind chars --column 1 --save-tokenizer chars
says 'chars, 5 ids' "$binary" inspect table.bin --tokenizer chars
says 'bpe, 280 ids' "$binary" data train-tokenizer text.txt bpe --kind bpe --vocab 280
json 'kind vocab end_of_text fingerprint' "$binary" data train-tokenizer text.txt bpe --kind bpe --vocab 280
says 'wordpiece, [0-9]* ids, end of text 3' \
  "$binary" data train-tokenizer text.txt pieces --kind wordpiece --vocab 280
says 'special tokens *unk 1, sep 3, pad 0, cls 2, mask 4' "$binary" inspect pieces
says 'tokens  1 document' "$binary" data tokenize text.txt pieces.bin --tokenizer pieces
rm pieces/tokenizer.json pieces/tokenizer_config.json
says 'encodes by *wordpiece' "$binary" inspect pieces
expect 64 'cased: only used with --kind wordpiece' \
  "$binary" data train-tokenizer text.txt other --kind bpe --vocab 280 --cased
expect 64 'bpe: holds another tokenizer' "$binary" data train-tokenizer text.txt bpe --kind bpe --vocab 290
expect 64 'one of --tokenizer DIR and --kind' "$binary" data tokenize text.txt x.bin
expect 64 'did you mean "bytes"' "$binary" data tokenize text.txt x.bin --kind byte
expect 64 'vocab: missing; --kind bpe wants the number of ids' "$binary" data tokenize text.txt x.bin --kind bpe
expect 64 'name it x.bin' "$binary" data tokenize text.txt x.ids --kind bytes
expect 64 'did you mean "tokenize"' "$binary" data tokenise text.txt x.bin
expect 65 'lines.jsonl:1: .*--text-key' "$binary" data tokenize lines.jsonl x.bin --kind bytes
expect 74 'nowhere.txt' "$binary" data tokenize nowhere.txt x.bin --kind bytes
[ ! -e x.bin ] || fail "a refused job wrote x.bin"

# The machine.
says 'OpenBLAS' env OMP_NUM_THREADS=many "$binary" doctor
grep -A1 'warn  OpenMP threads' out | grep -q 'fix: unset OMP_NUM_THREADS' || fail "no fix: $(cat out)"
says 'warn  mpirun .*not on PATH' env PATH=/nowhere "$binary" doctor
json 'checks name verdict value fix warnings failures' "$binary" doctor
expect 64 'one word too many' "$binary" doctor all

# The keys of the other verbs that programs read.
"$binary" train job.yaml run.dir=run run.eval_every=10 2>log || fail "train again: $(cat log)"
for key in step loss learning_rate gradient_norm tokens tokens_per_second step_seconds matrix_flops_per_second peak_bytes; do
  [ "$(grep -c "\"$key\":" run/metrics.jsonl)" -ge 30 ] || fail "metrics.jsonl: $key"
done
grep '"valid_loss":' run/metrics.jsonl | grep -q '"bits_per_byte":.*"step":' || fail "no evaluation line"
head -n 1 run/metrics.jsonl > line && is_json line loss
json 'loss perplexity bits_per_byte tokens' "$binary" eval run text.txt
expect 64 'sequence: got 33; the model.s context is 32' "$binary" eval run text.txt --sequence 33
json 'loss perplexity tokens' "$binary" eval run --tokens '1 2 3'
json 'parameters memory parameters_bytes gradients_bytes optimizer_bytes activations_bytes workspace_bytes
  communication_bytes peak_bytes step_seconds' "$binary" plan job.yaml
json 'step_seconds step_spans median min max tokens_per_second peak_bytes matrix_flops gemm_ceiling_flops_per_second' \
  "$binary" bench step job.yaml --steps 2 --warmup 1
json 'against_step_seconds ratio' "$binary" bench step job.yaml --steps 2 --against optim.clip=2
expect 78 "optim.lrr: unknown key" "$binary" bench step job.yaml --against optim.lrr=1
json 'entries kind plan forward_seconds backward_seconds peak_bytes kept_bytes ratio_to_dense' \
  "$binary" bench linear --in 4,8 --out 8,6 --rank 3 --tokens 20 --steps 1
expect 64 '--steps: got 0; want an integer >= 1' "$binary" bench linear --steps 0
json 'text tokens tokens_per_second first_token_seconds' "$binary" generate run 'one and' --tokens 5
grep -q '"text":"one and.*"tokens":5' out || fail "generate: $(cat out)"
grep -q '"peak_bytes":[1-9]' out && grep -q '"predicted_peak_bytes":[1-9]' out || fail "no bytes: $(cat out)"
"$binary" eval run run/data/valid.bin --json >out
number() { grep -o "\"$1\":[-+.e0-9]*" out | cut -d: -f2; }
[ "$(number peak_bytes)" = "$(number predicted_peak_bytes)" ] || fail "eval: $(cat out)"
awk "BEGIN {r = exp($(number loss)) / $(number perplexity); exit !(r > 0.999 && r < 1.001)}" || fail "eval: $(cat out)"

# Windows that overlap: other inputs before each target. Words are those of the text.
expect 64 'stride: got 32; windows of 32 tokens overlap with 31 or less' "$binary" eval run text.txt --stride 32
"$binary" eval run text.txt --sequence 16 --json >out || fail "eval --sequence"
plain=$(number loss)
"$binary" eval run text.txt --sequence 16 --stride 8 --batch 64 --json >out || fail "eval --stride"
is_json out stride words word_perplexity
[ "$(number peak_bytes)" = "$(number predicted_peak_bytes)" ] || fail "eval --stride: $(cat out)"
awk "BEGIN {r = $(number loss) / $plain; exit !(r != 1 && r > 0.95 && r < 1.05)}" || fail "stride: $plain, $(cat out)"
[ "$(number words)" = "$(wc -w < text.txt)" ] || fail "words: $(cat out)"
awk "BEGIN {r = exp($(number loss) * $(number tokens) / $(number words)) / $(number word_perplexity)
  exit !(r > 0.999 && r < 1.001)}" || fail "per word: $(cat out)"
awk "BEGIN {r = exp($(number loss) * $(number tokens) / ($(number words) + $(wc -l < text.txt))) / $(number word_perplexity_with_line_ends)
  exit !(r > 0.999 && r < 1.001)}" || fail "per word and line end: $(cat out)"
says ' per word .* with line ends' "$binary" eval run text.txt
json 'loss' "$binary" eval run run/data/valid.bin

# In a narrower type: another loss, but not by much.
exact=$(number loss)
for type in bf16 fp16; do
  json 'dtype' "$binary" eval run run/data/valid.bin --dtype $type
  grep -q "\"dtype\":\"$type\"" out || fail "no $type in: $(cat out)"
  [ "$(number peak_bytes)" = "$(number predicted_peak_bytes)" ] || fail "eval in $type: $(cat out)"
  awk "BEGIN {d = $(number loss) - $exact; exit !(d != 0 && d * d < 1e-3)}" ||
    fail "eval in $type: $exact and $(cat out)"
  json 'loss dtype' "$binary" eval run --tokens '1 2 3' --dtype $type
done
expect 64 '--dtype: got fp64; want one of fp32, bf16, fp16' "$binary" eval run run/data/valid.bin --dtype fp64
echo "1 passed, 0 failed"
