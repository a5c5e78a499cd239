// A profile: what each block of a model takes on a machine, and its links; measured by bench
// profile, read by plan.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "parallel/pipeline/simulate.h"

namespace ty {

struct Profile {
  struct Block {
    std::string name;
    ActionCosts seconds;  // of one micro-batch
  };
  // Between ranks along one axis: of messages (pipeline) or all-reduces (data, tensor), which take
  // `seconds` and what their bytes take, counted as parallel/comm/counts.h does.
  struct Link {
    std::string axis;
    double seconds = 0.0, bytes_per_second = 0.0;
  };
  std::vector<Block> blocks;
  double tokens = 0.0;  // of that micro-batch
  std::vector<Link> links;

  // Null if nothing was measured along it.
  const Link* link(std::string_view axis) const;
};

nlohmann::json to_json(const Profile& profile);
// Throws DataError that names file and key.
Profile read_profile(const Path& file);

}  // namespace ty
