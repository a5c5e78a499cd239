# Sourced by the scripts beside it, each run as `x_test.sh [ROOT]`: goes to the root of the tree.
set -euo pipefail
lint=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$lint/../..}
cd "$root"
layers=(core parallel models optim launch)
# sources FOLDER...: C++ and CUDA files below these folders, in a fixed order.
sources() { find "$@" \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | LC_ALL=C sort; }
passed() { echo "1 passed, 0 failed ($*)"; }
