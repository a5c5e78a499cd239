// The pass that takes statistics against gradients of single examples, and on several ranks.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "launch/run/statistics_pass.h"
#include "models/compress/importance.h"
#include "models/huggingface/model_directory.h"
#include "models/linear/lora/fused_columns.h"
#include "models/linear/lora/lora.h"
#include "models/objective/chunked_loss.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

// What an example's targets are: of each token the next one, one label, some tokens of its own, or
// another text.
enum class Targets { next, label, hidden, text };

// A few examples of a tiny model, of lengths of their own.
struct Task {
  ModelSpec spec;
  std::int64_t examples;
  Targets targets;
};

Task texts() {
  return {{.layers = 2, .width = 12, .heads = 3, .context = 10, .vocab = 17}, 11, Targets::next};
}

Task labels() {
  ModelSpec spec = {
      .family = "bert", .layers = 2, .width = 12, .heads = 3, .context = 10, .vocab = 17};
  spec.head = {.kind = HeadSpec::Kind::labels, .labels = 3, .pooler = UnaryOp::tanh};
  spec.causal = spec.norm_first = spec.final_norm = false;
  spec.embedding_norm = true;
  return {spec, 11, Targets::label};
}

// An encoder that fills in hidden tokens.
Task hidden() {
  ModelSpec spec = labels().spec;
  spec.head = {.kind = HeadSpec::Kind::language, .transform = true, .bias = true};
  return {spec, 11, Targets::hidden};
}

// An encoder-decoder; its texts are shorter than what they answer.
Task answers() {
  ModelSpec spec = {.family = "bart",
                    .layers = 2,
                    .encoder_layers = 1,
                    .width = 12,
                    .heads = 3,
                    .context = 10,
                    .vocab = 17};
  spec.norm_first = spec.final_norm = false;
  spec.embedding_norm = true;
  return {spec, 11, Targets::text};
}

// The same with adapters, of all of a layer and of parts of one; queries and keys have none.
Task adapted(Task task) {
  task.spec.linear = {
      {"blocks.*.mlp.*", LoraSpec{{.rank = 3, .alpha = 6}}},
      {"blocks.1.attn.qkv", LoraSpec{{.rank = 2, .alpha = 2, .parts = {"q", "v"}}}}};
  return task;
}

class Examples final : public Source {
 public:
  explicit Examples(const Task& task, std::int64_t repeat = 1) : task_(task), repeat_(repeat) {}
  std::int64_t examples() const override { return repeat_ * task_.examples; }
  using Source::batch;
  HostBatch batch(std::span<const std::int64_t> numbers) const override {
    const Targets kind = task_.targets;
    HostBatch batch;
    batch.sequences = std::ssize(numbers);
    std::int64_t longest = 0;
    for (const std::int64_t i : numbers) longest = std::max(longest, length(i));
    if (kind == Targets::next) longest = task_.spec.context;
    HostColumn ids = {{longest}}, targets, lengths, decoder_ids;
    if (kind != Targets::label) targets.row = {kind == Targets::text ? longest - 2 : longest};
    decoder_ids.row = targets.row;
    for (const std::int64_t number : numbers) {
      const std::int64_t i = number % task_.examples;
      for (std::int64_t t = 0; t < longest; ++t) {
        const bool is_padding = t >= length(i);
        const std::int32_t id = id_at(i, t);
        ids.ids.push_back(is_padding ? 0 : id);
        if (kind == Targets::next) targets.ids.push_back(is_padding ? -1 : (id * 5 + 1) % 17);
        // The last hidden token is not the last that counts.
        const bool is_hidden = t % 3 == 1 && t + 2 < length(i);
        if (kind == Targets::hidden) targets.ids.push_back(is_hidden ? id : -1);
        if (kind != Targets::text || t + 2 >= longest) continue;
        const bool is_written = t + 2 < length(i);
        targets.ids.push_back(is_written ? (id * 5 + 1) % 17 : -1);
        decoder_ids.ids.push_back(is_written ? id : 0);
      }
      if (kind == Targets::label) targets.ids.push_back(static_cast<std::int32_t>(i % 3));
      lengths.ids.push_back(static_cast<std::int32_t>(length(i)));
    }
    batch.columns = {{Column::ids, ids}, {Column::targets, targets}};
    if (kind != Targets::next) batch.columns[Column::lengths] = lengths;
    if (kind == Targets::text) batch.columns[Column::decoder_ids] = decoder_ids;
    return batch;
  }

 private:
  static std::int32_t id_at(std::int64_t example, std::int64_t place) {
    const RandomStream stream(3, site_id("examples"));
    return static_cast<std::int32_t>(
        stream.word(static_cast<std::uint64_t>(example), static_cast<std::uint64_t>(place)) % 17);
  }
  std::int64_t length(std::int64_t i) const { return 4 + i % task_.examples * 7 % 6; }
  const Task& task_;
  std::int64_t repeat_;
};

constexpr StatisticKinds kAll = {.fisher = true, .gram = true, .inputs = true, .lora = true};

// Weights large enough that all of them matter.
void set_weights(OpenedModel& opened) {
  const auto& all = opened.parameters->store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Tensor weight = opened.parameters->weight_of(i);
    Backend& backend = weight.backend();
    const Tensor values = random_tensor(backend, weight.shape(), all[i].name, DType::f64);
    backend.axpby(weight.view(), 0.3, values.to(weight.dtype()).view(), 0.0);
  }
  opened.parameters->refresh_model();
}

std::vector<LinearSite> sites_of(const ModelSpec& spec) {
  return layers_to_watch(spec,
                         Model(describe_model(spec), LinearRules(spec.linear)).linear_sites());
}

// Of all layers, by path; one after the other.
using Numbers = std::map<std::string, LayerStatistics>;

struct Pass {
  DType dtype = DType::f64;
  FisherTerms fisher = FisherTerms::examples;
  StatisticsPassOptions options = {.batch = 4};
  std::int64_t repeat = 1;
  Group ranks = {};
};

Numbers statistics_of(const Task& task, const Pass& pass) {
  const auto backend = make_cpu_backend(Products::fixed);
  StatisticsCollector collector(*backend, sites_of(task.spec), kAll, pass.fisher);
  OpenedModel opened =
      declare_model(task.spec, *backend, only_run(pass.dtype), 1, 1, {.observer = &collector});
  set_weights(opened);
  const Examples source(task, pass.repeat);
  const StatisticsSums sums =
      run_statistics_pass(*opened.model, *objective_of(task.spec.head), *backend, collector, source,
                          "examples", pass.options, pass.ranks);
  Numbers result;
  for (const LinearSite& site : collector.layers()) {
    LayerStatistics& all = result[site.path];
    for (const StatisticKind kind : kStatisticKinds) {
      if (!has_statistic(site, kind)) continue;
      LayerStatistics one = finished(sums, site.path, kind);
      if (kind == StatisticKind::lora) {
        all.lora_rows = one.lora_rows;
        all.lora_columns = one.lora_columns;
      }
      if (kind == StatisticKind::fisher) all.fisher = one.fisher;
      if (kind == StatisticKind::gram) all.gram = one.gram;
      if (kind != StatisticKind::inputs) continue;
      all.mean_input = one.mean_input;
      all.max_input = one.max_input;
    }
  }
  return result;
}

// Calls f after the backward of each example's mean loss, as training would have it.
void for_each_example(const Task& task, const std::function<void(const ParameterStore&)>& f) {
  const auto backend = make_cpu_backend(Products::fixed);
  OpenedModel opened =
      declare_model(task.spec, *backend, {.compute = DType::f64, .weights = DType::f64});
  set_weights(opened);
  const auto objective = objective_of(task.spec.head);
  const Examples source(task);
  for (std::int64_t i = 0; i < task.examples; ++i) {
    const HostBatch host = source.batch(i, 1);
    const Batch batch = upload(*backend, host, 0, 1);
    opened.parameters->clear_gradients();
    backward_from_loss(*opened.model, *objective, opened.model->forward({.batch = batch}), batch,
                       1.0 / static_cast<double>(objective->targets(host)));
    f(opened.parameters->store());
  }
}

// Mean of the squared gradients of single examples, as training would have them.
std::map<std::string, Matrix> squared_gradients(const Task& task) {
  std::map<std::string, Matrix> means;
  for_each_example(task, [&](const ParameterStore& store) {
    for (const LinearSite& site : sites_of(task.spec)) {
      const Parameter* weight = store.find(site.path + ".weight");
      const std::vector<double> gradient = doubles(grad_of(weight->value));
      Matrix& mean = means.try_emplace(site.path, site.shape.in, site.shape.out).first->second;
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        mean.data[k] += gradient[k] * gradient[k] / static_cast<double>(task.examples);
      }
    }
  });
  return means;
}

// Of the layers with adapters, the importances that gradients of their factors give, as training
// has them: mean over single examples, s = alpha / rank = `scale` of both.
std::map<std::string, Matrix> importances(const Task& task) {
  std::map<std::string, Matrix> means;
  const auto matrix = [](const Tensor& x, double factor) {
    Matrix result(x.dim(0), x.dim(1), doubles(x));
    for (double& value : result.data) value *= factor;
    return result;
  };
  for_each_example(task, [&](const ParameterStore& store) {
    for (const LinearSite& site : sites_of(task.spec)) {
      const auto* lora = site.spec.as<LoraSpec>();
      if (lora == nullptr) continue;
      const NoGrad no_grad;
      const double s = lora->options.scale();
      const auto find = [&](const char* name) { return store.find(site.path + "." + name)->value; };
      const auto whole = [&](const Tensor& b) {
        if (lora->options.parts.empty()) return b;
        return spread_over_fused(b, fused_parts(lora->options.parts, site.shape.heads));
      };
      const Matrix a = matrix(find("lora.a"), 1), b = matrix(whole(find("lora.b")), 1);
      const Matrix da = matrix(grad_of(find("lora.a")), 1 / s);
      const Matrix db = matrix(whole(grad_of(find("lora.b"))), 1 / s);
      const Matrix w = matrix(find("weight"), 1);
      const Matrix ab = multiply(a, b), da_b = multiply(da, b), a_db = multiply(a, db),
                   both = multiply(da, db);
      Matrix& mean = means.try_emplace(site.path, site.shape.in, site.shape.out).first->second;
      for (std::size_t k = 0; k < mean.data.size(); ++k) {
        const double g = da_b.data[k] + a_db.data[k] - both.data[k];
        const double change = g * (w.data[k] + s * ab.data[k]);
        mean.data[k] += change * change / static_cast<double>(task.examples);
      }
    }
  });
  return means;
}

double relative(const Matrix& a, const Matrix& b) { return distance(a, b) / frobenius_norm(b); }

TEST(StatisticsPass, TakesTheMeanOfSquaredGradientsOfExamples) {
  // Attention, MLP and, of a decoder with an encoder, three layers more in each block; a pooler and
  // the labels.
  const std::vector<std::pair<Task, std::size_t>> tasks = {
      {texts(), 8}, {labels(), 10}, {hidden(), 8}, {answers(), 3 * 4 + 2 * 3}};
  for (const auto& [task, layers] : tasks) {
    const auto expected = squared_gradients(task);
    const Numbers found = statistics_of(task, {});
    ASSERT_EQ(found.size(), layers);
    for (const auto& [path, mean] : expected) {
      EXPECT_LT(relative(found.at(path).fisher, mean), 1e-10) << path;
      EXPECT_GT(energy(mean), 0.0) << path;
    }
  }
}

TEST(StatisticsPass, TakesImportancesFromAdaptersAlone) {
  for (const Task& task : {adapted(texts()), adapted(labels())}) {
    const auto expected = importances(task);
    const Numbers found = statistics_of(task, {});
    ASSERT_EQ(expected.size(), 5u);
    for (const auto& [path, numbers] : found) {
      ASSERT_EQ(numbers.lora_rows.empty(), !expected.contains(path)) << path;
      if (!expected.contains(path)) continue;
      const Matrix& wanted = expected.at(path);
      double largest = 0;
      for (const double sum : row_sums(wanted)) largest = std::max(largest, sum);
      EXPECT_GT(largest, 0.0) << path;
      for (std::int64_t i = 0; i < wanted.rows; ++i) {
        const auto k = static_cast<std::size_t>(i);
        EXPECT_NEAR(numbers.lora_rows[k], row_sums(wanted)[k], 1e-10 * largest) << path;
      }
      for (std::int64_t j = 0; j < wanted.cols; ++j) {
        const auto k = static_cast<std::size_t>(j);
        EXPECT_NEAR(numbers.lora_columns[k], column_sums(wanted)[k], 1e-10 * largest) << path;
      }
    }
  }
}

TEST(StatisticsPass, DoesNotDependOnBatchesPaddingAndRepetition) {
  for (const Task& task : {texts(), labels(), hidden(), answers()}) {
    const Numbers one = statistics_of(task, {.options = {.batch = 1}});
    const Numbers four = statistics_of(task, {});
    const Numbers twice = statistics_of(task, {.repeat = 2});
    const Numbers alone =
        statistics_of(task, {.fisher = FisherTerms::batches, .options = {.batch = 1}});
    for (const auto& [path, numbers] : one) {
      for (const Numbers* other : {&four, &twice}) {
        const LayerStatistics& same = other->at(path);
        EXPECT_LT(relative(same.fisher, numbers.fisher), 1e-10) << path;
        EXPECT_LT(relative(same.gram, numbers.gram), 1e-10) << path << ": padding counts";
        for (std::size_t i = 0; i < numbers.mean_input.size(); ++i) {
          EXPECT_NEAR(same.mean_input[i], numbers.mean_input[i], 1e-6) << path;
          EXPECT_NEAR(same.max_input[i], numbers.max_input[i], 1e-6) << path;
        }
      }
      EXPECT_LT(relative(alone.at(path).fisher, numbers.fisher), 1e-10) << path << ": both forms";
    }
    const Numbers batches = statistics_of(task, {.fisher = FisherTerms::batches});
    EXPECT_GT(relative(batches.begin()->second.fisher, one.begin()->second.fisher), 1e-2);
  }
}

TEST(StatisticsPass, ReadsSoManyExamplesEvenlySpread) {
  EXPECT_EQ(batches_of_pass(11, {.batch = 4}), 3);
  EXPECT_EQ(batches_of_pass(11, {.examples = 5, .batch = 4}), 2);
  EXPECT_EQ(examples_of_pass(11, {.examples = 50}), 11);
  const Task task = texts();
  const Numbers all = statistics_of(task, {}),
                some = statistics_of(task, {.options = {.examples = 5}});
  EXPECT_GT(relative(some.begin()->second.fisher, all.begin()->second.fisher), 1e-2);
}

TEST(StatisticsPass, OfSeveralRanksIsThatOfOne) {
  omp_set_num_threads(1);
  for (const Task& task : {texts(), adapted(labels())}) {
    for (const Reduction reduction : {Reduction::fast, Reduction::canonical}) {
      const Pass pass = {.dtype = DType::f32, .options = {.batch = 1, .reduction = reduction}};
      const Numbers one = statistics_of(task, pass);
      for (const int ranks : {2, 4}) {
        run_ranks(ranks, [&](const Group& world) {
          omp_set_num_threads(1);
          Pass shared = pass;
          shared.ranks = world;
          for (const auto& [path, numbers] : statistics_of(task, shared)) {
            const LayerStatistics& alone = one.at(path);
            EXPECT_LT(relative(numbers.fisher, alone.fisher), 1e-6) << path;
            if (reduction == Reduction::fast) continue;
            EXPECT_EQ(numbers.fisher.data, alone.fisher.data) << path << " on " << ranks;
            EXPECT_EQ(numbers.gram.data, alone.gram.data) << path << " on " << ranks;
            EXPECT_EQ(numbers.mean_input, alone.mean_input) << path << " on " << ranks;
            EXPECT_EQ(numbers.max_input, alone.max_input) << path << " on " << ranks;
            EXPECT_EQ(numbers.lora_rows, alone.lora_rows) << path << " on " << ranks;
            EXPECT_EQ(numbers.lora_columns, alone.lora_columns) << path << " on " << ranks;
          }
        });
      }
    }
  }
}

TEST(StatisticsPass, RefusesRanksThatCannotShareTheLanes) {
  const Task task = texts();
  EXPECT_TRUE(contains(message_of<ConfigError>([&] {
                         run_ranks(3, [&](const Group& world) {
                           statistics_of(task, {.options = {.reduction = Reduction::canonical},
                                                .ranks = world});
                         });
                       }),
                       "canonical sums are divided over 1, 2 or 4 ranks, got 3"));
}

TEST(StatisticsPass, LeavesAModelThatNobodyWatchesAsItIs) {
  const Task task = texts();
  const auto backend = make_cpu_backend(Products::fixed);
  StatisticsCollector none(*backend, {}, kAll, FisherTerms::examples);
  const HostBatch host = Examples(task).batch(0, 3);
  const auto logits = [&](LinearObserver* observer) {
    OpenedModel opened =
        declare_model(task.spec, *backend, only_run(), 1, 1, {.observer = observer});
    set_weights(opened);
    const Batch batch = upload(*backend, host, 0, 3);
    const Flow out = opened.model->forward({.batch = batch});
    EXPECT_FALSE(out.hidden.requires_grad());
    return doubles(out.hidden);
  };
  EXPECT_EQ(logits(&none), logits(nullptr));
}

}  // namespace
}  // namespace ty::test
