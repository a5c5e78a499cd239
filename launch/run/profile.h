// A profile: what each block of a model takes on a machine, and its links; measured by bench
// profile, read by plan.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "parallel/pipeline/simulate.h"

namespace ty {

struct Profile {
  struct Block {
    std::string name;
    ActionCosts seconds;  // of one micro-batch
  };
  std::vector<Block> blocks;
  double tokens = 0.0;                 // of that micro-batch
  double link_seconds = 0.0;           // of a message between two ranks
  double link_bytes_per_second = 0.0;  // of what a message carries; 0: not measured
};

nlohmann::json to_json(const Profile& profile);
// Throws DataError that names file and key.
Profile read_profile(const Path& file);

}  // namespace ty
