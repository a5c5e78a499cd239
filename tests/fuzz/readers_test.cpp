// readers_test: damaged data sets of tasks, given to their readers. Each is read, or refused with
// one line that names the file; none ends the process or gives examples with labels outside of the
// classes.
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/tasks/cifar.h"
#include "core/data/tasks/glue.h"
#include "core/io/file.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

constexpr std::uint64_t kInputs = 2000;

struct Reader {
  const char* name;
  const char* file;
  std::string good;
  std::function<bool(const Path&)> read;  // false: what was read is wrong
};

bool are_in(const std::vector<std::int32_t>& labels, std::int32_t num_classes) {
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= num_classes) return false;
  }
  return true;
}

bool reads_examples(const Path& file, const ExampleFormat& format) {
  const ExampleSet set = read_examples(file, format);
  std::vector<std::int32_t> labels;
  for (const TextExample& one : set.examples) labels.push_back(one.label);
  return !set.examples.empty() &&
         (set.labels.empty() || are_in(labels, static_cast<std::int32_t>(set.labels.size())));
}

bool reads_images(const Path& file, CifarLabels kind, std::int32_t num_classes) {
  const std::vector files{file};
  const ImageSet set = read_cifar(files, kind);
  return are_in(set.labels, num_classes) && set.pixels.size() == 3072 * set.labels.size();
}

std::vector<Reader> readers() {
  const ExampleFormat found{
      .first = "text", .second = "other", .answer = "label", .kind = AnswerKind::label};
  const auto glue = [](const char* task) {
    return [task](const Path& file) { return reads_examples(file, glue_data_of(task).format); };
  };
  return {
      {"cola", "a.tsv", "gj\t1\t\tA cat.\nbc\t0\t*\tCat a.\n", glue("cola")},
      {"mrpc", "a.tsv", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t2\t3\tone\ttwo\n",
       glue("mrpc")},
      {"stsb", "a.tsv", "sentence1\tsentence2\tscore\na\tb\t4.2\nc\td\t0.5\n", glue("stsb")},
      {"jsonl", "a.jsonl", "{\"text\": \"a\", \"other\": \"b\", \"label\": 3}\n",
       [=](const Path& file) { return reads_examples(file, found); }},
      {"cifar10", "a.bin", std::string(2 * 3073, '\5'),
       [](const Path& file) { return reads_images(file, CifarLabels::ten, 10); }},
      {"cifar100", "a.bin", std::string(2 * 3074, '\5'),
       [](const Path& file) { return reads_images(file, CifarLabels::hundred_fine, 100); }},
  };
}

// What is wrong with how a damaged file was met; "" if nothing is.
std::string verdict(const Reader& reader, const Path& file) {
  try {
    return reader.read(file) ? "" : "wrong examples";
  } catch (const DataError& error) {
    const std::string message = error.what();
    if (!message.starts_with(file.string())) return "no file in: " + message;
    return message.find('\n') == message.npos ? "" : "several lines: " + message;
  } catch (const std::exception& error) {
    return fmt::format("another error: {}", error.what());
  }
}

int run_all() {
  const TempDir here;
  int wrong = 0;
  for (const Reader& reader : readers()) {
    const Path file = here / reader.file;
    for (std::uint64_t i = 0; i < kInputs; ++i) {
      Choices choices(reader.name, i);
      std::ofstream(file, std::ios::binary)
          << (i == 0 ? reader.good : damaged(reader.good, choices));
      const std::string says = verdict(reader, file);
      if (says.empty()) continue;
      ++wrong;
      fmt::print("{} {}: {}\n", reader.name, i, says);
    }
    fmt::print("{:<16} {} inputs\n", reader.name, kInputs);
  }
  fmt::print("{} failed\n", wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ty::test

int main() { return ty::test::run_all(); }
