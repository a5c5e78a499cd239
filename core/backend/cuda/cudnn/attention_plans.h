// The plans of attention of one device, each compiled when its problem is first met: 0.5 to 2 s.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/backend/cuda/cudnn/attention_graph.h"
#include "core/backend/cuda/cudnn/plan.h"

namespace ty::cudnn {

struct AttentionPlan {
  Graph graph;
  Plan plan;
  AttentionNeeds needs;
};

class AttentionPlans {
 public:
  explicit AttentionPlans(DeviceProperties device) : device_(std::move(device)) {}

  struct Answer {
    const AttentionPlan* plan = nullptr;  // lives as long as this object
    std::string refusal;                  // one line, if there is no plan
  };
  // The same answer each time, and after the first at once.
  const Answer& find(const AttentionProblem& problem);
  std::size_t compiled() const { return plans_.size(); }

 private:
  struct Entry {
    std::unique_ptr<AttentionPlan> plan;
    Answer answer;
  };
  Entry compile(const AttentionProblem& problem) const;

  DeviceProperties device_;
  std::map<AttentionProblem, Entry> plans_;
};

}  // namespace ty::cudnn
