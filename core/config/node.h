// The untyped tree of a job file: maps, lists and scalars, each with its place.
//
// A tree comes from one YAML file or one command-line override. Merging overlays the trees of
// several sources; every node keeps the place where it was stated.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ty::config {

// A file or the command line.
struct Source {
  std::string name;                 // as shown to the user
  std::filesystem::path directory;  // what relative paths stated here are relative to
  int order = 0;                    // position in a report of errors
  int layer = 0;                    // higher layers override lower ones
};

// Where a value was stated; a value without a source is a default.
struct Place {
  std::shared_ptr<const Source> source;
  int line = 0;  // counts from 1; 0 means the source as a whole
  int column = 0;

  // "default", "a.yaml:3:7", "a.yaml" or "command line".
  std::string str() const;
  // The source's layer; -1 for a default.
  int layer() const { return source ? source->layer : -1; }
  // In a report of errors.
  bool comes_before(const Place& other) const;
};

struct Entry;

struct Node {
  // invalid: already reported; readers skip it silently.
  enum class Kind : std::uint8_t { null, scalar, list, map, invalid };

  Kind kind = Kind::null;
  Place place;
  std::string text;     // of a scalar
  bool quoted = false;  // "5" is text, 5 a number
  std::vector<Node> items;
  std::vector<Entry> entries;  // in the order of the file, keys unique

  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Node value;
};

// Merges `over` into `base`: maps merge key by key, everything else is replaced.
void merge(Node& base, Node over);

}  // namespace ty::config
