// What a run tells reaches every observer, whatever another one does.
#include "launch/run/observers.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace ty {
namespace {

struct Listener : RunObserver {
  void noted(const std::string& text) override { notes.push_back(text); }
  void stepped(const StepRecord& record) override { steps.push_back(record.step); }
  std::vector<std::string> notes;
  std::vector<std::int64_t> steps;
};

struct Failing : RunObserver {
  void noted(const std::string&) override { throw std::runtime_error("no notes either"); }
  void stepped(const StepRecord& record) override {
    throw std::runtime_error("no room for step " + std::to_string(record.step));
  }
};

TEST(Observers, AFailureIsNotedOnceKeptAndStopsNoOtherObserver) {
  Failing failing;
  Listener listener;
  Observers observers({&failing, &listener});
  EXPECT_EQ(observers.first_failure(), "");
  StepRecord record;
  for (record.step = 1; record.step <= 3; ++record.step) {
    observers.tell([&](RunObserver& o) { o.stepped(record); });
  }
  EXPECT_EQ(listener.steps, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(listener.notes,
            std::vector<std::string>{"warning: a line of the logs is lost: no room for step 1"});
  EXPECT_EQ(observers.first_failure(), "no room for step 1");
}

}  // namespace
}  // namespace ty
