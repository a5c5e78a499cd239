// What an evaluation adds up: every target once, whatever windows, batches and ranks there are.
#include "launch/run/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/nn/flat_parameters.h"
#include "core/ops/loss.h"
#include "core/ops/shape.h"
#include "models/huggingface/model_directory.h"
#include "models/transformer/spec.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kVocab = 13, kContext = 8;

const std::unique_ptr<Objective> objective = cross_entropy_objective();

struct Small {
  explicit Small(std::int64_t tokens)
      : model(describe_model({.layers = 1,
                              .width = 8,
                              .heads = 2,
                              .context = kContext,
                              .vocab = kVocab,
                              .dropout = 0.5}),
              LinearRules()),
        flat(model.parameters(), plan_flat_layout(model.parameters(), 1 << 20, 1), *backend,
             {.compute = DType::f64, .weights = DType::f64, .gradients = false}),
        file(ids_of(tokens), {.source_bytes = 100}, "text") {
    flat.initialise(5);
  }
  static std::vector<std::int32_t> ids_of(std::int64_t count) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < count; ++i)
      ids.push_back(static_cast<std::int32_t>(i * i % kVocab));
    return ids;
  }
  // The sum over windows of `sequence` targets, one window after the other.
  double sum_of_losses(std::int64_t sequence) {
    const auto ids = ids_of(file.size());
    double sum = 0;
    for (std::int64_t first = 0; first + 1 < file.size(); first += sequence) {
      const std::int64_t count = std::min(sequence, file.size() - 1 - first);
      const auto part = [&](std::int64_t from) {
        return std::span(ids).subspan(static_cast<std::size_t>(from),
                                      static_cast<std::size_t>(count));
      };
      const Tensor in = Tensor::from<std::int32_t>(*backend, {1, count}, part(first));
      const Tensor targets = Tensor::from<std::int32_t>(*backend, {count}, part(first + 1));
      const Batch batch = {.sequences = 1, .columns = {{Column::ids, in}}};
      const Tensor logits = model.readout().logits(model.forward({.batch = batch}).hidden);
      sum += cross_entropy(reshape(logits, {count, kVocab}), targets).item();
    }
    return sum;
  }

  std::unique_ptr<Backend> backend = make_reference_backend();
  Model model;
  FlatParameters flat;
  TokenFile file;
};

TEST(Evaluation, IsTheMeanOverAllTargets) {
  for (const std::int64_t tokens : {2, 8, 9, 10, 41}) {
    Small s(tokens);
    for (const std::int64_t sequence : {1, 5, 8}) {
      for (const std::int64_t batch : {1, 3, 100}) {
        const Evaluation result = evaluate(s.model, *objective, *s.backend, s.file,
                                           {.sequence = sequence, .batch = batch});
        EXPECT_EQ(result.tokens, static_cast<double>(tokens - 1));
        EXPECT_NEAR(result.loss, s.sum_of_losses(sequence) / static_cast<double>(tokens - 1),
                    1e-12);
        EXPECT_NEAR(result.perplexity(), std::exp(result.loss), 1e-9);
        // Nats per token, times tokens per byte.
        EXPECT_NEAR(result.bits_per_byte,
                    result.loss / std::log(2.0) * static_cast<double>(tokens) / 100, 1e-12);
      }
    }
  }
}

TEST(Evaluation, DoesNotDependOnTheNumberOfRanks) {
  Small alone(41);
  const EvaluationOptions options = {.sequence = 5, .batch = 2};
  const double wanted = evaluate(alone.model, *objective, *alone.backend, alone.file, options).loss;
  for (const int ranks : {2, 3, 12}) {  // the last has ranks without a window
    run_ranks(ranks, [&](const Group& world) {
      Small s(41);
      const Evaluation result = evaluate(s.model, *objective, *s.backend, s.file, options, {world});
      EXPECT_NEAR(result.loss, wanted, 1e-12);
      EXPECT_EQ(result.tokens, 40);
    });
  }
}

TEST(Evaluation, OfAPartTakesWindowsFromAllOfTheFile) {
  Small s(1000);
  const EvaluationOptions options = {.sequence = 8, .batch = 4, .most_tokens = 80};
  EXPECT_EQ(evaluate(s.model, *objective, *s.backend, s.file, options).tokens, 80);
}

TEST(Evaluation, OfOverlappingWindowsIsThePublicLibrarys) {
  const Path golden = TY_GOLDEN_DIR;
  std::ifstream text(golden / "perplexity/strides.json");
  const auto data = nlohmann::json::parse(text);
  const auto ids = data["tokens"].get<std::vector<std::int32_t>>();
  const TokenFile file(ids, {}, "text");
  const auto backend = make_reference_backend();
  const OpenedModel opened =
      open_model(golden / "generation/gpt2/model", *backend, only_run(DType::f64));
  for (const auto& one : data["cases"]) {
    const EvaluationOptions options = {.sequence = one["length"].get<std::int64_t>() - 1,
                                       .stride = one["stride"]};
    const Evaluation result = evaluate(*opened.model, *objective, *backend, file, options);
    EXPECT_EQ(result.tokens, static_cast<double>(ids.size() - 1));
    EXPECT_NEAR(result.loss, one["loss"].get<double>(), 1e-6) << one;  // the library: in fp32
  }
}

TEST(Evaluation, OfALossThatIsNoneSaysSo) {
  Small s(20);
  s.backend->fill(s.flat.model().view(), NAN);
  EXPECT_TRUE(contains(message_of<NonFiniteError>([&] {
                         evaluate(s.model, *objective, *s.backend, s.file, {.sequence = 8});
                       }),
                       "text: the model's loss is nan"));
}

}  // namespace
}  // namespace ty::test
