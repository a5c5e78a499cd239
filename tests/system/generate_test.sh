#!/usr/bin/env bash
# Text from a small model: one prompt and many, drawn and searched, with and without kept keys; what cannot be
# asked for together; ranks that share the model.
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

refuses() { local pattern=$1; shift; expect 64 "$pattern" "$binary" generate run "$@"; }
refuses '--beams and --temperature exclude each other: beams are searched' x --beams 2 --temperature 1
refuses '--beams and --greedy exclude each other: one beam is greedy' x --beams 2 --greedy
refuses '--greedy and --top-k exclude each other' x --greedy --top-k 3
refuses '--length-penalty is for beams; give --beams N too' x --length-penalty 2
refuses 'there are a prompt and --prompts' x --prompts prompts.txt
refuses "are more than the model's context 32; want --tokens" 'one and' --tokens 31 --long refuse
expect 65 'empty.txt: has no prompt; want one on each line' sh -c ": > empty.txt; $binary generate run --prompts empty.txt"
text 'one and' --tokens 20 --long refuse >/dev/null

json 'tokens_per_second first_token_seconds speedup share_of_bandwidth read_bytes_per_second weight_bytes' \
  "$binary" bench generate run --tokens 8 --steps 1
json 'tokens_per_second' "$binary" bench generate job.yaml --tokens 8 --steps 1 model.vocab=300
expect 64 'bench generate: --tokens 30 after a prompt of 16' "$binary" bench generate run --tokens 30
echo "1 passed, 0 failed"
