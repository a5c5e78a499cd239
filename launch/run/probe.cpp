#include "launch/run/probe.h"

#include <span>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "core/ops/loss.h"
#include "core/ops/shape.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

JobConfig job_for(const Path& directory, DType dtype) {
  JobConfig job;
  job.model.from = directory;
  job.precision = {.compute = dtype, .weights = dtype};
  job.data.sequence = 1;
  return job;
}

}  // namespace

Probe::Probe(const Path& model_directory, Backend& backend, DType dtype)
    : directory_(model_directory),
      backend_(backend),
      setup_(job_for(model_directory, dtype), resolve_model(job_for(model_directory, dtype), 0),
             backend, 1) {
  set_initial_weights(job_for(model_directory, dtype), setup_);
}

void Probe::run(const std::vector<std::int32_t>& ids) {
  const auto count = static_cast<std::int64_t>(ids.size()) - 1;
  if (count < 1 || count > setup_.config.context) {
    throw UsageError("--tokens: wants 2 to {} ids, got {}", setup_.config.context + 1, ids.size());
  }
  for (std::int32_t id : ids) {
    if (id < 0 || id >= setup_.config.vocab) {
      throw UsageError("--tokens: id {} is outside of the vocabulary [0, {})", id,
                       setup_.config.vocab);
    }
  }
  const auto part = [&](std::size_t first, const Shape& shape) {
    return Tensor::from<std::int32_t>(
        backend_, shape, std::span(ids).subspan(first, static_cast<std::size_t>(count)));
  };
  setup_.parameters->clear_gradients();
  const Tensor logits = setup_.model->forward(part(0, {1, count}), {}, Recompute::none);
  logits_ = reshape(logits.to(logits.dtype()), {count, setup_.config.vocab});
  const Tensor loss = cross_entropy(reshape(logits, {count, -1}), part(1, {count}));
  const double weight = 1.0 / static_cast<double>(count);
  loss_ = loss.item() * weight;
  backward(loss, Tensor::full(backend_, {1}, loss.dtype(), weight));
  setup_.parameters->fill_missing_gradients();
}

void Probe::write_logits(const Path& file) const {
  std::vector<std::byte> host(logits_.view().bytes());
  backend_.read(host.data(), logits_.view());
  const NamedView view = {"logits", contiguous_view(host.data(), logits_.dtype(), logits_.shape())};
  write_safetensors(file, std::span(&view, 1));
}

void Probe::write_gradients(const Path& file) const {
  FileWriter out(file);
  write_parameters(out, *setup_.parameters, setup_.config, Content::gradients,
                   names_in_directory(directory_, setup_.parameters->store(), setup_.config));
  out.finish();
}

}  // namespace ty
