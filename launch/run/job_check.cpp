#include "launch/run/job_check.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/config/print.h"
#include "launch/run/best_step.h"
#include "launch/run/dataset.h"
#include "launch/run/model_setup.h"
#include "launch/run/optim_rules.h"
#include "launch/run/stages.h"
#include "launch/run/task_data.h"
#include "models/linear/guides.h"
#include "models/linear/pruning.h"
#include "parallel/comm/phantom/phantom.h"
#include "parallel/comm/tree.h"

namespace ty {

namespace {

void check_batch_and_sums(const JobConfig& job, const MeshShape& mesh) {
  if (job.data.batch < mesh.data) {
    throw ConfigError(Key{"data.batch"}, "{} sequences are fewer than the {} data ranks",
                      job.data.batch, mesh.data);
  }
  const std::int64_t fewest = job.data.batch / mesh.data;
  if (job.parallel.microbatches > fewest) {
    throw ConfigError(Key{"parallel.microbatches"},
                      "{} are more than the {} sequences of a data rank (data.batch = {} over {}); "
                      "want {} or fewer",
                      job.parallel.microbatches, fewest, job.data.batch, mesh.data, fewest);
  }
  if (job.parallel.reduction == Reduction::canonical) {
    check_tree_ranks(mesh.data);
    if (job.data.batch % mesh.data != 0) {
      throw ConfigError(Key{"data.batch"},
                        "{} sequences are no multiple of the {} data ranks, as parallel.reduction: "
                        "canonical wants",
                        job.data.batch, mesh.data);
    }
    if (kVirtualShards % mesh.tensor != 0) {
      throw ConfigError(
          Key{"parallel.tensor"},
          "{} ranks do not divide the {} parts of which parallel.reduction: canonical "
          "makes every sum; want 1, 2 or 4, or parallel.reduction=fast",
          mesh.tensor, kVirtualShards);
    }
    if (job.parallel.sequence && mesh.tensor > 1) {
      throw ConfigError(Key{"parallel.sequence"},
                        "true over {} tensor ranks wants parallel.reduction: fast, got canonical",
                        mesh.tensor);
    }
    if (job.optim.product_decay && mesh.tensor > 1) {
      throw ConfigError(Key{"optim.product_decay"},
                        "has no canonical sums over {} tensor ranks; want parallel.reduction: "
                        "fast, or optim.weight_decay",
                        mesh.tensor);
    }
    if (job.optim.factor_norm_cap && mesh.tensor > 1) {
      throw ConfigError(Key{"optim.factor_norm_cap"},
                        "has no canonical sums over {} tensor ranks; want parallel.reduction: "
                        "fast, or null",
                        mesh.tensor);
    }
    if (mesh.tensor > 1 && size_of(job.precision.weights) < 4) {
      throw ConfigError(Key{"precision.weights"},
                        "{} is rounded by each of the {} tensor ranks in its own way; "
                        "parallel.reduction: canonical wants fp32 or fp64",
                        name_of(job.precision.weights), mesh.tensor);
    }
  }
  if (job.parallel.sequence && job.data.sequence % mesh.tensor != 0) {
    throw ConfigError(Key{"data.sequence"},
                      "{} tokens cannot be divided over parallel.tensor = {} ranks, as "
                      "parallel.sequence wants; {}",
                      job.data.sequence, mesh.tensor, valid_degrees(job.data.sequence));
  }
}

// Steps that are bounded need whole matrices, with all of their digits.
void check_bounded_steps(const JobConfig& job, const MeshShape& mesh) {
  if (job.optim.factor_steps != FactorSteps::bounded) return;
  const char* const kWanted = "optim.factor_steps: bounded wants them whole on every rank";
  if (job.parallel.zero > 0 && mesh.data > 1) {
    throw ConfigError(Key{"parallel.zero"}, "{} cuts factors into shares, and {}; want 0",
                      job.parallel.zero, kWanted);
  }
  if (mesh.tensor > 1) {
    throw ConfigError(Key{"parallel.tensor"}, "{} ranks divide factors, and {}; want 1",
                      mesh.tensor, kWanted);
  }
  if (size_of(job.precision.weights) < 4) {
    throw ConfigError(Key{"precision.weights"},
                      "{} has too few digits for optim.factor_steps: bounded; want fp32 or fp64",
                      name_of(job.precision.weights));
  }
}

// What is trained to its end has no guide left.
void check_guides(const JobConfig& job, const std::vector<LinearRule>& rules) {
  for (const LinearRule& rule : rules) {
    const auto* guided = rule.spec.as<GuidedSpec>();
    if (guided == nullptr || guided->steps < job.run.steps) continue;
    throw ConfigError(Key{job.steps_key},
                      "{} are not more than the {} steps in which the guide of {} fades out",
                      job.run.steps, guided->steps, rule.match);
  }
}

// What is pruned to its end has trained at what remains.
void check_pruned(const JobConfig& job, const std::vector<LinearRule>& rules) {
  for (const LinearRule& rule : rules) {
    const PrunedSpec* pruned = pruned_in(rule.spec);
    if (pruned == nullptr) continue;
    if (pruned->end > 0 && job.run.early_stop.patience > 0) {
      throw ConfigError(Key{"run.early_stop.patience"},
                        "may end the run before {} is pruned, at step {}; want 0", rule.match,
                        pruned->end);
    }
    if (pruned->end > job.run.steps) {
      throw ConfigError(Key{job.steps_key},
                        "{} are fewer than the {} steps in which {} is pruned to {:.4g} %",
                        job.run.steps, pruned->end, rule.match, 100 * pruned->keep);
    }
    if (job.precision.compute != DType::f16) continue;
    throw ConfigError(
        Key{"precision.compute"},
        "fp16 has no numbers as small as the scores of {}, which is pruned; want bf16 "
        "or fp32",
        rule.match);
  }
}

// Layers may tell copies of an example apart only where a rank has whole sequences.
void check_copies(const JobConfig& job, const ModelSpec& config) {
  if (job.task.consistency == 0) return;
  if (job.parallel.sequence) {
    throw ConfigError(
        Key{"task.consistency"},
        "runs each example twice, which parallel.sequence cuts into rows; want one of "
        "them");
  }
  const DropoutRates& rates = config.dropout;
  const double most =
      std::max({rates.embedding, rates.attention, rates.residual, rates.inner, rates.head});
  if (most > 0 || last_draw(config.linear) > 0) return;
  throw ConfigError(
      Key{"task.consistency"},
      "compares two passes that nothing tells apart: model.dropout is 0, and no layer "
      "draws its guide");
}

// A model directory may bring its own tokenizer.
void check_texts_have_tokenizer(const JobConfig& job) {
  if (job.tokenizer.kind || !job.tokenizer.from.empty() || !job.model.from.empty()) return;
  for (const auto& [key, file] :
       {std::pair("data.train", job.data.train), std::pair("data.valid", job.data.valid)}) {
    if (file.empty() || is_token_file(file)) continue;
    throw ConfigError(Key{"tokenizer.kind"},
                      "missing, but {} {} is text; want bytes, chars, bpe or wordpiece", key,
                      file.string());
  }
}

// Steps are compared by a number that evaluations of the task have.
void check_stop_metric(const JobConfig& job) {
  if (!compares_steps(job)) return;
  if (metric_named(job.run.early_stop.metric).name == "valid_loss") return;
  std::vector<std::string_view> names = {"valid_loss"};
  for (const Metric metric : metrics_of(job.task, job.data, std::ssize(known_labels(job)))) {
    names.push_back(name_of(metric));
  }
  if (std::find(names.begin(), names.end(), job.run.early_stop.metric) != names.end()) return;
  throw ConfigError(Key{"run.early_stop.metric"}, "got {}; evaluations of this task have {}",
                    job.run.early_stop.metric, fmt::join(names, ", "));
}

}  // namespace

void check_same_job(const JobConfig& job, const Group& world) {
  const std::vector<std::string> texts = world.all_gather_text(config::to_yaml(job));
  for (std::size_t r = 1; r < texts.size(); ++r) {
    if (texts[r] == texts[0]) continue;
    std::size_t at = 0;
    while (at < std::min(texts[0].size(), texts[r].size()) && texts[0][at] == texts[r][at]) ++at;
    const auto line = [&](const std::string& text) {
      const std::size_t first = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
      return text.substr(first, text.find('\n', at) - first);
    };
    throw ConfigError("ranks 0 and {} were given different jobs: \"{}\" and \"{}\"", r,
                      line(texts[0]), line(texts[r]));
  }
}

void check_layout(const JobConfig& job, const MeshShape& mesh) {
  check_batch_and_sums(job, mesh);
  check_bounded_steps(job, mesh);
}

void check_model(const JobConfig& job, const ModelSpec& config, const MeshShape& mesh) {
  const Sharing sharing = {.tensor = Group(std::make_shared<PhantomCommunicator>(0, mesh.tensor)),
                           .rows = job.parallel.sequence,
                           .reduction = job.parallel.reduction};
  check_layout(job, mesh);
  if (config.reads_images() && job.parallel.sequence && config.image_tokens() % mesh.tensor != 0) {
    throw ConfigError(Key{"parallel.sequence"},
                      "the {} tokens of an image cannot be divided over parallel.tensor = {} ranks",
                      config.image_tokens(), mesh.tensor);
  }
  const Model model(describe_model(config), LinearRules(config.linear), sharing);
  check_patterns(job.optim, model.parameters());
  check_guides(job, config.linear);
  check_pruned(job, config.linear);
  check_copies(job, config);
  check_stages(job, config, mesh);
}

void check_job(const JobConfig& job, const MeshShape& mesh) {
  check_device(job.run.device);
  check_stop_metric(job);
  check_texts_have_tokenizer(job);
  metric_named(job.run.early_stop.metric);
  check_model(job, at_model(job, [&] { return declared_model(job); }), mesh);
}

config::Loaded<JobConfig> load_checked_job(const std::filesystem::path& file,
                                           const config::Overrides& overrides,
                                           std::optional<int> ranks) {
  auto job = load_job_with_origins(file, overrides);
  config::with_places(job.origins, [&] {
    resolve_model_path(job.value);
    if (ranks) {
      job.value.parallel.data = config::IntOrAuto();
      job.value.parallel.data = mesh_shape(job.value, *ranks).data;
    }
    check_job(job.value, stated_mesh(job.value));
  });
  return job;
}

}  // namespace ty
