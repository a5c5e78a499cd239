#include "launch/verbs/model_argument.h"

#include "core/base/error.h"
#include "launch/job/limits.h"
#include "launch/process/output.h"

namespace ty {

const OptionSpec kStrictOption = {"--strict", "",
                                  "a damaged newer checkpoint of the run is an error"};

const OptionSpec kTensorOption = {"--tensor", "N",
                                  "ranks of the job that share each layer; default 1", kInteger,
                                  config::between(1, kMostRanks)};
const OptionSpec kPipelineOption = {"--pipeline", "N",
                                    "ranks of the job that share the chain of layers; default 1",
                                    kInteger, config::between(1, kMostRanks)};

MeshRequest model_degrees(const Arguments& arguments) {
  return {.pipeline = static_cast<int>(arguments.integer("--pipeline", 1)),
          .data = std::nullopt,
          .tensor = static_cast<int>(arguments.integer("--tensor", 1))};
}

Path model_argument(const Arguments& arguments, std::string_view what, bool warns) {
  const ModelPath found = find_model(arguments.word(0, what));
  if (found.warning.empty()) return found.directory;
  if (arguments.flag(kStrictOption.name)) throw DataError("{}", found.warning);
  if (warns) remark("warning: " + found.warning);
  return found.directory;
}

}  // namespace ty
