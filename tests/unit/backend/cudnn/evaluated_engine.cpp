#include "tests/unit/backend/cudnn/evaluated_engine.h"

#include <algorithm>
#include <limits>

#include "core/backend/cuda/cudnn/attention_graph.h"
#include "core/base/elements.h"
#include "core/base/error.h"
#include "tests/support/cuda/device_memory.h"
#include "tests/unit/backend/cudnn/evaluate.h"

namespace ty::test {

namespace {

using cudnn::AttentionProblem;
using cudnn::Form;
using cudnn::Gradients;

DType dtype_of(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_BFLOAT16:
      return DType::bf16;
    case CUDNN_DATA_HALF:
      return DType::f16;
    case CUDNN_DATA_INT32:
      return DType::i32;
    default:
      return DType::f32;
  }
}

View view_of(const Form& form, void* data) {
  View x;
  x.data = data;
  x.dtype = dtype_of(form.type);
  for (const std::int64_t size : form.shape) x.shape.push_back(size);
  for (const std::int64_t step : form.strides) x.strides.push_back(step);
  return x;
}

// Calls fn(offset) for each element.
template <typename Fn>
void for_each(const Form& form, Fn&& fn) {
  const auto& [b, h, r, c] = form.shape;
  for (std::int64_t i = 0; i < b * h * r * c; ++i) {
    const std::int64_t at[4] = {i / c / r / h, i / c / r % h, i / c % r, i % c};
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < 4; ++d) offset += at[d] * form.strides[d];
    fn(offset);
  }
}

double load(const View& x, std::int64_t at) {
  return x.dtype == DType::i32 ? x.as<std::int32_t>()[at] : elements::load_any(x, at);
}

// The memory tensors that a graph's steps read or write, each once (k is also read transposed).
std::map<cudnn::TensorId, Form> forms_of(const cudnn::Graph& graph) {
  std::map<cudnn::TensorId, Form> forms;
  const auto& ids = graph.tensors();
  const auto add = [&](const cudnn::Node* node) {
    if (node != nullptr && std::find(ids.begin(), ids.end(), node->id) != ids.end()) {
      forms.emplace(node->id, node->form);
    }
  };
  for (const cudnn::Step& step : graph.steps()) {
    for (const cudnn::Node* node : {step.x, step.b, step.truth, step.y}) add(node);
  }
  return forms;
}

bool is_result(cudnn::TensorId id, const AttentionProblem& p) {
  using namespace cudnn;
  if (p.gradients == Gradients::none) return id == kY || id == kLse;
  return id == kDq || id == kDk || id == kDv || id == kRowSum || id == kQuerySum;
}

}  // namespace

std::optional<cudnn::AttentionNeeds> EvaluatedEngine::needs(const AttentionProblem& problem) {
  if (!cudnn::reason_against(problem).empty()) return std::nullopt;
  const std::int64_t rows = 4 * problem.batch * problem.heads * problem.queries;
  return cudnn::AttentionNeeds{
      .workspace = 256,
      .row_sum = problem.gradients == Gradients::none ? 0 : rows,
      .query_sum = problem.gradients == Gradients::fast ? rows * problem.width : 0};
}

void EvaluatedEngine::run(const AttentionProblem& problem, std::span<const cudnn::Binding> bindings,
                          void* workspace) {
  const cuda::emulated::Access access;
  if (runs != nullptr) runs->push_back(problem);
  TY_CHECK(workspace != nullptr, "no workspace");
  const bool is_forward = problem.gradients == Gradients::none;
  const cudnn::Graph graph =
      is_forward ? cudnn::attention_graph(problem) : cudnn::attention_grad_graph(problem);
  const auto forms = forms_of(graph);
  TY_CHECK(bindings.size() == forms.size(), "{} bindings for {} tensors", bindings.size(),
           forms.size());
  Memory memory;
  std::map<cudnn::TensorId, View> views;
  for (const cudnn::Binding& binding : bindings) {
    const Form& form = forms.at(binding.id);
    const View x = views[binding.id] = view_of(form, binding.data);
    TY_CHECK(reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0, "tensor {} at {}", binding.id,
             binding.data);
    std::vector<double>& values = memory[binding.id];
    for_each(form, [&](std::int64_t at) {
      values.resize(std::max(values.size(), static_cast<std::size_t>(at) + 1));
      values[static_cast<std::size_t>(at)] = load(x, at);
    });
  }
  evaluate(graph, memory);
  const bool shows_tail =
      !is_forward && !problem.lengths && !problem.causal && problem.keys % 128 == 64;
  for (const auto& [id, form] : forms) {
    if (!is_result(id, problem)) continue;
    const bool is_bad = has_tail_bug && shows_tail && id == cudnn::kDq;
    for_each(form, [&](std::int64_t at) {
      const double value = is_bad ? std::numeric_limits<double>::quiet_NaN()
                                  : memory.at(id)[static_cast<std::size_t>(at)];
      elements::store_any(views.at(id), at, value);
    });
  }
}

}  // namespace ty::test
