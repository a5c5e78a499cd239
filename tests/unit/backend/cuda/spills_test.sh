#!/usr/bin/env bash
# spills_test.sh NVCC FLAG...: the flags that the module's kernels are compiled with refuse one whose
# registers do not fit, and take it when they do.
set -euo pipefail
nvcc=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/k.cu" <<'CUDA'
__global__ void k(float* p) {
  float v[64];
#pragma unroll
  for (int i = 0; i < 64; ++i) v[i] = p[i * 64 + threadIdx.x];
#pragma unroll
  for (int i = 0; i < 64; ++i) {
#pragma unroll
    for (int j = 0; j < 64; j += 4) v[i] = v[i] * v[j] + v[63 - j];
  }
#pragma unroll
  for (int i = 0; i < 64; ++i) p[i * 64 + threadIdx.x] = v[i];
}
CUDA
compile() { "$nvcc" -arch=sm_90a -cubin -o "$work/k.cubin" "$work/k.cu" "$@" >"$work/log" 2>&1; }
compile "$@" || { echo "FAILED: a kernel that fits is refused: $(cat "$work/log")" >&2; exit 1; }
if compile "$@" -maxrregcount=24; then echo "FAILED: spilled registers go unnoticed" >&2; exit 1; fi
grep -qi spill "$work/log" || { echo "FAILED: not for its spills: $(cat "$work/log")" >&2; exit 1; }
echo "1 passed, 0 failed"
