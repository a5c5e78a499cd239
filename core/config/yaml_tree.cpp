#include "core/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "core/base/error.h"

namespace ty::config {
namespace {

// Thrown through the parser library to end parsing early; the reason is in the diagnostics.
struct Stop {};

// Builds the tree from parse events, because only events show duplicates, anchors and documents.
class TreeBuilder final : public YAML::EventHandler {
 public:
  // With a `fixed` place, every node gets that one (command-line values).
  TreeBuilder(std::string_view text, std::shared_ptr<const Source> source, const Place* fixed,
              std::string root, Diagnostics& diagnostics)
      : text_(text),
        source_(std::move(source)),
        fixed_(fixed),
        root_(std::move(root)),
        out_(diagnostics) {}

  Node take() { return std::move(result_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    out_.add(place(mark), root_, "a second document starts here; want one document per file");
    throw Stop{};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    attach(make(Node::Kind::null, mark, "?", anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    out_.add(place(mark), path(), "aliases (*) are not allowed; write the value out");
    attach(make(Node::Kind::invalid, mark, "?", 0));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark, tag, anchor);
    node.text = value;
    node.quoted = tag == "!";
    if (node.quoted && is_open_quote(mark)) {
      out_.add(node.place, path(), "the quote that starts here is never closed");
      throw Stop{};
    }
    attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(Node::Kind::list, mark, tag, anchor));
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(Node::Kind::map, mark, tag, anchor));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  Place place(const YAML::Mark& mark) const {
    return fixed_ ? *fixed_ : Place{source_, mark.line + 1, mark.column + 1};
  }

 private:
  struct Frame {
    Node node;
    bool has_key = false;  // a key was read, its value comes next
    bool drop = false;     // the value's key is wrong or stated twice
    Entry entry;
    std::unordered_map<std::string, int> lines;  // where each key was first stated
  };

  Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    Node node;
    node.kind = kind;
    node.place = place(mark);
    if (anchor != 0) {
      out_.add(node.place, path(), "anchors (&) are not allowed; write the value out");
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      out_.add(node.place, path(), "tags (!) are not allowed; write the plain value");
    }
    return node;
  }

  void open(Node node) {
    if (stack_.size() >= kMaxDepth) {
      out_.add(node.place, "", fmt::format("nested deeper than {} levels", kMaxDepth));
      throw Stop{};
    }
    stack_.emplace_back().node = std::move(node);
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    attach(std::move(node));
  }

  void attach(Node node) {
    if (stack_.empty()) {
      result_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      take_key(frame, node);
    } else {
      frame.has_key = false;
      if (frame.drop) return;
      // The parser places a missing value at whatever comes next.
      if (node.kind == Node::Kind::null) node.place = frame.entry.place;
      frame.entry.value = std::move(node);
      frame.node.entries.push_back(std::move(frame.entry));
      frame.entry = {};
    }
  }

  void take_key(Frame& frame, Node& key) {
    const std::string where = path();
    frame.has_key = true;
    frame.drop = true;
    if (key.kind == Node::Kind::invalid) return;
    if (key.kind != Node::Kind::scalar) {
      out_.add(key.place, where, "a key must be a word");
      return;
    }
    const std::string name =
        where.empty() ? shown(key.text, false) : where + "." + shown(key.text, false);
    if (key.text == "<<" && !key.quoted) {
      out_.add(key.place, name, "merge keys are not allowed; use extends: [file.yaml]");
      return;
    }
    const auto [first, is_new] = frame.lines.emplace(key.text, key.place.line);
    if (!is_new) {
      out_.add(key.place, name,
               fixed_ ? std::string("duplicate key; remove one")
                      : fmt::format("duplicate key, first stated in line {}; remove one",
                                    first->second));
      return;
    }
    frame.drop = false;
    frame.entry = Entry{std::move(key.text), key.place, {}};
  }

  // Whether a quoted scalar at this place runs into the end of the text; the parser allows that.
  bool is_open_quote(const YAML::Mark& mark) const {
    const auto start = static_cast<std::size_t>(mark.pos);
    if (start >= text_.size() || (text_[start] != '"' && text_[start] != '\'')) return false;
    const char quote = text_[start];
    for (std::size_t i = start + 1; i < text_.size(); ++i) {
      const bool doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
      if ((quote == '"' && text_[i] == '\\') || (text_[i] == quote && doubled)) {
        ++i;
      } else if (text_[i] == quote) {
        return false;
      }
    }
    return true;
  }

  // The dotted key of what is being read.
  std::string path() const {
    std::string out = root_;
    for (const Frame& frame : stack_) {
      if (frame.node.kind == Node::Kind::list) {
        out += fmt::format("[{}]", frame.node.items.size());
      } else if (frame.has_key && !frame.drop) {
        if (!out.empty()) out += '.';
        out += shown(frame.entry.key, false);
      }
    }
    return out;
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  const Place* fixed_;
  std::string root_;
  Diagnostics& out_;
  int documents_ = 0;
  std::vector<Frame> stack_;
  Node result_;
};

// Length of the UTF-8 character at `i`, or 0 if there is none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = byte(i);
  const std::size_t length = lead < 0x80                    ? 1
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond Unicode.
  if (lead == 0xE0 && byte(i + 1) < 0xA0) return 0;
  if (lead == 0xED && byte(i + 1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(i + 1) < 0x90) return 0;
  if (lead == 0xF4 && byte(i + 1) > 0x8F) return 0;
  return length;
}

struct TextFault {
  std::size_t offset;
  std::string message;
};

// What makes `text` no text at all, so that parsing it has no sense.
std::optional<TextFault> find_text_fault(std::string_view text) {
  if (text.size() > kMaxFileBytes) {
    return TextFault{0, fmt::format("larger than 1 MiB ({} bytes or more)", text.size())};
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return TextFault{0, "UTF-16 text; save the file as UTF-8"};
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    return TextFault{0, "starts with a byte-order mark; save the file as UTF-8 without one"};
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool line_end = c == '\n' || (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n');
    if (c == '\t') return TextFault{i, "tab character; use spaces"};
    if ((c < 0x20 && !line_end) || c == 0x7f) {
      return TextFault{i, fmt::format("control character 0x{:02x}; want plain text", c)};
    }
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      return TextFault{i, fmt::format("byte 0x{:02x} is not UTF-8; save the file as UTF-8", c)};
    }
    i += length;
  }
  return std::nullopt;
}

Place place_of_offset(std::string_view text, std::size_t offset,
                      const std::shared_ptr<const Source>& source) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {source, static_cast<int>(line), static_cast<int>(offset - start) + 1};
}

std::optional<Node> build(std::string_view text, TreeBuilder& builder, std::string_view key,
                          Diagnostics& diagnostics) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Stop&) {
  } catch (const YAML::Exception& e) {
    diagnostics.add(builder.place(e.mark), key,
                    fmt::format("not valid YAML ({})", shown(e.msg, false)));
  }
  return std::nullopt;
}

}  // namespace

std::optional<Node> parse_yaml(std::string_view text, const std::shared_ptr<const Source>& source,
                               Diagnostics& diagnostics) {
  if (const auto fault = find_text_fault(text)) {
    diagnostics.add(place_of_offset(text, fault->offset, source), "", fault->message);
    return std::nullopt;
  }
  TreeBuilder builder(text, source, nullptr, "", diagnostics);
  return build(text, builder, "", diagnostics);
}

std::optional<Node> parse_value(std::string_view text, const Place& place, std::string_view key,
                                Diagnostics& diagnostics) {
  if (const auto fault = find_text_fault(text)) {
    diagnostics.add(place, key, fault->message);
    return std::nullopt;
  }
  TreeBuilder builder(text, place.source, &place, std::string(key), diagnostics);
  std::optional<Node> node = build(text, builder, key, diagnostics);
  if (node && !node->place.source) node->place = place;  // an empty value has no event
  return node;
}

}  // namespace ty::config
