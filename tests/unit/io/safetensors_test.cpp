#include "core/io/safetensors.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/io/bytes.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;
using test::safetensors;
using test::slurp;
using test::spill;
using test::TempDir;

std::vector<std::byte> pattern(std::size_t size, int seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 7 + seed);
  return bytes;
}

class SafetensorsTypes : public ::testing::TestWithParam<DType> {};

TEST_P(SafetensorsTypes, EveryBitSurvivesTheRoundTrip) {
  const TempDir dir;
  const Shape shape{3, 5, 2};
  std::vector<std::byte> content = pattern(30 * size_of(GetParam()), 1);
  const View view = contiguous_view(content.data(), GetParam(), shape);
  write_safetensors(dir / "a.safetensors", std::vector<NamedView>{{"w", view}});
  const SafetensorsFile file(dir / "a.safetensors");
  const View read = file.view("w");
  EXPECT_EQ(read.dtype, GetParam());
  EXPECT_EQ(read.shape, shape);
  EXPECT_TRUE(read.is_contiguous());
  EXPECT_EQ(std::memcmp(read.data, content.data(), content.size()), 0);
}

INSTANTIATE_TEST_SUITE_P(All, SafetensorsTypes,
                         ::testing::Values(DType::f32, DType::bf16, DType::f16, DType::f64,
                                           DType::i32, DType::i64),
                         [](const auto& type) { return std::string(name_of(type.param)); });

TEST(Safetensors, MixedTypesScalarsEmptyTensorsAndOddNamesSurvive) {
  const TempDir dir;
  auto a = pattern(7 * 2, 1), b = pattern(8, 2), c = pattern(3 * 4, 3);
  const std::vector<NamedView> tensors{
      {"odd count of halves", contiguous_view(a.data(), DType::f16, {7})},
      {"scalar \"quoted\"\n", contiguous_view(b.data(), DType::f64, {})},
      {"\xc3\xbc", contiguous_view(c.data(), DType::i32, {3, 1})},
      {"empty", contiguous_view(nullptr, DType::f32, {4, 0})}};
  const FileSummary summary =
      write_safetensors(dir / "a", tensors, {{"format", "pt"}, {"note", "x\ty"}});
  const SafetensorsFile file(dir / "a");
  EXPECT_EQ(file.tensors().size(), 4u);
  for (const NamedView& tensor : tensors) {
    const View read = file.view(tensor.name);
    EXPECT_EQ(read.shape, tensor.view.shape);
    if (read.bytes() > 0) {
      EXPECT_EQ(std::memcmp(read.data, tensor.view.data, read.bytes()), 0);
    }
  }
  EXPECT_EQ(file.metadata().at("note"), "x\ty");
  const std::string content = slurp(dir / "a");
  EXPECT_EQ(summary.size, content.size());
  EXPECT_EQ(summary.hash, content_hash(test::as_bytes(content)));
}

TEST(Safetensors, DataBeginsAtAMultipleOf64AndEveryTensorIsAligned) {
  const TempDir dir;
  auto data = pattern(64, 1);
  for (int extra = 0; extra < 70; ++extra) {
    const std::string name(static_cast<std::size_t>(extra + 1), 'n');
    write_safetensors(dir / "a",
                      std::vector<NamedView>{{name, contiguous_view(data.data(), DType::f16, {3})},
                                             {"z", contiguous_view(data.data(), DType::f64, {2})}});
    const SafetensorsFile file(dir / "a");
    EXPECT_EQ(file.tensors().front().begin % 64, 0u);
    EXPECT_EQ(file.tensor("z").begin % 8, 0u);
  }
}

TEST(Safetensors, SameTensorsInAnyOrderGiveTheSameBytes) {
  const TempDir dir;
  auto data = pattern(64, 1);
  std::vector<NamedView> tensors{{"b", contiguous_view(data.data(), DType::f32, {2})},
                                 {"a", contiguous_view(data.data() + 8, DType::f32, {3})},
                                 {"c", contiguous_view(data.data() + 16, DType::i64, {1})}};
  const FileSummary first = write_safetensors(dir / "1", tensors);
  std::swap(tensors[0], tensors[2]);
  const FileSummary second = write_safetensors(dir / "2", tensors);
  EXPECT_EQ(first.hash, second.hash);
}

TEST(Safetensors, StridedViewsAreWrittenRowMajor) {
  const TempDir dir;
  std::vector<float> data(24);
  std::iota(data.begin(), data.end(), 0.0f);
  const View whole = contiguous_view(data.data(), DType::f32, {4, 6});
  float one = 5;
  const View repeated = contiguous_view(&one, DType::f32, {1}).expand({3});
  write_safetensors(dir / "a", std::vector<NamedView>{{"transposed", whole.transpose(0, 1)},
                                                      {"columns", whole.slice(1, 2, 3)},
                                                      {"repeated", repeated}});
  const SafetensorsFile file(dir / "a");
  const float* t = file.view("transposed").as<float>();
  const float* c = file.view("columns").as<float>();
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 4; ++j) EXPECT_EQ(t[i * 4 + j], data[static_cast<std::size_t>(j * 6 + i)]);
  }
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_EQ(c[i * 3 + j], data[static_cast<std::size_t>(i * 6 + j + 2)]);
    }
  }
  EXPECT_EQ(file.view("repeated").as<float>()[2], 5.0f);
}

TEST(Safetensors, WriterTakesTensorsOneByOneAndNoticesMistakes) {
  const TempDir dir;
  float x[2] = {1, 2};
  FileWriter out(dir / "a");
  SafetensorsWriter writer(out, {{"b", DType::f32, {1}}, {"a", DType::f32, {2}}});
  ASSERT_EQ(writer.order()[0].name, "a");
  EXPECT_THROW(writer.append(contiguous_view(x, DType::f32, {1})), InternalError);
  writer.append(contiguous_view(x, DType::f32, {2}));
  EXPECT_THROW(writer.finish(), InternalError);
  writer.append(contiguous_view(x, DType::f32, {1}));
  EXPECT_NO_THROW(writer.finish());
  EXPECT_THROW(writer.append(contiguous_view(x, DType::f32, {1})), InternalError);
  out.finish();
  EXPECT_EQ(SafetensorsFile(dir / "a").view("a").as<float>()[1], 2.0f);
  FileWriter other(dir / "b");
  EXPECT_THROW(SafetensorsWriter(other, {{"a", DType::f32, {1}}, {"a", DType::i32, {1}}}),
               InternalError);
}

TEST(Safetensors, MissingTensorNamesTheNearest) {
  const TempDir dir;
  float x = 1;
  write_safetensors(
      dir / "a", std::vector<NamedView>{{"h.0.ln_1.weight", contiguous_view(&x, DType::f32, {1})}});
  const SafetensorsFile file(dir / "a");
  EXPECT_EQ(message_of<DataError>([&] { file.view("h.0.ln_1.wieght"); }),
            (dir / "a").string() +
                ": no tensor \"h.0.ln_1.wieght\" among its 1 (did you mean \"h.0.ln_1.weight\"?)");
}

TEST(Safetensors, OtherTypesAreListedAndRefusedOnAccess) {
  const TempDir dir;
  spill(dir / "a", safetensors(R"({"m":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"));
  const SafetensorsFile file(dir / "a");
  EXPECT_EQ(file.tensor("m").dtype_name, "U8");
  EXPECT_TRUE(contains(message_of<DataError>([&] { file.view("m"); }),
                       "tensor \"m\": dtype U8 cannot be read; convert it to"));
}

TEST(Safetensors, UnalignedDataOfOldWritersIsReadable) {
  const TempDir dir;
  const float x[2] = {1.5f, -2.5f};
  const std::string data(reinterpret_cast<const char*>(x), sizeof x);
  for (int blanks = 0; blanks < 8; ++blanks) {
    const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})" +
                               std::string(static_cast<std::size_t>(blanks), ' ');
    spill(dir / "a", safetensors(header, data));
    const SafetensorsFile file(dir / "a");
    const View view = file.view("w");
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 4, 0u);
    EXPECT_EQ(view.as<float>()[1], -2.5f);
    EXPECT_EQ(file.view("w").data, view.data);
  }
}

}  // namespace
}  // namespace ty
