#include "core/io/manifest.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/io/file_name.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr const char* kFormatKey = "trainyard_checkpoint";

// Of everything but the hash itself; dump() sorts keys and prints numbers in one way only.
std::string hash_of(Json document) {
  document.erase("hash");
  return content_hash(bytes_of(document.dump()));
}

template <typename Good>
const Json& field(const Json& object, const char* key, const std::string& place, const char* want,
                  Good&& good) {
  const auto found = object.find(key);
  if (found == object.end() || !good(*found)) {
    throw DataError("{}: {} is {}, want {}", place, key,
                    found == object.end() ? "missing" : in_quotes(found->dump()), want);
  }
  return *found;
}

bool is_text(const Json& value) { return value.is_string(); }
bool is_count(const Json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX};
}

void check_names(std::span<const FileRecord> files, const std::string& place) {
  std::set<std::string> names{kManifestName};
  for (const FileRecord& file : files) {
    check_file_name(file.name, place);
    if (!names.insert(file.name).second) {
      throw DataError("{}: file {} is listed twice or reserved", place, in_quotes(file.name));
    }
  }
}

}  // namespace

Json to_json(std::span<const FileRecord> files) {
  Json list = Json::array();
  for (const FileRecord& file : files) {
    list.push_back({{"name", file.name}, {"size", file.summary.size}, {"hash", file.summary.hash}});
  }
  return list;
}

std::vector<FileRecord> file_records(const Json& list, const std::string& place) {
  if (!list.is_array()) throw DataError("{}: files is not a list", place);
  std::vector<FileRecord> files;
  for (const Json& item : list) {
    if (!item.is_object()) throw DataError("{}: files holds {}", place, in_quotes(item.dump()));
    FileRecord file;
    file.name = field(item, "name", place, "a string", is_text).get<std::string>();
    file.summary.size = field(item, "size", place, "bytes >= 0", is_count).get<std::uint64_t>();
    file.summary.hash = field(item, "hash", place, "a string", is_text).get<std::string>();
    files.push_back(std::move(file));
  }
  check_names(files, place);
  return files;
}

std::string format_manifest(Manifest manifest) {
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const FileRecord& a, const FileRecord& b) { return a.name < b.name; });
  check_names(manifest.files, kManifestName);
  Json document = {{kFormatKey, kFormat},
                   {"step", manifest.step},
                   {"run_id", manifest.run_id},
                   {"files", to_json(manifest.files)},
                   {"fields", manifest.fields}};
  document["hash"] = hash_of(document);
  return document.dump(1) + "\n";
}

Manifest parse_manifest(std::string_view text, const std::string& place) {
  const Json document = parse_json(text, place);
  if (!document.is_object()) throw DataError("{}: not an object", place);
  field(document, kFormatKey, place, "1, the format this program reads",
        [](const Json& value) { return value == kFormat; });
  const Json& hash = field(document, "hash", place, "a string", is_text);
  const std::string actual = hash_of(document);
  if (hash != actual) {
    throw DataError("{}: hash of its content is {}, but it says {}; the file is damaged", place,
                    actual, in_quotes(hash.get_ref<const std::string&>()));
  }
  Manifest manifest;
  manifest.step = field(document, "step", place, "a step >= 0", is_count).get<std::int64_t>();
  manifest.run_id = field(document, "run_id", place, "a string", is_text).get<std::string>();
  manifest.files = file_records(
      field(document, "files", place, "a list", [](const Json& list) { return list.is_array(); }),
      place);
  manifest.fields = field(document, "fields", place, "an object",
                          [](const Json& value) { return value.is_object(); });
  return manifest;
}

}  // namespace ty
