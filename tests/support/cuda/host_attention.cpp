#include "tests/support/cuda/host_attention.h"

namespace ty::cuda::emulated {

namespace {
std::function<std::unique_ptr<cudnn::AttentionEngine>()> g_make;
}

void set_attention_engine(std::function<std::unique_ptr<cudnn::AttentionEngine>()> make) {
  g_make = std::move(make);
}

}  // namespace ty::cuda::emulated

namespace ty::cudnn {

std::unique_ptr<AttentionEngine> open_attention_engine(int, void*) {
  return cuda::emulated::g_make ? cuda::emulated::g_make() : nullptr;
}

}  // namespace ty::cudnn
