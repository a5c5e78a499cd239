#include "models/huggingface/peft/peft_writer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "core/io/new_directory.h"
#include "core/io/safetensors.h"
#include "models/huggingface/host_tensor.h"
#include "models/huggingface/peft/peft_config.h"
#include "models/huggingface/peft/peft_layers.h"
#include "models/linear/adapters.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kPrefix = "base_model.model.";

// A tensor of the model's own files.
struct StoredName {
  std::string module, leaf;  // "bert.pooler.dense", "bias"
  std::string parameter;     // of ours
  std::string text() const { return leaf.empty() ? module : module + "." + leaf; }
};

StoredName split(const std::string& tensor, const std::string& parameter) {
  const std::size_t dot = tensor.rfind('.');
  const std::string leaf = dot == std::string::npos ? "" : tensor.substr(dot + 1);
  if (leaf != "weight" && leaf != "bias") return {tensor, "", parameter};
  return {tensor.substr(0, dot), leaf, parameter};
}

// What a module holds besides adapters.
struct Module {
  std::vector<StoredName> tensors;
  bool is_trained = true;  // all of it
};

// The library's task, by which it chooses the class around the model; null: none of those.
Json task_of(const ModelSpec& spec) {
  if (spec.reads_images()) return nullptr;
  if (spec.head.is_pooled()) return "SEQ_CLS";
  if (spec.head.kind == HeadSpec::Kind::none) return "FEATURE_EXTRACTION";
  if (!spec.causal) return nullptr;
  return spec.has_encoder() ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
}

template <typename T>
T most_common(const std::map<std::string, T>& of_modules) {
  std::map<T, std::int64_t> counts;
  for (const auto& [module, value] : of_modules) ++counts[value];
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& x, const auto& y) { return x.second < y.second; })
      ->first;
}

// A whole number is written as one, as the library does.
Json number(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

template <typename T, typename ToJson>
Json patterns(const std::map<std::string, T>& of_modules, const T& usual, ToJson to_json) {
  Json json = Json::object();
  for (const auto& [module, value] : of_modules) {
    if (value != usual) json[module] = to_json(value);
  }
  return json;
}

class Writer {
 public:
  Writer(const StoredModel& model, const PeftOptions& options) : model_(model), options_(options) {
    for (const LinearSite& site : model.linear_sites()) {
      if (!is_one_matrix(site.spec)) {
        throw DataError("{}: {}: {}, for which peft has no form", model.directory().string(),
                        site.path, describe(site.spec));
      }
      if (site.spec.as<LoraSpec>() != nullptr) add_layer(site);
    }
    if (adapters_.empty()) {
      throw DataError("{}: has no adapters", model.directory().string());
    }
    for (const Parameter& parameter : model.parameters().all()) add_parameter(parameter);
    sort_out();
  }

  void write(NewDirectory& directory) {
    directory.add(kPeftConfigName, [&](FileWriter& out) { out.write(config().dump(2) + "\n"); });
    directory.add(kPeftTensorsName, [&](FileWriter& out) { write_tensors(out); });
  }

 private:
  void add_layer(const LinearSite& site) {
    if (!is_in_block(site.path)) {
      throw DataError("{}: {}: an adapter outside of blocks cannot be written for peft",
                      model_.directory().string(), site.path);
    }
    const LoraOptions& options = site.spec.as<LoraSpec>()->options;
    if (options.cores > 0) {
      throw DataError("{}: {}: a tensor train, for which peft has no form; want export --dense",
                      model_.directory().string(), site.path);
    }
    if (layers_ == 0) first_ = options;
    if (options.dropout != first_.dropout || options.dora != first_.dora) {
      throw DataError("{}: {}: has {} {}, another layer {}; peft has one for all of them",
                      model_.directory().string(), site.path,
                      options.dora != first_.dora ? "dora" : "dropout",
                      options.dora != first_.dora ? double(options.dora) : options.dropout,
                      options.dora != first_.dora ? double(first_.dora) : first_.dropout);
    }
    ++layers_;
    is_rslora_ = is_rslora_ && options.rslora;
    for (PeftAdapter& adapter : peft_adapters(model_, site, options_.original)) {
      adapters_.push_back(std::move(adapter));
    }
  }

  // Where the tensors of parameters other than adapters belong. Weights that an adapter stands
  // beside are listed under their own kinds' names where they are factorised.
  void add_parameter(const Parameter& parameter) {
    if (is_adapter(parameter.name)) return;
    const ModelSpec& spec = model_.spec();
    const bool is_trained = options_.trained.contains(parameter.name);
    for (const StoredPart& part : family_of(spec).parts(spec, parameter.name, parameter.shape)) {
      StoredName name = split(part.names.front(), parameter.name);
      Module& module = modules_[name.module];
      module.is_trained = module.is_trained && is_trained && !name.leaf.empty();
      if (is_trained) trained_.insert(name.text());
      module.tensors.push_back(std::move(name));
    }
  }

  bool is_adapted(const std::string& module) const {
    return std::any_of(adapters_.begin(), adapters_.end(),
                       [&](const PeftAdapter& each) { return each.module == module; });
  }

  // What is stored whole, and which biases are.
  void sort_out() {
    std::set<std::string> left = trained_;
    for (const auto& [name, module] : modules_) {
      if (!module.is_trained || is_adapted(name)) continue;
      // A module that is a bias alone stands for all of its kind.
      const bool is_bias = module.tensors.size() == 1 && module.tensors[0].leaf == "bias";
      if (is_bias) continue;
      for (const StoredName& tensor : module.tensors) {
        left.erase(tensor.text());
        refuse_tied_table(tensor);
      }
      saved_.push_back(name);
    }
    set_biases(left);
  }

  void refuse_tied_table(const StoredName& tensor) const {
    if (tensor.parameter != "embeddings.token.weight" || !model_.spec().has_tied_head()) return;
    throw DataError("{}: {} was trained, which the head reads too; peft would store a copy",
                    model_.directory().string(), tensor.text());
  }

  void set_biases(const std::set<std::string>& left) {
    if (left.empty()) return;
    std::set<std::string> all, beside;
    for (const auto& [name, module] : modules_) {
      for (const StoredName& tensor : module.tensors) {
        if (tensor.leaf != "bias" || std::find(saved_.begin(), saved_.end(), name) != saved_.end())
          continue;
        all.insert(tensor.text());
        if (is_adapted(name)) beside.insert(tensor.text());
      }
    }
    bias_ = left == all ? "all" : "lora_only";
    if (left == all || left == beside) return;
    const auto other = std::find_if(left.begin(), left.end(),
                                    [&](const std::string& each) { return !all.contains(each); });
    throw DataError(
        "{}: {} was trained too; peft stores adapters, whole modules beside them, and the biases "
        "of "
        "all or of adapted layers",
        model_.directory().string(), other == left.end() ? *left.begin() : *other);
  }

  // The shortest end of a module's name that no other module but adapted ones have.
  std::string target_for(const std::string& module) const {
    for (std::size_t dot = module.rfind('.'); dot != std::string::npos && dot > 0;
         dot = module.rfind('.', dot - 1)) {
      const std::string end = module.substr(dot);
      const bool is_theirs = std::all_of(modules_.begin(), modules_.end(), [&](const auto& each) {
        return !each.first.ends_with(end) || is_adapted(each.first);
      });
      if (is_theirs) return end.substr(1);
    }
    return module;
  }

  Json config() const {
    std::map<std::string, std::int64_t> ranks;
    std::map<std::string, double> alphas;
    std::set<std::string> targets;
    bool keeps_order = false;
    for (const PeftAdapter& adapter : adapters_) {
      const auto r = static_cast<double>(adapter.rank());
      ranks[adapter.module] = adapter.rank();
      alphas[adapter.module] = adapter.scale * (is_rslora_ ? std::sqrt(r) : r);
      targets.insert(target_for(adapter.module));
      keeps_order = keeps_order || adapter.keeps_order;
    }
    const std::int64_t rank = most_common(ranks);
    const double alpha = most_common(alphas);
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? Json() : Json(text);
    };
    return {{"peft_type", "LORA"},
            {"task_type", task_of(model_.spec())},
            {"base_model_name_or_path", text_or_null(options_.base_name)},
            {"revision", nullptr},
            {"inference_mode", true},
            {"r", rank},
            {"lora_alpha", number(alpha)},
            {"lora_dropout", first_.dropout},
            {"use_rslora", is_rslora_},
            {"use_dora", first_.dora},
            {"fan_in_fan_out", keeps_order},
            {"bias", bias_},
            {"target_modules", targets},
            {"modules_to_save", saved_.empty() ? Json() : Json(saved_)},
            {"rank_pattern", patterns(ranks, rank, [](std::int64_t r) { return Json(r); })},
            {"alpha_pattern", patterns(alphas, alpha, number)},
            {"init_lora_weights", true}};
  }

  // The tensors, each made on host memory when it is its turn.
  void write_tensors(FileWriter& out) const {
    std::vector<TensorInfo> infos;
    std::map<std::string, std::function<void(const View&)>> fill;
    const auto add = [&](std::string name, DType dtype, const Shape& shape, auto values) {
      infos.push_back({std::string(kPrefix) + name, dtype, shape});
      fill[infos.back().name] = std::move(values);
    };
    const auto copy = [](const std::vector<double>& values) {
      return [&values](const View& to) {
        auto* data = const_cast<double*>(values.data());
        host_copy(contiguous_view(data, DType::f64, to.shape), to);
      };
    };
    for (const PeftAdapter& each : adapters_) {
      add(each.module + ".lora_A.weight", each.dtype, {each.a.rows, each.a.cols},
          copy(each.a.data));
      add(each.module + ".lora_B.weight", each.dtype, {each.b.rows, each.b.cols},
          copy(each.b.data));
      if (each.magnitude.empty()) continue;
      add(each.module + ".lora_magnitude_vector", each.dtype, {std::ssize(each.magnitude)},
          copy(each.magnitude));
    }
    for (const Parameter& parameter : model_.parameters().all()) {
      if (!options_.trained.contains(parameter.name) || is_adapter(parameter.name)) continue;
      add_trained(parameter, add);
    }
    SafetensorsWriter writer(out, std::move(infos), {{"format", "pt"}});
    for (const TensorInfo& info : writer.order()) {
      const HostTensor host(info.dtype, info.shape);
      fill.at(info.name)(host.view);
      writer.append(host.view);
    }
    writer.finish();
  }

  template <typename Add>
  void add_trained(const Parameter& parameter, const Add& add) const {
    const ModelSpec& spec = model_.spec();
    for (StoredPart& part : family_of(spec).parts(spec, parameter.name, parameter.shape)) {
      const StoredName name = split(part.names.front(), parameter.name);
      const std::string infix = is_adapted(name.module) ? ".base_layer." : ".";
      const DType dtype = model_.dtype(parameter.name);
      add(name.module + infix + name.leaf, dtype, part.shape,
          [this, &parameter, part, dtype](const View& to) {
            const HostTensor whole(dtype, parameter.shape);
            model_.read(parameter.name, whole.view);
            const View from = part.place ? part.place(whole.view) : whole.view;
            host_copy(from, contiguous_view(to.data, to.dtype, from.shape));
          });
    }
  }

  const StoredModel& model_;
  const PeftOptions& options_;
  std::vector<PeftAdapter> adapters_;
  std::map<std::string, Module> modules_;
  std::set<std::string> trained_;  // tensors
  std::vector<std::string> saved_;
  std::string bias_ = "none";
  LoraOptions first_;
  int layers_ = 0;
  bool is_rslora_ = true;
};

}  // namespace

std::uint64_t write_peft(const StoredModel& model, const PeftOptions& options, const Path& target) {
  Writer writer(model, options);
  NewDirectory directory(target);
  writer.write(directory);
  directory.publish();
  return directory.bytes();
}

}  // namespace ty
