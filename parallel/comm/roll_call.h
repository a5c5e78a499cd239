// Who is late? A rank whose patience ends asks all others where they are. Those that wait as well
// answer with the call that they wait in; who gives no answer is late. Knows no transport.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ty {

class RollCall {
 public:
  // Among these ranks of the world; `own` has waited so long in `call`.
  RollCall(std::vector<int> ranks, int own, const std::string& call, double waited_seconds);
  // A rank waits too, in this call.
  void answer(int rank, const std::string& call) { calls_[rank] = call; }
  bool is_complete() const { return calls_.size() == ranks_.size(); }
  // What a user is told: "rank 1 is late: ...", or that all wait and in what.
  std::string verdict() const;

 private:
  std::vector<int> late() const;
  std::string places() const;

  std::vector<int> ranks_;
  double waited_seconds_;
  std::map<int, std::string> calls_;  // by rank that has answered
};

}  // namespace ty
