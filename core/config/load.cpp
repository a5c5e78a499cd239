#include "core/config/load.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "core/config/read.h"
#include "core/config/yaml_tree.h"

namespace ty::config {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxFiles = 64;  // together, so that layers cannot multiply without end
constexpr int kCommandLineOrder = 1 << 20;

// The working directory may be gone; relative paths then stay relative.
fs::path absolute_path(const fs::path& path) {
  std::error_code error;
  const fs::path result = fs::absolute(path, error);
  return error ? path : result;
}

class Layers {
 public:
  explicit Layers(Diagnostics& diagnostics) : out_(diagnostics) {}

  // Reads a file and what it extends, lowest layer first. Errors in opening it are placed at
  // `stated`, its `key`.
  void add_file(const fs::path& path, const Place& stated, const std::string& key) {
    std::error_code error;
    fs::path real = fs::weakly_canonical(absolute_path(path), error);
    if (error) real = absolute_path(path).lexically_normal();
    const auto again = std::find(open_.begin(), open_.end(), real);
    if (again != open_.end()) {
      std::vector<std::string> chain;
      for (auto it = again; it != open_.end(); ++it) chain.push_back(it->filename().string());
      chain.push_back(real.filename().string());
      broken_ = true;
      out_.add(stated, key, fmt::format("extends itself: {}", fmt::join(chain, " -> ")));
      return;
    }
    if (++files_ > kMaxFiles) {
      broken_ = true;
      out_.add(stated, key, fmt::format("more than {} files in all", kMaxFiles));
      return;
    }
    std::string text;
    if (const std::string why = read_text(path, text); !why.empty()) {
      broken_ = true;
      out_.add(stated, key, fmt::format("cannot read {}: {}", path.string(), why));
      return;
    }
    open_.push_back(real);
    add_text(text, path, absolute_path(path).parent_path());
    open_.pop_back();
  }

  void add_text(std::string_view text, const fs::path& name, const fs::path& directory) {
    auto source = std::make_shared<Source>();
    source->name = name.string();
    source->directory = directory;
    source->order = next_order_++;
    if (!main_.source) main_.source = source;
    std::optional<Node> tree = parse_yaml(text, source, out_);
    if (!tree || !take_schema(*tree, source)) {
      broken_ = true;
      return;
    }
    take_extends(*tree, name);
    source->layer = next_layer_++;
    merge(tree_, std::move(*tree));
  }

  void add_override(const std::string& text) {
    if (!command_line_.source) {
      auto source = std::make_shared<Source>();
      source->name = "command line";
      source->directory = absolute_path(".").lexically_normal();
      source->order = kCommandLineOrder;
      source->layer = kCommandLineOrder;
      command_line_.source = std::move(source);
    }
    const std::size_t equals = text.find('=');
    const std::string key = shown(text.substr(0, equals), false);
    std::vector<std::string> words{""};
    for (const char c : text.substr(0, equals)) {
      if (c == '.') {
        words.emplace_back();
      } else {
        words.back() += c;
      }
    }
    const bool has_empty_word = std::find(words.begin(), words.end(), "") != words.end();
    if (equals == std::string::npos || has_empty_word || words.size() > kMaxDepth) {
      out_.add(command_line_, key, "want an override as section.key=value");
      return;
    }
    std::optional<Node> value =
        parse_value(std::string_view(text).substr(equals + 1), command_line_, key, out_);
    if (!value) return;
    for (auto word = words.rbegin(); word != words.rend(); ++word) {
      Node map;
      map.kind = Node::Kind::map;
      map.place = command_line_;
      map.entries.push_back({std::move(*word), command_line_, std::move(*value)});
      value = std::move(map);
    }
    merge(tree_, std::move(*value));
  }

  // The merged tree; null if a file could not be understood, so that reading on has no sense.
  const Node* tree() const { return broken_ ? nullptr : &tree_; }
  // Where errors go that belong to no stated key.
  const Place& main() const { return main_.source ? main_ : command_line_; }

 private:
  // Empty, or why the file cannot be read. Reads a little over the limit at most.
  static std::string read_text(const fs::path& path, std::string& text) {
    std::error_code error;
    if (fs::is_directory(path, error)) return "is a directory";
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::generic_category().message(errno != 0 ? errno : EIO);
    text.resize(kMaxFileBytes + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return in.bad() ? std::generic_category().message(EIO) : "";
  }

  bool take_schema(Node& tree, const std::shared_ptr<const Source>& source) {
    const Place start{source, 1, 1};
    if (tree.kind == Node::Kind::null) {
      out_.add(start, "", "empty; a job file starts with \"schema: 1\"");
      return false;
    }
    if (tree.kind != Node::Kind::map) {
      out_.add(start, "", "want a map of sections that starts with \"schema: 1\"");
      return false;
    }
    const auto schema = std::find_if(tree.entries.begin(), tree.entries.end(),
                                     [](const Entry& e) { return e.key == "schema"; });
    if (schema == tree.entries.end()) {
      out_.add(start, "schema", "missing; a job file starts with \"schema: 1\"");
      return true;
    }
    const Node& value = schema->value;
    if (value.kind != Node::Kind::scalar || value.quoted || value.text != "1") {
      out_.add(value.place, "schema", "want 1, the only version that this program reads");
    } else if (schema != tree.entries.begin()) {
      out_.add(schema->place, "schema", "must be the first key");
    }
    tree.entries.erase(schema);
    return true;
  }

  void take_extends(Node& tree, const fs::path& name) {
    const auto extends = std::find_if(tree.entries.begin(), tree.entries.end(),
                                      [](const Entry& e) { return e.key == "extends"; });
    if (extends == tree.entries.end()) return;
    const Node list = std::move(extends->value);
    tree.entries.erase(extends);
    if (list.kind != Node::Kind::list) {
      out_.add(list.place, "extends", "want a list of paths, as in [base.yaml]");
      return;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const Node& item = list.items[i];
      const std::string key = fmt::format("extends[{}]", i);
      if (item.kind == Node::Kind::invalid) continue;
      if (item.kind != Node::Kind::scalar || item.text.empty()) {
        out_.add(item.place, key, "want a path");
        continue;
      }
      add_file((name.parent_path() / item.text).lexically_normal(), item.place, key);
    }
  }

  Diagnostics& out_;
  Node tree_ = [] {
    Node node;
    node.kind = Node::Kind::map;
    return node;
  }();
  bool broken_ = false;
  Place main_, command_line_;
  std::vector<fs::path> open_;  // the chain of files being read
  int files_ = 0, next_order_ = 0, next_layer_ = 0;
};

Origins finish(Layers& layers, const Overrides& overrides, const Section& section,
               Diagnostics& diagnostics) {
  for (const std::string& text : overrides) layers.add_override(text);
  Origins origins;
  if (layers.tree() != nullptr) {
    origins = read(*layers.tree(), section, layers.main(), diagnostics);
  }
  diagnostics.throw_if_any();
  return origins;
}

}  // namespace

Error placed(const Error& error, const Origins& origins) {
  const Place place = place_of(error.key(), origins);
  if (error.key().empty() || !place.source) return error;
  return {error.code(), fmt::format("{}: {}", place.str(), error.what())};
}

Origins load_file(const fs::path& file, const Overrides& overrides, const Section& section) {
  Diagnostics diagnostics;
  Layers layers(diagnostics);
  if (!file.empty()) layers.add_file(file, {}, "");
  return finish(layers, overrides, section, diagnostics);
}

Origins load_text(std::string_view text, const std::string& name, const Overrides& overrides,
                  const Section& section) {
  Diagnostics diagnostics;
  Layers layers(diagnostics);
  layers.add_text(text, name, absolute_path(".").lexically_normal());
  return finish(layers, overrides, section, diagnostics);
}

}  // namespace ty::config
