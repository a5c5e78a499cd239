#include "core/io/tensor_set.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/io/bytes.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;
using test::spill;
using test::TempDir;

void write_one(const Path& path, const std::string& tensor, float value) {
  write_safetensors(path,
                    std::vector<NamedView>{{tensor, contiguous_view(&value, DType::f32, {1})}});
}

class Sharded : public ::testing::Test {
 protected:
  Sharded() {
    write_one(dir / "model-1.safetensors", "a", 1);
    write_one(dir / "model-2.safetensors", "b", 2);
  }
  void index(const std::string& weight_map) {
    spill(dir / "model.safetensors.index.json", "{\"weight_map\": " + weight_map + "}");
  }
  std::string refusal() {
    return message_of<DataError>([&] { open_tensors(dir.path()); });
  }
  const TempDir dir;
};

TEST_F(Sharded, ActsAsOneSet) {
  index(R"({"a": "model-1.safetensors", "b": "model-2.safetensors"})");
  const TensorSet set = open_tensors(dir.path());
  EXPECT_EQ(set.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*set.view("a").as<float>(), 1.0f);
  EXPECT_EQ(*set.view("b").as<float>(), 2.0f);
  EXPECT_TRUE(
      contains(message_of<DataError>([&] { set.view("c"); }), "no tensor \"c\" among its 2"));
}

TEST_F(Sharded, IndexAndFilesMustAgree) {
  index(R"({"a": "model-1.safetensors", "b": "model-1.safetensors"})");
  EXPECT_TRUE(contains(refusal(), "weight_map places tensor \"b\" in model-1.safetensors"));
  index(R"({"a": "model-2.safetensors", "b": "model-1.safetensors"})");
  EXPECT_TRUE(contains(refusal(), "holds tensor \"a\", which model.safetensors.index.json places"));
  write_one(dir / "model-2.safetensors", "x", 2);
  index(R"({"a": "model-1.safetensors", "b": "model-2.safetensors"})");
  EXPECT_TRUE(contains(refusal(), "places nowhere"));
}

TEST_F(Sharded, IndexCannotPointOutsideItsDirectory) {
  for (const char* name : {"../model-1.safetensors", "/etc/passwd", "x/y", "", "..", ".a"}) {
    index(std::string(R"({"a": ")") + name + "\"}");
    EXPECT_TRUE(contains(refusal(), "is not allowed")) << name;
  }
}

TEST_F(Sharded, MalformedIndexIsRefused) {
  for (const char* map : {"[]", "{}", "{\"a\": 1}", "{\"a\": \"m\", \"a\": \"n\"}", "3"}) {
    index(map);
    EXPECT_TRUE(contains(refusal(), "model.safetensors.index.json: ")) << map;
  }
}

TEST_F(Sharded, MissingShardIsNamed) {
  index(R"({"a": "model-1.safetensors", "b": "model-3.safetensors"})");
  EXPECT_TRUE(contains(message_of<IoError>([&] { open_tensors(dir.path()); }),
                       "model-3.safetensors: cannot open"));
}

TEST_F(Sharded, ASingleFileIsASetToo) {
  EXPECT_EQ(open_tensors(dir / "model-1.safetensors").names(), std::vector<std::string>{"a"});
  EXPECT_TRUE(contains(refusal(), "holds neither model.safetensors nor"));
  write_one(dir / "model.safetensors", "whole", 3);
  EXPECT_EQ(open_tensors(dir.path()).names(), std::vector<std::string>{"whole"});
}

}  // namespace
}  // namespace ty
