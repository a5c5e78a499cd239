#!/usr/bin/env bash
# What lies where a file or directory is wanted: links that lead in a circle, pipes, devices, directories,
# paths too long. One line at once, never an internal error; and saves that the system hinders.
. "$(dirname "$0")/common.sh"
export OMP_NUM_THREADS=1
cd "$work"

"$binary" train job.yaml run.steps=5 2>log || fail "the run itself: $(cat log)"
"$binary" export run model >/dev/null
ln -s circle circle
mkfifo pipe
mkdir folder
long=$(printf 'x%.0s' $(seq 300))/$(printf 'y%.0s' $(seq 5000))

count=0
refuses() {  # COMMAND...: one line on stderr, at once, with a code that blames what was given
  local code=0
  timeout 10 "$binary" "$@" >out 2>err </dev/null || code=$?
  case $code in
    64 | 65 | 74 | 78) ;;
    *) fail "$*: exit code $code: $(cat err)" ;;
  esac
  [ "$(wc -l < err)" = 1 ] || fail "$*: not one line: $(cat err)"
  count=$((count + 1))
}
for thing in circle circle/x pipe /dev/zero /dev/null/x folder text.txt/x "$long"; do
  refuses train job.yaml run.dir=made data.train="$thing"
  refuses train job.yaml run.dir=made data.valid="$thing"
  refuses train job.yaml run.dir=made tokenizer="{from: $thing}"
  refuses train job.yaml run.dir=made "model={from: $thing}" linear=[]
  [ ! -e made ] || fail "$thing: a refused job made its run directory"
  [ "$thing" = folder ] || refuses train job.yaml run.dir="$thing"
  refuses eval "$thing" text.txt
  refuses eval run "$thing"
  refuses generate "$thing"
  refuses inspect "$thing"
  refuses export "$thing" there
  refuses export run "$thing/there/there"
  refuses compress "$thing" there --method svd --rank 2
  refuses data tokenize "$thing" there.bin --kind bytes
  refuses data tokenize text.txt ids.bin --tokenizer "$thing"
  [ "$thing" = pipe ] || refuses config check "$thing"  # a pipe is waited for, as <(...) wants
done
# Parts of a run, and of a model.
for part in data tokenizer checkpoints manifest.json config.yaml metrics.jsonl samples.txt checkpoints/step-5; do
  for kind in circle pipe file; do
    rm -rf odd && cp -r run odd && rm -rf "odd/$part"
    case $kind in
      circle) ln -s "$(basename "$part")" "odd/$part" ;;
      pipe) mkfifo "odd/$part" ;;
      file) echo 'nonsense' >"odd/$part" ;;
    esac
    code=0
    timeout 20 "$binary" train job.yaml run.dir=odd run.steps=6 run.sample_every=1 >out 2>err </dev/null || code=$?
    case $code in 0 | 64 | 65 | 74 | 78) ;; *) fail "$part is a $kind: exit code $code: $(cat err)" ;; esac
    code=0
    timeout 20 "$binary" inspect odd >out 2>err </dev/null || code=$?
    case $code in 0 | 64 | 65 | 74) ;; *) fail "inspect, $part is a $kind: exit code $code: $(cat err)" ;; esac
  done
done
for part in config.json model.safetensors tokenizer.json; do
  for kind in circle pipe folder; do
    rm -rf odd && cp -r model odd && rm "odd/$part"
    case $kind in circle) ln -s "$part" "odd/$part" ;; pipe) mkfifo "odd/$part" ;; folder) mkdir "odd/$part" ;; esac
    refuses eval odd text.txt
    refuses generate odd one
    refuses export odd there
  done
done
[ ! -e there ] || fail "a refused export wrote something"
"$binary" config check <(cat job.yaml) >out || fail "a job file from a pipe: $(cat out)"
for nowhere in /nonexistent circle text.txt; do
  TMPDIR=$nowhere "$binary" eval run text.txt >out 2>err || fail "TMPDIR=$nowhere: $(cat err)"
done

# A tokenizer that somebody removes in mid-run is a save that fails, not the end.
"$binary" train job.yaml run.dir=robbed run.steps=100000 checkpoint.every=0 log.every=1 schedule.warmup=0 2>log &
job=$!
for _ in $(seq 600); do grep -q 'step *3/' log && break; sleep 0.1; done
rm -r robbed/tokenizer
kill -TERM "$job"
code=0; wait "$job" || code=$?
[ "$code" = 74 ] || fail "a run without its tokenizer: exit code $code: $(tail -n 2 log)"
grep -q 'was not saved: rank 0: .*tokenizer: cannot .*No such file' log || fail "$(tail -n 2 log)"

# Messages count steps as the log does.
grep -q "^trainyard: \[rank 0 step $(sed -n 's/.*"step":\([0-9]*\),.*/\1/p' robbed/metrics.jsonl | tail -n 1)\]" log ||
  fail "another step than the log's: $(tail -n 1 log)"
echo "1 passed, 0 failed ($count refusals)"
