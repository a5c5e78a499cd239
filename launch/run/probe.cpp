#include "launch/run/probe.h"

#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/ops/shape.h"
#include "launch/run/public_inputs.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "models/objective/chunked_loss.h"

namespace ty {

Probe::Probe(const Path& model_directory, Backend& backend, DType dtype)
    : directory_(model_directory),
      backend_(backend),
      opened_(open_model(model_directory, backend, {.compute = dtype, .weights = dtype})) {}

void Probe::run(const std::vector<std::int32_t>& ids) {
  const ModelSpec& spec = opened_.spec;
  if (spec.head.kind != HeadSpec::Kind::language || !spec.causal || spec.has_encoder()) {
    throw UsageError("--tokens: wants a language model that reads one way; give --inputs");
  }
  const auto count = static_cast<std::int64_t>(ids.size()) - 1;
  if (count < 1 || count > opened_.spec.context) {
    throw UsageError("--tokens: wants 2 to {} ids, got {}", opened_.spec.context + 1, ids.size());
  }
  for (std::int32_t id : ids) {
    if (id < 0 || id >= opened_.spec.vocab) {
      throw UsageError("--tokens: id {} is outside of the vocabulary [0, {})", id,
                       opened_.spec.vocab);
    }
  }
  const auto last = ids.end() - 1;
  run(token_batch(0, 1, {ids.begin(), last}, {ids.begin() + 1, ids.end()}), true);
}

void Probe::run(const Path& inputs) {
  const PublicInputs read = read_public_inputs(inputs, opened_.spec);
  run(read.batch, read.has_targets);
  if (opened_.spec.head.is_pooled()) return;
  logits_ = reshape(logits_, {read.batch.sequences, -1, logits_.dim(-1)}).detach();
}

void Probe::run(const HostBatch& host, bool has_targets) {
  const Batch batch = upload(backend_, host, 0, host.sequences);
  opened_.parameters->clear_gradients();
  const Model& model = *opened_.model;
  Flow out = model.forward({.batch = batch});
  const Tensor logits = model.readout().logits(out.hidden.detach());
  logits_ = reshape(logits, {-1, logits.dim(-1)}).detach();
  pooled_ = model.readout().pooled(out.hidden.detach(), batch).detach();
  has_loss_ = has_targets;
  if (!has_targets) return;
  const auto objective = objective_of(opened_.spec.head);
  targets_ = objective->targets(host);
  const double weight = 1.0 / static_cast<double>(targets_);
  loss_ = weight * backward_from_loss(model, *objective, std::move(out), batch, weight).item();
  opened_.parameters->fill_missing_gradients();
}

void Probe::write_logits(const Path& file) const {
  const bool is_bare = opened_.spec.head.kind == HeadSpec::Kind::none;
  std::vector<std::pair<const char*, Tensor>> results = {
      {is_bare ? "last_hidden_state" : "logits", logits_}};
  if (pooled_.defined()) results.emplace_back("pooler_output", pooled_);
  std::vector<std::vector<std::byte>> host;
  std::vector<NamedView> views;
  for (const auto& [name, tensor] : results) {
    host.emplace_back(tensor.view().bytes());
    backend_.read(host.back().data(), tensor.view());
    views.push_back({name, contiguous_view(host.back().data(), tensor.dtype(), tensor.shape())});
  }
  write_safetensors(file, views);
}

void Probe::write_gradients(const Path& file) const {
  FileWriter out(file);
  write_parameters(out, *opened_.parameters, opened_.spec, Content::gradients,
                   names_in_directory(directory_, opened_.parameters->store(), opened_.spec));
  out.finish();
}

}  // namespace ty
