#include "launch/run/optim_rules.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/base/suggest.h"
#include "models/linear/adapters.h"

namespace ty {

namespace {

struct Options {
  double lr, weight_decay, product_decay;
};

Options options_of(const OptimSection& optim, const Parameter& parameter) {
  const double rate = optim.factor_rates == FactorRates::shape ? parameter.init.rate : 1.0;
  const bool decays = !matches_any(optim.no_decay, parameter.name);
  const bool as_product = optim.product_decay && parameter.init.chain.is_in_chain();
  Options options = {.lr = optim.lr * rate,
                     .weight_decay = decays && !as_product ? optim.weight_decay : 0.0,
                     .product_decay = decays && as_product ? *optim.product_decay : 0.0};
  for (const OptimRule& rule : optim.rules) {
    if (!glob_match(rule.match, parameter.name)) continue;
    options.lr = rule.lr.value_or(options.lr);
    if (!rule.weight_decay) continue;
    options.weight_decay = *rule.weight_decay;
    options.product_decay = 0.0;
  }
  return options;
}

// "blocks.*.mlp.up.weight" for all blocks.
std::string of_all_blocks(const std::string& name) {
  std::string pattern;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_digit = std::isdigit(static_cast<unsigned char>(name[i])) != 0;
    if (!is_digit || pattern.empty() || (pattern.back() != '.' && pattern.back() != '*')) {
      pattern += name[i];
    } else if (pattern.back() == '.') {
      pattern += '*';
    }
  }
  return pattern;
}

// Names, and the patterns that people write of them: "blocks.3.*", "blocks.*.mlp.*".
std::vector<std::string> known_patterns(const ParameterStore& store) {
  std::set<std::string> known;
  for (const Parameter& parameter : store.all()) {
    for (const std::string& name : {parameter.name, of_all_blocks(parameter.name)}) {
      known.insert(name);
      for (std::size_t dot = name.find('.'); dot != std::string::npos;
           dot = name.find('.', dot + 1)) {
        if (name[dot - 1] != '*') known.insert(name.substr(0, dot) + ".*");
      }
    }
  }
  return {known.begin(), known.end()};
}

void check_pattern(const std::string& key, const std::string& pattern,
                   const ParameterStore& store) {
  const auto& all = store.all();
  const bool matches = std::any_of(all.begin(), all.end(), [&](const Parameter& each) {
    return glob_match(pattern, each.name);
  });
  if (matches) return;
  throw ConfigError(Key{key}, "\"{}\" matches no parameter; names look like {} and {}{}", pattern,
                    all.front().name, all.back().name,
                    did_you_mean(pattern, known_patterns(store)));
}

// The lengths of columns that dora divides by are taken for those of a base that stays as it is.
void check_dora_bases(const TrainedParameters& trained, const ParameterStore& whole) {
  constexpr std::string_view kMark = ".lora.magnitude";
  for (const Parameter& adapter : whole.all()) {
    if (!adapter.name.ends_with(kMark)) continue;
    const std::string layer = adapter.name.substr(0, adapter.name.size() - kMark.size()) + ".";
    for (const Parameter& each : whole.all()) {
      const bool is_base =
          each.name.starts_with(layer) && !is_adapter(each.name) && each.name != layer + "bias";
      if (!is_base || !trained.contains(each.name)) continue;
      throw ConfigError(Key{"optim.train"},
                        "matches {}, which lies under a dora adapter and must stay as it is",
                        each.name);
    }
  }
}

double max_rms(const OptimSection& optim, const Parameter& parameter) {
  return optim.factor_norm_cap.value_or(0.0) * parameter.init.rms;
}

bool is_bounded(const OptimSection& optim, const Parameter& parameter) {
  return optim.factor_steps == FactorSteps::bounded && is_factor_of_pair(parameter);
}

}  // namespace

TrainingRules training_rules(const OptimSection& optim) { return {optim.freeze, optim.train}; }

UpdateOptions update_options(const OptimSection& optim, const Parameter& parameter) {
  const Options options = options_of(optim, parameter);
  const auto numbers = static_cast<double>(parameter.whole().numel());
  return {.rate = options.lr / optim.lr,
          .weight_decay = options.weight_decay,
          .product_decay = options.product_decay,
          .max_norm = max_rms(optim, parameter) * std::sqrt(numbers),
          .is_bounded = is_bounded(optim, parameter),
          .is_sum = parameter.init.is_sum};
}

void check_patterns(const OptimSection& optim, const ParameterStore& whole) {
  for (const std::string& pattern : optim.no_decay) check_pattern("optim.no_decay", pattern, whole);
  for (const std::string& pattern : optim.freeze) check_pattern("optim.freeze", pattern, whole);
  for (const std::string& pattern : optim.train) check_pattern("optim.train", pattern, whole);
  for (std::size_t i = 0; i < optim.rules.size(); ++i) {
    check_pattern(fmt::format("optim.rules[{}].match", i), optim.rules[i].match, whole);
  }
  const auto& all = whole.all();
  const TrainedParameters trained(training_rules(optim), whole);
  check_dora_bases(trained, whole);
  const bool trains = std::any_of(
      all.begin(), all.end(), [&](const Parameter& each) { return trained.contains(each.name); });
  if (!trains) {
    throw ConfigError(Key{"optim.freeze"}, "matches all {} parameters: nothing is left to train",
                      all.size());
  }
}

std::vector<UpdateGroup> update_groups(const OptimSection& optim, const ParameterStore& whole) {
  std::vector<UpdateGroup> groups;
  const TrainedParameters trained(training_rules(optim), whole);
  for (const Parameter& parameter : whole.all()) {
    UpdateGroup one = {.first = parameter.name,
                       .parameters = 1,
                       .numbers = parameter.whole().numel(),
                       .is_frozen = !trained.contains(parameter.name),
                       .is_sum = parameter.init.is_sum};
    if (!one.is_frozen && !one.is_sum) {
      const Options options = options_of(optim, parameter);
      one.lr = options.lr;
      one.weight_decay = options.weight_decay;
      one.product_decay = options.product_decay;
      one.max_rms = max_rms(optim, parameter);
      one.is_bounded = is_bounded(optim, parameter);
    }
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const UpdateGroup& group) {
      return group.is_frozen == one.is_frozen && group.is_sum == one.is_sum && group.lr == one.lr &&
             group.weight_decay == one.weight_decay && group.product_decay == one.product_decay &&
             group.max_rms == one.max_rms && group.is_bounded == one.is_bounded;
    });
    if (found == groups.end()) {
      groups.push_back(std::move(one));
    } else {
      found->parameters += one.parameters;
      found->numbers += one.numbers;
    }
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const UpdateGroup& group) { return !group.is_frozen; });
  return groups;
}

}  // namespace ty
