#include "launch/verbs/model_argument.h"

#include "core/base/error.h"
#include "launch/process/output.h"

namespace ty {

const OptionSpec kStrictOption = {"--strict", "",
                                  "a damaged newer checkpoint of the run is an error"};

Path model_argument(const Arguments& arguments, std::string_view what) {
  const ModelPath found = find_model(arguments.word(0, what));
  if (found.warning.empty()) return found.directory;
  if (arguments.flag(kStrictOption.name)) throw DataError("{}", found.warning);
  remark("warning: " + found.warning);
  return found.directory;
}

}  // namespace ty
