// From files and command-line overrides to a checked config struct, and back to text.
//
// A job file starts with `schema: 1`. `extends: [base.yaml]` lays the file over others: maps merge,
// lists replace. Overrides `section.key=value` come last. Relative paths are relative to the file
// that states them, on the command line to the working directory; structs hold absolute paths.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/fields.h"

namespace ty::config {

using Overrides = std::vector<std::string>;  // "optim.lr=1e-3"

template <class T>
struct Loaded {
  T value;
  Origins origins;
};

// The error with the place where its key was stated: "a.yaml:3:7: KEY: ..."; unchanged if it
// concerns no key.
Error placed(const Error& error, const Origins& origins);

// Runs work that uses a loaded struct; errors about its keys are thrown with their places.
template <class Work>
auto with_places(const Origins& origins, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.key().empty()) throw;
    throw placed(error, origins);
  }
}

// Fills the struct of `section`; an empty `file` means defaults and overrides only. Throws
// ConfigError with one line per error.
Origins load_file(const std::filesystem::path& file, const Overrides& overrides,
                  const Section& section);
// The same for text, called `name` in errors; relative paths in it are relative to the working
// directory.
Origins load_text(std::string_view text, const std::string& name, const Overrides& overrides,
                  const Section& section);

template <class T>
Loaded<T> load(const std::filesystem::path& file, const Overrides& overrides = {}) {
  Loaded<T> loaded;
  loaded.origins = load_file(file, overrides, make_section(loaded.value));
  return loaded;
}

template <class T>
Loaded<T> parse(std::string_view text, const std::string& name, const Overrides& overrides = {}) {
  Loaded<T> loaded;
  loaded.origins = load_text(text, name, overrides, make_section(loaded.value));
  return loaded;
}

}  // namespace ty::config
