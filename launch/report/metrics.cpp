#include "launch/report/metrics.h"

#include <nlohmann/json.hpp>

namespace ty {

nlohmann::json to_json(const StepRecord& r) {
  nlohmann::json line = {{"step", r.step},
                         {"loss", r.loss},
                         {"learning_rate", r.learning_rate},
                         {"tokens", r.tokens},
                         {"tokens_per_second", r.tokens_per_second},
                         {"step_seconds", r.step_seconds},
                         {"matrix_flops_per_second", r.matrix_flops_per_second},
                         {"peak_bytes", r.peak_bytes}};
  if (r.loss_scale > 0) line["loss_scale"] = r.loss_scale;
  if (r.skipped) {  // its norm is not finite, which JSON cannot say
    line["skipped"] = true;
  } else {
    line["gradient_norm"] = r.gradient_norm;
  }
  return line;
}

nlohmann::json to_json(const EvaluationRecord& r) {
  nlohmann::json line = {{"step", r.step},
                         {"valid_loss", r.result.loss},
                         {"bits_per_byte", r.result.bits_per_byte},
                         {"valid_tokens", static_cast<std::int64_t>(r.result.tokens)}};
  for (const Score& score : r.result.scores) line[score.name] = score.value;
  return line;
}

void Metrics::stepped(const StepRecord& record) { directory_->log(to_json(record)); }

void Metrics::evaluated(const EvaluationRecord& record) { directory_->log(to_json(record)); }

void Metrics::sampled(std::int64_t step, const std::string& text) {
  directory_->add_sample(step, text);
}

}  // namespace ty
