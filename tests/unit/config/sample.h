// A config struct with one member of every type that a field list knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/config/load.h"

namespace ty::test {

enum class Fruit : std::uint8_t { apple, banana };

struct SampleModel {
  std::filesystem::path from;
  std::int64_t layers = 2;
  std::int64_t width = 8;
  std::int64_t heads = 2;
  bool tied = true;
};

struct SampleOptim {
  std::string name = "adamw";
  double lr = 1e-3;
  std::vector<double> betas{0.9, 0.95};
  double momentum = 0.0;
  std::optional<double> limit;
};

struct SampleDense {};
struct SampleLowRank {
  std::int64_t rank = 0;
};
struct SampleTrain {
  double rank = 0.5;
  std::vector<std::int64_t> in;
};

struct SampleRule {
  std::string match;
  std::variant<SampleDense, SampleLowRank, SampleTrain> spec;
};

inline std::variant<SampleDense, SampleLowRank, SampleTrain> sample_spec(std::size_t kind) {
  if (kind == 1) return SampleLowRank{};
  if (kind == 2) return SampleTrain{};
  return SampleDense{};
}

struct Sample {
  std::string title = "a title";
  Fruit fruit = Fruit::apple;
  std::optional<Fruit> second;
  config::IntOrAuto ranks;
  std::vector<std::string> words{"plain", "with space"};
  std::vector<std::filesystem::path> files;
  SampleModel model;
  SampleOptim optim;
  std::vector<SampleRule> rules;
};

inline void fields(config::Fields& f, SampleModel& s) {
  f.field("from", s.from, "a directory");
  f.when("from", s.from.empty(), "without from", [&] {
    f.field("layers", s.layers, "number of blocks", config::at_least(1));
    f.field("width", s.width, "width", config::between(1, 4096));
    f.field("heads", s.heads, "heads", config::at_least(1));
  });
  f.field("tied", s.tied, "shared table");
}

inline void check(const SampleModel& s, config::Checks& checks) {
  if (s.width % s.heads != 0) {
    checks.fail("heads", "{} does not divide width = {}", s.heads, s.width);
  }
}

inline void fields(config::Fields& f, SampleOptim& s) {
  f.field("name", s.name, "optimizer", config::one_of({"adamw", "sgd"}));
  f.field("lr", s.lr, "learning rate", config::positive());
  f.when("name", s.name == "adamw", "with name: adamw",
         [&] { f.field("betas", s.betas, "moments", config::at_least(0).below(1).items(2)); });
  f.when("name", s.name == "sgd", "with name: sgd",
         [&] { f.field("momentum", s.momentum, "momentum"); });
  f.field("limit", s.limit, "a limit | or none");
}

inline void fields(config::Fields&, SampleDense&) {}
inline void fields(config::Fields& f, SampleLowRank& s) {
  f.field("rank", s.rank, "columns kept", config::at_least(1).required());
}
inline void fields(config::Fields& f, SampleTrain& s) {
  f.field("rank", s.rank, "share kept", config::positive());
  f.field("in", s.in, "modes", config::at_least(2));
}

inline void fields(config::Fields& f, SampleRule& s) {
  f.field("match", s.match, "pattern", config::required());
  config::Alternatives among;
  among.names = {"dense", "svd", "train"};
  among.chosen = s.spec.index();
  among.choose = [&s](std::size_t i) { s.spec = sample_spec(i); };
  among.visit_chosen = [&s](config::Fields& inner) {
    std::visit([&](auto& each) { fields(inner, each); }, s.spec);
  };
  among.visit = [](config::Fields& inner, std::size_t i) {
    auto fresh = sample_spec(i);
    std::visit([&](auto& each) { fields(inner, each); }, fresh);
  };
  f.alternatives("kind", "kind of map", among);
}

inline void fields(config::Fields& f, Sample& s) {
  f.field("title", s.title, "free text");
  f.field("fruit", s.fruit, "a fruit", {{"apple", Fruit::apple}, {"banana", Fruit::banana}});
  f.field("second", s.second, "another", {{"apple", Fruit::apple}, {"banana", Fruit::banana}});
  f.field("ranks", s.ranks, "ranks", config::at_least(1));
  f.field("words", s.words, "words");
  f.field("files", s.files, "files");
  f.field("model", s.model, "the model");
  f.field("optim", s.optim, "the optimizer");
  f.field("rules", s.rules, "rules");
}

inline void check(const Sample& s, config::Checks& checks) {
  if (s.ranks.value_or(1) > s.model.layers) {
    checks.fail("ranks", "{} is more than model.layers = {}", *s.ranks.value, s.model.layers);
  }
  if (s.optim.limit && *s.optim.limit < s.optim.lr) {
    checks.fail("optim.lr", "{} is more than optim.limit = {}", s.optim.lr, *s.optim.limit);
  }
}

}  // namespace ty::test
