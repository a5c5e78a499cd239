// manifest.json of a checkpoint: which files belong to it, with size and hash, and what the run
// needs to continue. It also contains a hash of itself, so that damage to the manifest is detected
// like damage to any file.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/file_writer.h"

namespace ty {

inline constexpr const char* kManifestName = "manifest.json";
// No manifest is larger, neither a checkpoint's nor a run's; a larger file is refused unread.
inline constexpr std::uint64_t kMaxManifestBytes = 64'000'000;

struct FileRecord {
  std::string name;  // inside the checkpoint's directory
  FileSummary summary;
};

struct Manifest {
  std::int64_t step = 0;
  std::string run_id;
  std::vector<FileRecord> files;  // of all processes
  // What the caller adds: data position, layout, config hash, tokenizer fingerprint, ...
  nlohmann::json fields = nlohmann::json::object();
};

// The text of a manifest; files are sorted by name. Throws DataError for an invalid or repeated
// name.
std::string format_manifest(Manifest manifest);
// Reads and checks a text made by format_manifest; the message of the DataError begins with
// `place`.
Manifest parse_manifest(std::string_view text, const std::string& place);

// The same for a list of files alone: what ranks send to the rank that commits.
nlohmann::json to_json(std::span<const FileRecord> files);
std::vector<FileRecord> file_records(const nlohmann::json& list, const std::string& place);

}  // namespace ty
