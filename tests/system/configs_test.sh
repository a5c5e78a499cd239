#!/usr/bin/env bash
# Every file in configs/ is valid, can be planned and is listed in the README there; the tiny one trains,
# and the quickstart's model does on a text that is at hand.
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

count=0
for file in "$root"/configs/*.yaml; do
  name=$(basename "$file")
  "$binary" config check "$file" >/dev/null 2>"$work/log" || fail "check $name: $(cat "$work/log")"
  "$binary" plan "$file" --json >"$work/$name.plan" 2>"$work/log" || fail "plan $name: $(cat "$work/log")"
  grep -q '"step_seconds":' "$work/$name.plan" || fail "plan $name: $(cat "$work/$name.plan")"
  grep -qF "($name)" "$root/configs/README.md" || fail "$name is not in configs/README.md"
  count=$((count + 1))
done
[ "$count" -ge 3 ] || fail "only $count files in configs/"
grep -q '"parameters":124439808' "$work/gpt2-124m.yaml.plan" || fail "GPT-2 small has another size"

train() {  # NAME OVERRIDES...
  local name=$1
  shift
  "$binary" train "$root/configs/$name.yaml" run.dir="$work/$name" "$@" 2>"$work/log" ||
    fail "train $name: $(tail -n 3 "$work/log")"
}
train debug-tiny run.steps=40 log.every=1
losses "$work/debug-tiny" | awk 'NR == 1 { first = $2 } { last = $2 } END { exit NR != 40 || last > first - 0.5 }' ||
  fail "debug-tiny does not learn: $(losses "$work/debug-tiny" | sed -n '1p;$p')"
train quickstart run.steps=2 schedule.warmup=1 data.train="$work/text.txt" data.valid="$work/text.txt" \
  tokenizer.vocab=300
grep -q '"valid_loss":' "$work/quickstart/metrics.jsonl" || fail "quickstart was not evaluated"
echo "1 passed, 0 failed"
