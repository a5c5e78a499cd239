#include "tests/unit/backend/cudnn/problems.h"

#include <fstream>
#include <iterator>
#include <string>

namespace ty::test {

std::string h200_properties() {
  std::ifstream file(TY_DEVICE_PROPERTIES);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace ty::test
