#include "models/huggingface/peft/peft_contents.h"

#include <array>
#include <filesystem>
#include <string_view>

#include "core/base/error.h"
#include "core/io/json.h"
#include "models/huggingface/peft/peft_config.h"

namespace ty {

namespace {

constexpr std::string_view kPrefix = "base_model.model.";

using Adapter = PeftContents::Adapter;

struct Ending {
  std::string_view text;
  std::string Adapter::*tensor;
};
constexpr std::array<Ending, 4> kEndings = {
    {{".lora_A.weight", &Adapter::a},
     {".lora_B.weight", &Adapter::b},
     {".lora_magnitude_vector", &Adapter::magnitude},
     {".lora_magnitude_vector.weight", &Adapter::magnitude}}};

void cut(std::string& name, std::string_view infix) {
  if (const std::size_t at = name.find(infix); at != std::string::npos)
    name.erase(at, infix.size());
}

bool add_adapter(PeftContents& contents, const std::string& name, const std::string& tensor) {
  for (const Ending& ending : kEndings) {
    if (!name.ends_with(ending.text)) continue;
    contents.adapters[name.substr(0, name.size() - ending.text.size())].*ending.tensor = tensor;
    return true;
  }
  return false;
}

}  // namespace

PeftContents peft_contents(const TensorSet& tensors) {
  PeftContents contents;
  for (const std::string& tensor : tensors.names()) {
    if (!tensor.starts_with(kPrefix)) {
      throw DataError("{}: {}: its name does not begin with {}", tensors.path().string(),
                      in_quotes(tensor), kPrefix);
    }
    const std::string name = tensor.substr(kPrefix.size());
    if (name.find(".original_module.") != std::string::npos) continue;  // the base's own
    if (add_adapter(contents, name, tensor)) continue;
    std::string plain = name;
    cut(plain, ".modules_to_save");
    cut(plain, ".base_layer");
    // With both spellings there, the plain one counts.
    if (plain == name) contents.whole[plain] = tensor;
    contents.whole.emplace(plain, tensor);
  }
  return contents;
}

TensorSet open_peft_tensors(const Path& directory) {
  const Path file = directory / kPeftTensorsName;
  if (!std::filesystem::exists(file) && std::filesystem::exists(directory / "adapter_model.bin")) {
    throw DataError("{}: a pickled file, which may run programs; save it as {}",
                    (directory / "adapter_model.bin").string(), kPeftTensorsName);
  }
  return open_tensors(file);
}

}  // namespace ty
