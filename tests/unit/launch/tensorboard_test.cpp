// Event files, decoded with the messages that they are made of.
#include "launch/report/tensorboard.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launch/report/event.pb.h"
#include "launch/report/metrics.h"
#include "launch/report/tf_record.h"
#include "tests/support/temp_dir.h"

namespace ty {
namespace {

std::vector<events::Event> read_events(const Path& file) {
  const std::string text = read_text_file(file, 1 << 20);
  std::vector<events::Event> all;
  for (std::string_view rest = text; !rest.empty();) {
    const auto length = static_cast<unsigned char>(rest[0]) | static_cast<unsigned char>(rest[1])
                                                                  << 8;
    const std::string_view data = rest.substr(12, static_cast<std::size_t>(length));
    EXPECT_EQ(rest.substr(0, data.size() + 16), tf_record(data));
    events::Event event;
    EXPECT_TRUE(event.ParseFromArray(data.data(), length));
    all.push_back(std::move(event));
    rest.remove_prefix(data.size() + 16);
  }
  return all;
}

struct Fixture {
  test::TempDir folder;
  RunDirectory directory{folder.path()};
  JobConfig job;
  ModelSpec model;
  Plan plan;
  RunFacts facts(std::int64_t steps_done) {
    return {directory, job, model, plan, steps_done, 1, 1, 1, 0, 0, 0.0};
  }
  Path file(int n) const {
    return folder.path() / "events" / ("events.out.tfevents.00000" + std::to_string(n));
  }
};

TEST(TensorBoard, ScalarsAreTheNumbersOfMetrics) {
  Fixture run;
  TensorBoard board;
  StepRecord record;
  record.step = 7;
  record.loss = 2.5;
  record.learning_rate = 0.125;
  record.tokens = 4096;
  EvaluationRecord evaluation;
  evaluation.step = 7;
  evaluation.result.loss = 3.5;
  board.started(run.facts(-1));
  board.stepped(record);
  board.evaluated(evaluation);
  const auto events = read_events(run.file(1));
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  std::map<std::string, float> values;
  for (std::size_t i : {2, 3}) {
    EXPECT_EQ(events[i].step(), 7);
    EXPECT_GT(events[i].wall_time(), 1.5e9);
    for (const auto& value : events[i].summary().value())
      values[value.tag()] = value.simple_value();
  }
  nlohmann::json wanted = to_json(record);
  wanted.update(to_json(evaluation));
  EXPECT_EQ(values.size(), wanted.size() - 1);  // without the step
  for (const auto& [name, value] : values) EXPECT_EQ(value, wanted[name].get<float>()) << name;
  EXPECT_EQ(values["loss"], 2.5F);
  EXPECT_EQ(values["valid_loss"], 3.5F);
}

TEST(TensorBoard, SamplesAreTexts) {
  Fixture run;
  TensorBoard board;
  board.started(run.facts(-1));
  board.sampled(3, "In the\nbeg\xa9inning \u00e4");
  const auto events = read_events(run.file(1));
  ASSERT_EQ(events.size(), 3U);
  ASSERT_EQ(events[2].summary().value_size(), 1);
  const auto& value = events[2].summary().value(0);
  EXPECT_EQ(events[2].step(), 3);
  EXPECT_EQ(value.tag(), "sample");
  EXPECT_EQ(value.metadata().plugin_data().plugin_name(), "text");
  EXPECT_EQ(value.tensor().dtype(), events::Tensor::DT_STRING);
  ASSERT_EQ(value.tensor().string_val_size(), 1);
  EXPECT_EQ(value.tensor().string_val(0), "In the\nbeg\ufffdinning \u00e4");
}

TEST(TensorBoard, AResumedRunVoidsTheStepsThatItRepeats) {
  Fixture run;
  TensorBoard().started(run.facts(-1));
  TensorBoard().started(run.facts(20));
  for (const auto& [file, step] : {std::pair(1, 0), std::pair(2, 21)}) {
    const auto events = read_events(run.file(file));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].session_log().status(), events::SessionLog::START);
    EXPECT_EQ(events[1].step(), step);
  }
}

}  // namespace
}  // namespace ty
