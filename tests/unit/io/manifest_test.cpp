#include "core/io/manifest.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;

Manifest sample() {
  return {.step = 400,
          .run_id = "run-7",
          .files = {{"model.safetensors", {123, "ab"}}, {"data.json", {4, "cd"}}},
          .fields = {{"data_position", {{"epoch", 2}, {"sample", 77}}}, {"lr", 0.1}}};
}

TEST(Manifest, SurvivesTheRoundTripWithFilesInOrder) {
  const Manifest read = parse_manifest(format_manifest(sample()), "m");
  EXPECT_EQ(read.step, 400);
  EXPECT_EQ(read.run_id, "run-7");
  ASSERT_EQ(read.files.size(), 2u);
  EXPECT_EQ(read.files[0].name, "data.json");
  EXPECT_EQ(read.files[1].summary.size, 123u);
  EXPECT_EQ(read.files[1].summary.hash, "ab");
  EXPECT_EQ(read.fields, sample().fields);
}

TEST(Manifest, FileListsTravelAsJson) {
  const auto files = file_records(to_json(sample().files), "rank 3");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "model.safetensors");
  EXPECT_EQ(files[0].summary.hash, "ab");
}

TEST(Manifest, AnyChangedCharacterIsFoundOrMeansNothing) {
  const std::string text = format_manifest(sample());
  const std::string meaning = nlohmann::json::parse(text).dump();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const int bit : {0, 1, 3, 5, 7}) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      try {
        parse_manifest(changed, "m");
        EXPECT_EQ(nlohmann::json::parse(changed).dump(), meaning) << i;
      } catch (const DataError&) {
      }
    }
  }
}

TEST(Manifest, TruncationIsRefused) {
  const std::string text = format_manifest(sample());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    EXPECT_THROW(parse_manifest(text.substr(0, size), "m"), DataError) << size;
  }
}

TEST(Manifest, RefusesNamesThatLeaveTheDirectoryOrRepeat) {
  for (const char* name : {"../model", "a/b", "/x", "", ".x", "manifest.json", "data.json"}) {
    Manifest manifest = sample();
    manifest.files[0].name = name;
    EXPECT_THROW(format_manifest(manifest), DataError) << name;
    EXPECT_THROW(file_records(to_json(manifest.files), "m"), DataError) << name;
  }
}

TEST(Manifest, OtherFormatAndEditedContentAreTold) {
  nlohmann::json document = nlohmann::json::parse(format_manifest(sample()));
  document["step"] = 401;
  EXPECT_TRUE(contains(message_of<DataError>([&] { parse_manifest(document.dump(), "m"); }),
                       "the file is damaged"));
  document["trainyard_checkpoint"] = 2;
  EXPECT_EQ(message_of<DataError>([&] { parse_manifest(document.dump(), "m"); }),
            "m: trainyard_checkpoint is \"2\", want 1, the format this program reads");
}

}  // namespace
}  // namespace ty
