#include "launch/verbs/eval_written.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "core/base/stopwatch.h"
#include "core/data/tasks/examples.h"
#include "launch/report/progress.h"
#include "launch/report/text.h"
#include "launch/run/dataset.h"
#include "launch/run/task_data.h"
#include "launch/run/text_generator.h"
#include "launch/verbs/generate_options.h"

namespace ty {

namespace {

constexpr const char* kMaxTokens = "--max-tokens";  // --tokens are ids, to eval

// The texts of all copies of the model, of which each has written every size-th.
std::vector<std::string> in_order(const Group& copies, const std::vector<std::string>& own,
                                  std::size_t count) {
  std::vector<nlohmann::json> parts;
  for (const std::string& part : copies.all_gather_text(nlohmann::json(own).dump())) {
    parts.push_back(nlohmann::json::parse(part));
  }
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(parts[i % parts.size()][i / parts.size()].get<std::string>());
  }
  return all;
}

}  // namespace

WrittenTexts write_answers(const Arguments& arguments, const SharedModel& shared, Backend& backend,
                           const Path& directory, const TaskFile& file, const Path& examples) {
  const ExampleSet set = read_examples(examples, example_format(file.data, file.task));
  const Group copies = shared.mesh.data();
  WrittenTexts texts;
  std::vector<std::string> sources;  // of this copy
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    texts.sources.push_back(set.examples[i].first);
    texts.references.push_back(set.examples[i].target);
    const auto writer = static_cast<int>(i % static_cast<std::size_t>(copies.size()));
    if (writer == copies.rank()) sources.push_back(set.examples[i].first);
  }
  const auto tokenizer = find_tokenizer(directory);
  const TextGenerator generator(directory, shared, *tokenizer, backend);
  const GenerationMethod method = search_method(arguments, kMaxTokens);
  const auto batch = static_cast<std::size_t>(arguments.integer("--batch", 8));
  ProgressLine progress;
  const Stopwatch watch;
  std::vector<std::string> own;
  for (std::size_t first = 0; first < sources.size(); first += batch) {
    const auto part = std::span(sources).subspan(first, std::min(batch, sources.size() - first));
    for (std::string& text : generator.texts_for(part, method, std::ssize(part))) {
      own.push_back(std::move(text));
    }
    if (shared.mesh.world().rank() != 0) continue;
    const double done = static_cast<double>(own.size()) / static_cast<double>(sources.size());
    progress.show(fmt::format(
        "writing text {} of {}, {} left",
        std::min(own.size() * static_cast<std::size_t>(copies.size()), set.examples.size()),
        set.examples.size(), human_duration(watch.seconds() * (1 / done - 1))));
  }
  progress.finish();
  texts.written = in_order(copies, own, set.examples.size());
  return texts;
}

std::vector<OptionSpec> writing_options() {
  std::vector<OptionSpec> options = {
      {"--generate", "", "of an encoder-decoder: write a text for each example and score it"}};
  for (OptionSpec& option : search_option_specs(kMaxTokens)) options.push_back(std::move(option));
  return options;
}

}  // namespace ty
