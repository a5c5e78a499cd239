#include "launch/report/tensorboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/utf8.h"
#include "launch/report/event.pb.h"
#include "launch/report/metrics.h"
#include "launch/report/tf_record.h"

namespace ty {

namespace {

// TensorBoard reads the files of a directory in the order of their names. Numbers, not the time,
// which two processes may share and which may be set back.
constexpr std::string_view kFileName = "events.out.tfevents.";

Path next_file(const Path& directory) {
  int last = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kFileName))
      last = std::max(last, std::atoi(name.c_str() + kFileName.size()));
  }
  return directory / fmt::format("{}{:06}", kFileName, last + 1);
}

events::Event event_of(std::int64_t step) {
  events::Event event;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  event.set_wall_time(std::chrono::duration<double>(now).count());
  event.set_step(step);
  return event;
}

// TensorBoard shows no text that is not UTF-8, which tokens of bytes need not make.
std::string as_utf8(std::string_view bytes) {
  constexpr char32_t kReplacement = 0xfffd;
  std::string text;
  while (!bytes.empty()) {
    const Utf8Char next = utf8_at(bytes, 0);
    append_utf8(text, next.length == 0 ? kReplacement : next.code);
    bytes.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return text;
}

// A line of metrics.jsonl.
events::Event scalars(const nlohmann::json& line) {
  events::Event event = event_of(line["step"]);
  for (const auto& [name, number] : line.items()) {
    if (name == "step") continue;
    events::Summary::Value& value = *event.mutable_summary()->add_value();
    value.set_tag(name);
    value.set_simple_value(number.get<float>());
  }
  return event;
}

}  // namespace

void TensorBoard::started(const RunFacts& facts) {
  const Path directory = facts.directory.path() / "events";
  if (!std::filesystem::is_directory(directory)) make_directory(directory);
  file_ = File::append(next_file(directory));
  events::Event version = event_of(0);
  version.set_file_version("brain.Event:2");
  write(std::move(version));
  events::Event start = event_of(facts.steps_done + 1);
  start.mutable_session_log()->set_status(events::SessionLog::START);
  write(std::move(start));
}

void TensorBoard::stepped(const StepRecord& record) { write(scalars(to_json(record))); }

void TensorBoard::evaluated(const EvaluationRecord& record) { write(scalars(to_json(record))); }

void TensorBoard::sampled(std::int64_t step, const std::string& text) {
  events::Event event = event_of(step);
  events::Summary::Value& value = *event.mutable_summary()->add_value();
  value.set_tag("sample");
  value.mutable_metadata()->mutable_plugin_data()->set_plugin_name("text");
  events::Tensor& tensor = *value.mutable_tensor();
  tensor.set_dtype(events::Tensor::DT_STRING);
  tensor.mutable_tensor_shape()->add_dim()->set_size(1);
  tensor.add_string_val(as_utf8(text));
  write(std::move(event));
}

void TensorBoard::write(events::Event event) {
  if (!file_) return;  // it could not be made, which was said
  const std::uint64_t before = file_->size();
  try {
    file_->write_all(bytes_of(tf_record(event.SerializeAsString())));
  } catch (const IoError&) {
    file_->truncate(before);  // readers stop at half a record
    throw;
  }
}

}  // namespace ty
