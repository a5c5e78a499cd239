#!/usr/bin/env bash
# run.device: what is asked for and not there ends before anything is created; auto does with the CPU.
. "$(dirname "$0")/common.sh"
cd "$work"
if "$binary" doctor --json | grep -q '"name":"GPU","value":"[^"]*multiprocessors'; then
  echo "skipped: this machine has a GPU"
  exit 77
fi
expect 78 'run.device: cuda.*; use cpu or auto' "$binary" train job.yaml run.device=cuda run.dir=none
[ "$(wc -l < err)" = 1 ] || fail "not one line: $(cat err)"
[ ! -e none ] || fail "created its run directory"
# The CPU is named where the build lets one expect a GPU, and only there.
expect 0 'step' "$binary" train job.yaml run.device=auto run.steps=2 schedule.warmup=1 run.dir=auto
if [ -e "$(dirname "$binary")/libtrainyard_cuda.so" ]; then
  grep -q '^  device the CPU; run.device: cuda: ' err || fail "auto says nothing: $(cat err)"
fi
expect 0 'step' "$binary" train job.yaml run.device=cpu run.steps=2 schedule.warmup=1 run.dir=cpu
! grep -q 'device the CPU' err || fail "the CPU was asked for: $(cat err)"
echo "1 passed, 0 failed"
