#include "launch/verbs/task_file.h"

#include "core/base/error.h"
#include "launch/process/output.h"
#include "launch/run/dataset.h"
#include "launch/run/task_data.h"
#include "models/huggingface/model_config.h"

namespace ty {

const OptionSpec kDatasetOption = {"--dataset", "NAME",
                                   "public data set that FILE is of, as data.dataset of a job"};
const OptionSpec kFirstOption = {"--first", "COLUMN", "column or key of the text"};
const OptionSpec kSecondOption = {"--second", "COLUMN", "column or key of the second text"};
const OptionSpec kAnswerOption = {"--answer", "COLUMN", "column or key of what is right"};

JobConfig job_around(const Path& named, const Path& directory) {
  for (const Path& run : {named, directory.parent_path().parent_path()}) {
    if (std::filesystem::exists(run / "config.yaml")) return load_job(run / "config.yaml");
  }
  return {};
}

namespace {

TaskKind task_kind(const ModelSpec& spec) {
  if (spec.reads_images()) return TaskKind::image_classification;
  if (!spec.head.is_pooled()) return TaskKind::seq2seq;
  return spec.head.kind == HeadSpec::Kind::values ? TaskKind::regression : TaskKind::classification;
}

}  // namespace

TaskFile task_file(const Arguments& arguments, const Path& named, const Path& directory,
                   const ModelSpec& spec) {
  const JobConfig job = job_around(named, directory);
  TaskFile file = {job.data, job.task, {}};
  if (spec.head.is_pooled()) file.labels = label_names(spec);
  DataSection& data = file.data;
  data.dataset = arguments.text("--dataset", data.dataset);
  data.first = arguments.text("--first", data.first);
  data.second = arguments.text("--second", data.second);
  data.answer = arguments.text("--answer", data.answer);
  file.task.kind = task_kind(spec);
  return file;
}

std::unique_ptr<Source> task_source(const TaskFile& file, const Path& path, const ModelSpec& spec,
                                    const Path& directory, std::int64_t longest, int ranks) {
  if (spec.reads_images()) {
    const ImageData* images = find_image_data(file.data.dataset);
    if (images == nullptr) throw UsageError("--dataset: missing; images are of cifar10 ..");
    return evaluation_images(read_images(path, *images), {.patch = spec.image.patch});
  }
  const auto tokenizer = find_tokenizer(directory);
  if (tokenizer == nullptr) throw UsageError("{}: the model has no tokenizer", directory.string());
  ExampleFormat format = example_format(file.data, file.task);
  // Labels that nobody has named are those of the file.
  const bool are_named = !file.labels.empty() && file.labels[0] != "LABEL_0";
  if (format.kind == AnswerKind::label && format.label_cells.empty() && are_named) {
    format.label_cells = file.labels;
  }
  DataSection data = file.data;
  data.sequence = longest;
  const ExampleSet set = read_examples(path, format, remark);
  if (file.task.has_labels() && std::ssize(set.labels) > spec.head.labels) {
    throw DataError("{}: has {} labels; the model {}", path.string(), set.labels.size(),
                    spec.head.labels);
  }
  return evaluation_examples(
      encode_examples(set, *tokenizer, longest),
      example_options(spec, directory, file.task, data, *tokenizer, 8 * ranks));
}

}  // namespace ty
