#include "models/huggingface/peft/peft_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <set>

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "core/io/json.h"
#include "models/huggingface/peft/peft_config.h"
#include "models/huggingface/peft/peft_contents.h"
#include "models/huggingface/peft/peft_modules.h"
#include "models/linear/adapters.h"
#include "models/linear/lora/fused_columns.h"

namespace ty {

namespace {

constexpr std::array<const char*, 3> kPartNames = {"q", "k", "v"};

// A matrix of doubles with a view of it.
struct Block {
  std::vector<double> values;
  View view;

  Block(std::int64_t rows, std::int64_t columns)
      : values(static_cast<std::size_t>(rows * columns), 0.0),
        view(contiguous_view(values.data(), DType::f64, {rows, columns})) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
};

// One module's adapter and its place among the modules of its layer.
struct Found {
  const PeftModule* module;
  std::size_t which;
  std::string name;  // as the directory spells it
  const PeftContents::Adapter* adapter;
  std::int64_t rank = 0;
  double scale = 0;
};

class Reader {
 public:
  Reader(const StoredModel& base, const Path& directory)
      : base_(base),
        config_(read_peft_config(directory)),
        tensors_(open_peft_tensors(directory)),
        contents_(peft_contents(tensors_)),
        conversion_{.spec = base.spec()} {}

  Conversion read() {
    for (const LinearSite& site : base_.linear_sites()) {
      if (is_in_block(site.path)) read_layer(site);
    }
    for (const auto& [module, adapter] : contents_.adapters) {
      if (used_.contains(module)) continue;
      fail(adapter.a.empty() ? adapter.b : adapter.a, "no linear layer of a block of {}",
           base_.directory().string());
    }
    set_head();
    read_whole_parameters();
    return std::move(conversion_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void fail(const std::string& tensor, fmt::format_string<Args...> text,
                         Args&&... args) const {
    throw DataError("{}: {}: {}", tensors_.path().string(), in_quotes(tensor),
                    fmt::format(text, std::forward<Args>(args)...));
  }

  View matrix(const std::string& tensor, const Shape& want) const {
    const View view = tensors_.view(tensor);
    if (view.shape != want) fail(tensor, "is {}; want {}", view.shape.str(), want.str());
    if (!is_floating(view.dtype))
      fail(tensor, "its numbers are {}; want floats", name_of(view.dtype));
    return view;
  }
  static void require_finite(const Block& block, const TensorSet& tensors,
                             const std::string& tensor) {
    const bool is_finite = std::all_of(block.values.begin(), block.values.end(),
                                       [](double x) { return std::isfinite(x); });
    if (is_finite) return;
    throw NonFiniteError("{}: {}: holds numbers that are not finite", tensors.path().string(),
                         tensor);
  }

  std::vector<Found> find(const std::vector<PeftModule>& modules) {
    std::vector<Found> found;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      for (const std::string& name : modules[i].names) {
        const auto there = contents_.adapters.find(name);
        if (there == contents_.adapters.end()) continue;
        used_.insert(name);
        found.push_back({&modules[i], i, name, &there->second});
      }
    }
    return found;
  }

  // Completes what is known of a module. Throws if a tensor is missing or of another rank.
  void measure(Found& found) const {
    const PeftContents::Adapter& adapter = *found.adapter;
    if (adapter.a.empty()) fail(adapter.b, "there is no lora_A beside it");
    if (adapter.b.empty()) fail(adapter.a, "there is no lora_B beside it");
    if (config_.dora && adapter.magnitude.empty()) {
      fail(adapter.a, "there is no lora_magnitude_vector beside it, but use_dora is true");
    }
    if (!config_.dora && !adapter.magnitude.empty()) {
      fail(adapter.magnitude, "use_dora is not true in {}", config_.place);
    }
    found.rank = config_.rank_of(found.name);
    found.scale = config_.scale_of(found.name);
    if (found.scale <= 0) fail(adapter.a, "its lora_alpha is 0; want more");
  }

  void read_layer(const LinearSite& site) {
    const std::vector<PeftModule> modules = peft_modules(base_.spec(), site);
    std::vector<Found> found = find(modules);
    if (found.empty()) return;
    for (Found& each : found) measure(each);
    if (adapted(site.spec) != nullptr) {
      throw DataError("{}: {} has an adapter already; add it in first: trainyard export --dense",
                      base_.directory().string(), site.path);
    }
    const auto is_like_first = [&](const Found& each) {
      return each.rank == found[0].rank && each.scale == found[0].scale;
    };
    LoraOptions options = {
        .dropout = config_.dropout, .rslora = config_.rslora, .dora = config_.dora};
    const bool has_parts = modules.size() > 1 && site.shape.heads > 0 &&
                           std::all_of(found.begin(), found.end(), is_like_first);
    if (has_parts) {
      for (const Found& each : found) options.parts.emplace_back(kPartNames.at(each.which));
    } else if (config_.dora && found.size() < modules.size()) {
      fail(found[0].adapter->magnitude, "dora of a part of {} is not supported", site.path);
    }
    add_adapter(site, found, std::move(options));
  }

  void add_adapter(const LinearSite& site, const std::vector<Found>& found, LoraOptions options) {
    std::int64_t all_ranks = 0;
    for (const Found& each : found) all_ranks += each.rank;
    options.rank = options.parts.empty() ? all_ranks : found[0].rank;
    const auto r = static_cast<double>(options.rank);
    options.alpha = found[0].scale * (options.rslora ? std::sqrt(r) : r);

    Block a(site.shape.in, all_ranks), b(all_ranks, site.shape.out), m(1, site.shape.out);
    std::int64_t first = 0;
    for (const Found& each : found) {
      copy_module(each, first, found[0].scale, a, b, m);
      first += each.rank;
    }
    make(site, found, "lora.a", a);
    if (options.parts.empty()) {
      make(site, found, "lora.b", b);
      if (options.dora) make(site, found, "lora.magnitude", m);
    } else {
      make_parts(site, found, options, b, m);
    }
    try {
      conversion_.spec.linear.push_back(
          {site.path, resolved(LinearSpec(LoraSpec{options, site.spec}), site.shape)});
    } catch (const ConfigError& e) {
      fail(found[0].adapter->a, "{} [{}, {}]: {}", site.path, site.shape.in, site.shape.out,
           e.what());
    }
  }

  // To columns `first` .. of a and rows `first` .. of b.
  void copy_module(const Found& found, std::int64_t first, double scale, const Block& a,
                   const Block& b, const Block& m) const {
    const std::int64_t r = found.rank, in = a.view.shape[0];
    const View rows = b.view.slice(0, first, r);
    const View columns = found.module->columns_of(rows);
    host_copy(matrix(found.adapter->a, {r, in}).transpose(0, 1), a.view.slice(1, first, r));
    const View stored = matrix(found.adapter->b, {found.module->out, r});
    host_copy(contiguous_view(stored.data, stored.dtype, columns.shape), columns);
    auto* values = rows.as<double>();
    for (std::int64_t i = 0; i < rows.numel(); ++i) values[i] *= found.scale / scale;
    if (found.adapter->magnitude.empty()) return;
    const View lengths = tensors_.view(found.adapter->magnitude);
    if (lengths.numel() != found.module->out) {
      fail(found.adapter->magnitude, "is {}; want [{}]", lengths.shape.str(), found.module->out);
    }
    const View place = found.module->columns_of(m.view);
    host_copy(contiguous_view(lengths.data, lengths.dtype, place.shape), place);
  }

  // What of b and m belongs to the parts that are adapted.
  void make_parts(const LinearSite& site, const std::vector<Found>& found,
                  const LoraOptions& options, const Block& b, const Block& m) {
    const FusedParts parts = fused_parts(options.parts, site.shape.heads);
    const std::int64_t r = options.rank, columns = site.shape.out / 3 * parts.count();
    Block narrow(r, columns), lengths(1, columns);
    for (std::int64_t p = 0; p < parts.count(); ++p) {
      host_copy(part_of_fused(b.view.slice(0, p * r, r), parts, p),
                part_of_narrow(narrow.view, parts, p));
      host_copy(part_of_fused(m.view, parts, p), part_of_narrow(lengths.view, parts, p));
    }
    make(site, found, "lora.b", narrow);
    if (options.dora) make(site, found, "lora.magnitude", lengths);
  }

  void make(const LinearSite& site, const std::vector<Found>& found, const char* name,
            const Block& block) {
    require_finite(block, tensors_, found[0].adapter->a);
    conversion_.made[fmt::format("{}.{}", site.path, name)] = {
        tensors_.view(found[0].adapter->a).dtype, [values = block.values] { return values; }};
  }

  // The layer to labels that the directory holds, with as many labels.
  void set_head() {
    ModelSpec& spec = conversion_.spec;
    ModelSpec with_labels = spec;
    if (!spec.head.is_pooled()) {
      if (find_class_of_labels() == nullptr) return;
      with_labels.head = head_of_family(family_of(spec), HeadSpec::Kind::labels);
    }
    const auto parts = family_of(spec).parts(with_labels, "head.labels.weight", {1, 1});
    for (const std::string& name : parts.front().names) {
      const auto found = contents_.whole.find(name);
      if (found == contents_.whole.end()) continue;
      const Shape& shape = tensors_.tensor(found->second).shape;
      if (shape.rank() != 2) fail(found->second, "is {}; want [labels, width]", shape.str());
      if (!spec.head.is_pooled() && shape[0] == 1) with_labels.head.kind = HeadSpec::Kind::values;
      spec.head = with_labels.head;
      spec.head.labels = shape[0];
    }
  }
  const StoredClass* find_class_of_labels() const {
    for (const StoredClass& each : family_of(conversion_.spec).classes) {
      if (each.head.kind == HeadSpec::Kind::labels) return &each;
    }
    return nullptr;
  }

  void read_whole_parameters() {
    const ModelSpec& spec = conversion_.spec;
    const Model model(describe_model(spec), LinearRules(spec.linear));
    for (const Parameter& parameter : model.parameters().all()) read_whole(parameter);
    for (const auto& [name, tensor] : contents_.whole) {
      if (!used_.contains(name)) {
        fail(tensor, "no parameter of {}, nor one of an adapter", base_.directory().string());
      }
    }
  }

  void read_whole(const Parameter& parameter) {
    if (is_adapter(parameter.name)) return;
    const ModelSpec& spec = conversion_.spec;
    const auto parts = family_of(spec).parts(spec, parameter.name, parameter.shape);
    std::vector<const std::string*> stored(parts.size(), nullptr);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (const std::string& name : parts[i].names) {
        const auto found = contents_.whole.find(name);
        if (found == contents_.whole.end()) continue;
        used_.insert(name);
        stored[i] = &found->second;
      }
    }
    const bool none = std::count(stored.begin(), stored.end(), nullptr) == std::ssize(stored);
    const Parameter* own = base_.parameters().find(parameter.name);
    const bool is_there = own != nullptr && own->shape == parameter.shape;
    if (none && is_there) return;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (stored[i] != nullptr || is_there) continue;
      throw DataError("{}: {}: missing, and {} has none of {}", tensors_.path().string(),
                      parts[i].names.front(), base_.directory().string(), parameter.shape.str());
    }
    if (spec.has_tied_head() && parameter.name == "embeddings.token.weight") {
      fail(**std::find_if(stored.begin(), stored.end(), [](auto* each) { return each != nullptr; }),
           "a copy of a table that has two readers is not supported");
    }
    make_whole(parameter, parts, stored, is_there);
  }

  void make_whole(const Parameter& parameter, const std::vector<StoredPart>& parts,
                  const std::vector<const std::string*>& stored, bool is_there) {
    Block block(1, parameter.shape.numel());
    const View whole = block.view.reshape(parameter.shape);
    if (is_there) base_.read(parameter.name, whole);
    DType dtype = DType::f32;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (stored[i] == nullptr) continue;
      const View from = matrix(*stored[i], parts[i].shape);
      const View place = parts[i].place ? parts[i].place(whole) : whole;
      host_copy(contiguous_view(from.data, from.dtype, place.shape), place);
      require_finite(block, tensors_, *stored[i]);
      dtype = from.dtype;
    }
    conversion_.made[parameter.name] = {dtype,
                                        [values = std::move(block.values)] { return values; }};
  }

  const StoredModel& base_;
  PeftConfig config_;
  TensorSet tensors_;
  PeftContents contents_;
  Conversion conversion_;
  std::set<std::string> used_;  // names of modules and parameters
};

}  // namespace

Conversion with_peft_adapters(const StoredModel& base, const Path& directory) {
  return Reader(base, directory).read();
}

}  // namespace ty
