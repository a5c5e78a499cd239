// A model that generates at batch 1: with kept keys and values beside without, and how fast its
// weights are read beside how fast this machine can read them.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "launch/bench/bench.h"
#include "launch/process/world.h"
#include "launch/report/text.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/model_path.h"
#include "launch/run/model_setup.h"
#include "models/generation/generation.h"
#include "models/huggingface/model_directory.h"

namespace ty::bench {

namespace {

constexpr std::int64_t kPromptTokens = 16;
constexpr std::int64_t kLengths = 9;  // at which passes without a cache are measured

// The model of a job file, with the weights that it would start with, or of a run or directory.
OpenedModel open_subject(const Arguments& arguments, Backend& backend, int ranks) {
  const Path path = arguments.word(0, "the job file, run or model directory");
  if (std::filesystem::is_directory(path)) {
    if (!arguments.overrides.empty()) {
      throw UsageError("bench generate: {} is not a job file; {} overrides nothing of it",
                       path.string(), arguments.overrides.front());
    }
    return open_model(find_model(path).directory, backend, only_run());
  }
  const JobConfig job = load_checked_job(path.string(), arguments.overrides, ranks).value;
  OpenedModel model =
      declare_model(planned_model(job), backend, only_run(job.precision.compute), 1, 1, {});
  model.parameters->initialise(static_cast<std::uint64_t>(job.run.seed));
  return model;
}

// What a pass over one token reads: all but the tables of which it takes a row.
double bytes_of_weights(const OpenedModel& opened) {
  double bytes = 0;
  for (const Parameter& parameter : opened.model->parameters().all()) {
    const bool is_table = parameter.name.starts_with("embeddings.");
    const bool is_head = opened.spec.tied && parameter.name.starts_with("embeddings.token.");
    if (!is_table || is_head) bytes += static_cast<double>(parameter.value.view().bytes());
  }
  return bytes;
}

struct Measured {
  std::vector<double> first, token, whole;    // seconds: of the first token, each other, all
  std::vector<double> uncached;               // of as many without a cache
  std::vector<double> read_bytes_per_second;  // of the weights, by a plain loop
};

class TimedModel {
 public:
  TimedModel(const OpenedModel& opened, Backend& backend, std::int64_t tokens)
      : opened_(opened),
        tokens_(tokens),
        generator_{.model = *opened.model, .backend = backend, .context = opened.spec.context} {
    for (std::int64_t i = 0; i < kPromptTokens; ++i) {
      prompt_.push_back(static_cast<std::int32_t>(i * 7919 % opened.spec.vocab));
    }
  }

  void run_cached(Measured& into) const {
    const Stopwatch watch;
    double first = 0;
    generate(generator_, {}, {prompt_}, {.max_tokens = tokens_, .temperature = 0},
             [&](std::size_t, std::int32_t) {
               if (first == 0) first = watch.seconds();
             });
    const double all = watch.seconds();
    into.first.push_back(first);
    into.token.push_back((all - first) / static_cast<double>(tokens_ - 1));
    into.whole.push_back(all);
  }
  // The sum over all lengths, from a few of them: between two, time is taken to grow evenly.
  void run_uncached(Measured& into) const {
    Generator generator = generator_;
    generator.cached = false;
    double all = 0, before = 0;
    for (std::int64_t i = 0; i < kLengths; ++i) {
      const std::int64_t length = kPromptTokens + (tokens_ - 1) * i / (kLengths - 1);
      Decoder decoder(generator, 1);
      const double seconds =
          seconds_of([&] { decoder.start({Ids(static_cast<std::size_t>(length), 0)}); });
      if (i > 0) all += (before + seconds) / 2 * static_cast<double>(tokens_) / (kLengths - 1);
      before = seconds;
    }
    into.uncached.push_back(all);
  }
  void run_read(Measured& into) const {
    const View weights = opened_.parameters->model().view();
    into.read_bytes_per_second.push_back(read_rate(weights, 0.5));
  }

 private:
  const OpenedModel& opened_;
  std::int64_t tokens_;
  Generator generator_;
  Ids prompt_;
};

}  // namespace

ExitCode generate(const Arguments& arguments, RankStatus& status) {
  World world(status);
  const auto backend = make_backend(DeviceChoice::automatic, Reduction::fast, world.place());
  const OpenedModel opened = open_subject(arguments, *backend, world.size());
  if (!opened.spec.writes_texts()) {
    throw UsageError(
        "bench generate: {}: a model of family {} does not go on with a text; want a "
        "decoder",
        arguments.word(0, "the model"), opened.spec.family);
  }
  const std::int64_t tokens = std::max<std::int64_t>(2, arguments.integer("--tokens", 128));
  if (kPromptTokens + tokens > opened.spec.context) {
    throw UsageError(
        "bench generate: --tokens {} after a prompt of {} are more than the context "
        "{}; want {} at most",
        tokens, kPromptTokens, opened.spec.context, opened.spec.context - kPromptTokens);
  }
  const TimedModel subject(opened, *backend, tokens);
  Measured measured, warmup;
  take_turns(rounds_of(arguments, 1), 3, world.is_root(),
             [&](std::size_t thing, std::int64_t, bool counts) {
               Measured& into = counts ? measured : warmup;
               if (thing == 0) subject.run_cached(into);
               if (thing == 1) subject.run_read(into);
               if (thing == 2) subject.run_uncached(into);
             });
  const double bytes = bytes_of_weights(opened);
  std::vector<double> rates, shares;
  for (std::size_t i = 0; i < measured.token.size(); ++i) {
    rates.push_back(bytes / measured.token[i]);
    shares.push_back(rates[i] / measured.read_bytes_per_second[i]);
  }
  const Spread token = spread_of(measured.token), first = spread_of(measured.first),
               rate = spread_of(rates), share = spread_of(shares),
               ceiling = spread_of(measured.read_bytes_per_second),
               speedup = ratios_of(measured.uncached, measured.whole);
  if (arguments.flag("--json")) {
    const nlohmann::json json = {{"tokens", tokens},
                                 {"tokens_per_second", 1 / token.median},
                                 {"token_seconds", to_json(token)},
                                 {"first_token_seconds", to_json(first)},
                                 {"seconds", to_json(spread_of(measured.whole))},
                                 {"uncached_seconds", to_json(spread_of(measured.uncached))},
                                 {"speedup", to_json(speedup)},
                                 {"weight_bytes", bytes},
                                 {"weight_bytes_per_second", to_json(rate)},
                                 {"read_bytes_per_second", to_json(ceiling)},
                                 {"share_of_bandwidth", to_json(share)},
                                 {"peak_bytes", backend->memory().stats().total_peak},
                                 {"threads", world.threads()}};
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print(
      "generate  {:.1f} tok/s  first token {:.4f} s  (batch 1, {} + {} tokens, {} threads)\n",
      1 / token.median, first.median, kPromptTokens, tokens, world.threads());
  fmt::print("          all {:.2f} s  without a cache {:.2f} s  {}\n",
             spread_of(measured.whole).median, spread_of(measured.uncached).median,
             format_ratio(speedup));
  fmt::print("          weights {} a token  {}/s  {:.0f} % of the {}/s that a plain loop reads\n",
             human_bytes(bytes), human_bytes(rate.median), 100 * share.median,
             human_bytes(ceiling.median));
  return ExitCode::ok;
}

}  // namespace ty::bench
