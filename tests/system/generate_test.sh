#!/usr/bin/env bash
# Text from small models: one prompt and many, drawn and searched, with and without kept keys; what cannot be
# asked for together; answers of an encoder-decoder; models that write none.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

"$binary" train job.yaml 2>log || fail "the run itself: $(cat log)"
text() { "$binary" generate run "$@" 2>err || fail "generate $*: $(cat err)"; }
number() { sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p" out; }
same() { [ "$1" = "$2" ] || fail "$3: '$1', not '$2'"; }

# Past the context of 32 tokens too.
for options in "--greedy --tokens 20" "--tokens 60 --seed 4" "--beams 3 --tokens 20 --length-penalty 0.5" \
  "--beams 2 --tokens 40 --early-stop yes" "--greedy --tokens 25 --no-repeat-ngram 2"; do
  # shellcheck disable=SC2086
  same "$(text 'one and' $options)" "$(text 'one and' $options --no-cache)" "with a cache $options"
done
[ "$(text 'one and' --greedy --no-repeat-ngram 2)" != "$(text 'one and' --greedy)" ] || fail "no rule against repetition"

# A file of prompts: each gets the text that it gets alone.
printf 'one and\nzero and three make\r\n\nfour' > prompts.txt
json 'texts tokens tokens_per_second first_token_seconds cache_bytes' "$binary" generate run --prompts prompts.txt --greedy --tokens 12
same "$(number peak_bytes)" "$(number predicted_peak_bytes)" "bytes of a batch"
text --prompts prompts.txt --greedy --tokens 12 > together
for prompt in 'one and' 'zero and three make' '' 'four'; do
  text "$prompt" --greedy --tokens 12 > alone
  grep -qF -- "$(head -n 1 alone)" together || fail "'$prompt' alone: $(cat alone), together: $(cat together)"
done
same "$(grep -c '^---$' together)" 3 "rules between texts"
json 'texts tokens' "$binary" generate run --prompts prompts.txt --beams 2 --tokens 5

# Only a cache has bytes.
for options in "--greedy --tokens 9" "--greedy --tokens 9 --no-cache" "--greedy --tokens 50"; do
  # shellcheck disable=SC2086
  json 'text tokens cache_bytes' "$binary" generate run 'one and' $options
  if [[ $options == *no-cache* ]]; then same "$(number cache_bytes)" 0 "cache without one"; else
    [ "$(number cache_bytes)" -gt 0 ] || fail "no cache with $options"; fi
done

# A text grows as it is made.
"$binary" generate run 'one and' --tokens 3 2>err | head -c 7 > out || true
same "$(cat out)" 'one and' "the first bytes"

# Each byte a token: a text that is fed back token by token is the text.
"$binary" train job.yaml run.dir=bytes "tokenizer={kind: bytes}" 2>log || fail "bytes: $(cat log)"
fed=' one'
for _ in $(seq 12); do fed=$("$binary" generate bytes "$fed" --greedy --tokens 1; printf .); fed=${fed%$'\n'.}; done
same "$("$binary" generate bytes ' one' --greedy --tokens 12; printf .)" "$fed"$'\n.' "a text of 12 tokens"
[ "${#fed}" = 16 ] || fail "12 tokens of a byte each behind ' one': '$fed'"

refuses() { local pattern=$1; shift; expect 64 "$pattern" "$binary" generate run "$@"; }
refuses '--beams and --temperature exclude each other: beams are searched' x --beams 2 --temperature 1
refuses '--beams and --greedy exclude each other: one beam is greedy' x --beams 2 --greedy
refuses '--greedy and --top-k exclude each other' x --greedy --top-k 3
refuses '--length-penalty is for beams; give --beams N too' x --length-penalty 2
refuses 'there are a prompt and --prompts' x --prompts prompts.txt
refuses "are more than the model's context 32; want --tokens" 'one and' --tokens 31 --long refuse
expect 65 'empty.txt: has no prompt; want one on each line' sh -c ": > empty.txt; $binary generate run --prompts empty.txt"
text 'one and' --tokens 20 --long refuse >/dev/null

# An encoder-decoder answers: the same whatever is kept and whatever else is in the batch.
awk 'BEGIN { split("zero one two three four five", w, " "); for (i = 0; i < 216; i++) {
  a = w[i % 6 + 1]; b = w[int(i / 6) % 6 + 1]; c = w[int(i / 36) + 1];
  print "{\"long\": \"" a " and " b " and " c "\", \"short\": \"" a " " c "\"}" } }' > pairs.jsonl
sed -e 's/^model:.*/model: {family: bart, layers: 2, width: 32, heads: 2, context: 32}/' \
  -e 's|^data:.*|data: {train: pairs.jsonl, valid: pairs.jsonl, first: long, answer: short, sequence: 32, batch: 24}|' \
  job.yaml > answer.yaml
"$binary" train answer.yaml run.dir=answer "task={kind: seq2seq}" run.steps=60 2>log || fail "seq2seq: $(cat log)"
head -4 pairs.jsonl | cut -d'"' -f4 > texts.txt
for options in "--greedy" "--seed 3" "--beams 3 --length-penalty 2 --early-stop yes --no-repeat-ngram 3"; do
  # shellcheck disable=SC2086
  "$binary" generate answer --prompts texts.txt $options --tokens 12 > together || fail "answers $options"
  while read -r line; do
    # shellcheck disable=SC2086
    "$binary" generate answer "$line" $options --tokens 12 --no-cache
  done < texts.txt > alone
  same "$(grep -v '^---$' together)" "$(cat alone)" "answers $options"
done
# Many, so that they take more than reading the model does.
cut -d'"' -f4 pairs.jsonl > many.txt
json 'texts tokens cache_bytes' "$binary" generate answer --prompts many.txt --beams 2 --tokens 9
[ "$(number peak_bytes)" -le "$(number predicted_peak_bytes)" ] || fail "bytes of searches: $(grep -o '"peak_bytes.*,' out)"
json 'texts tokens cache_bytes' "$binary" generate answer --prompts many.txt --greedy --tokens 9
same "$(number peak_bytes)" "$(number predicted_peak_bytes)" "bytes of answers"
json 'text' "$binary" generate answer 'one and two and three' --greedy --tokens 9
grep -q '"text":"one and' out && fail "an answer that repeats the text: $(cat out)"
long=$(printf 'one and %.0s' $(seq 40))
expect 0 'text 1 has [0-9]* tokens; the model reads the first 32' "$binary" generate answer "$long" --tokens 3
expect 64 'text 1 has [0-9]* tokens; the model reads 32 at most' "$binary" generate answer "$long" --tokens 3 --long refuse
expect 64 '--tokens: got 33; the model writes 32' "$binary" generate answer 'one' --tokens 33 --long refuse

# Models that write no texts.
mkdir bert
echo '{"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16,
  "max_position_embeddings": 8, "vocab_size": 20, "type_vocab_size": 2}' > bert/config.json
expect 65 'bert: a model of family bert cannot generate: it reads texts and writes none; want a decoder' "$binary" generate bert 'one'

json 'tokens_per_second first_token_seconds speedup share_of_bandwidth read_bytes_per_second weight_bytes' \
  "$binary" bench generate run --tokens 8 --steps 1
json 'tokens_per_second' "$binary" bench generate job.yaml --tokens 8 --steps 1 model.vocab=300
expect 64 'bench generate: --tokens 30 after a prompt of 16' "$binary" bench generate run --tokens 30
echo "1 passed, 0 failed"
