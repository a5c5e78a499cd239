// Safetensors files that somebody damaged or made up: every one is refused with a message that
// names the file and, where there is one, the tensor.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "tests/support/messages.h"
#include "tests/unit/io/bytes.h"

namespace ty {
namespace {

using test::as_bytes;
using test::contains;
using test::message_of;
using test::safetensors;

struct Hostile {
  const char* name;
  std::string file;
  std::string message;
};

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t bytes) {
  return safetensors("{" + entry("w", dtype, shape, offsets) + "}", std::string(bytes, 'x'));
}

std::string two(const std::string& first, const std::string& second, std::size_t bytes) {
  return safetensors(
      "{" + entry("a", "F32", "[1]", first) + "," + entry("b", "F32", "[1]", second) + "}",
      std::string(bytes, 'x'));
}

std::string with_length(std::uint64_t length) {
  std::string file = one("F32", "[1]", "[0,4]", 4);
  std::memcpy(file.data(), &length, sizeof length);
  return file;
}

std::vector<Hostile> hostile_files() {
  const std::string good = one("F32", "[1]", "[0,4]", 4);
  return {
      {"nothing", "", "0 bytes are too few"},
      {"seven_bytes", good.substr(0, 7), "7 bytes are too few"},
      {"length_only", good.substr(0, 8), "header length"},
      {"header_cut_by_one", good.substr(0, good.size() - 5), "header length"},
      {"data_missing", good.substr(0, good.size() - 4), "tensor \"w\": data_offsets [0, 4]"},
      {"data_cut_by_one", good.substr(0, good.size() - 1), "the 3 bytes of data"},
      {"one_byte_more", good + "x", "1 bytes follow the last tensor"},
      {"length_zero", with_length(0), "does not begin with '{'"},
      {"length_one_short", with_length(good.size() - 8 - 5), "not valid JSON"},
      {"length_one_long", with_length(good.size() - 8 - 3), "not valid JSON"},
      {"length_all_ones", with_length(~std::uint64_t{0}), "header length 18446744073709551615"},
      {"length_wraps_the_sum", with_length(~std::uint64_t{0} - 7), "header length"},
      {"length_sign_bit", with_length(std::uint64_t{1} << 63), "header length"},
      {"blank_before_the_header", safetensors(" {}", ""), "does not begin with '{'"},
      {"header_is_a_list", safetensors("[]", ""), "does not begin with '{'"},
      {"text_after_the_header", safetensors("{} {}", ""), "not valid JSON"},
      {"zeros_after_the_header", safetensors(std::string("{}\0\0", 4), ""), "not valid JSON"},
      {"deep_nesting", safetensors("{\"a\":" + std::string(5000, '['), ""), "deeper than 32"},
      {"duplicate_name",
       safetensors(
           "{" + entry("w", "F32", "[1]", "[0,4]") + "," + entry("w", "I32", "[1]", "[0,4]") + "}",
           "xxxx"),
       "key \"w\" appears twice"},
      {"duplicate_by_escape",
       safetensors("{" + entry("w", "F32", "[1]", "[0,4]") + "," +
                       entry("\\u0077", "F32", "[1]", "[4,8]") + "}",
                   "xxxxxxxx"),
       "key \"w\" appears twice"},
      {"duplicate_field",
       safetensors(R"({"w":{"dtype":"F32","dtype":"U8","shape":[1],"data_offsets":[0,4]}})",
                   "xxxx"),
       "key \"dtype\" appears twice"},
      {"entry_is_a_number", safetensors("{\"w\":1}", ""), "tensor \"w\": its entry wants"},
      {"field_missing", safetensors(R"({"w":{"dtype":"F32","shape":[1]}})", "xxxx"),
       "wants exactly dtype, shape and data_offsets"},
      {"field_too_many",
       safetensors(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", "xxxx"),
       "wants exactly"},
      {"unknown_dtype", one("F33", "[1]", "[0,4]", 4), "unknown dtype"},
      {"dtype_is_a_number",
       safetensors(R"({"w":{"dtype":32,"shape":[1],"data_offsets":[0,4]}})", "xxxx"),
       "unknown dtype"},
      {"shape_is_a_number", one("F32", "1", "[0,4]", 4), "shape is \"1\", want a list"},
      {"negative_shape", one("F32", "[-1]", "[0,4]", 4), "want a list of integers >= 0"},
      {"negative_shape_pair", one("F32", "[-1,-1]", "[0,4]", 4), "want a list"},
      {"fractional_shape", one("F32", "[1.0]", "[0,4]", 4), "want a list"},
      {"shape_of_2_to_the_63", one("F32", "[9223372036854775808]", "[0,4]", 4), "want a list"},
      {"shape_beyond_64_bits", one("F32", "[36893488147419103233]", "[0,4]", 4), "want a list"},
      {"product_wraps_to_the_size", one("F32", "[4294967296,4294967296,1]", "[0,4]", 4),
       "more than 2^63 bytes"},
      {"product_wraps_by_element_size", one("F32", "[4611686018427387905]", "[0,4]", 4),
       "more than 2^63 bytes"},
      {"zero_hides_an_overflow", one("F32", "[0,4294967296,4294967296]", "[0,0]", 0),
       "more than 2^63 bytes"},
      {"seventeen_dimensions", one("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]", 4),
       "17 dimensions"},
      {"one_offset", one("F32", "[1]", "[0]", 4), "data_offsets has 1 numbers"},
      {"three_offsets", one("F32", "[1]", "[0,2,4]", 4), "data_offsets has 3 numbers"},
      {"negative_offset", one("F32", "[1]", "[-4,0]", 4), "want a list"},
      {"offsets_reversed", one("F32", "[1]", "[4,0]", 4), "do not lie in"},
      {"offset_past_the_end", one("F32", "[1]", "[0,8]", 4), "do not lie in the 4 bytes"},
      {"offset_huge", one("F32", "[1]", "[0,9223372036854775807]", 4), "do not lie in"},
      {"size_disagrees", one("F32", "[2]", "[0,4]", 4), "is 8 bytes, but data_offsets span 4"},
      {"hole_at_the_start", one("F32", "[1]", "[4,8]", 8), "a hole opens"},
      {"hole_between", two("[0,4]", "[8,12]", 12), "tensor \"b\": data begins at byte"},
      {"overlap_whole", two("[0,4]", "[0,4]", 4), "the tensor before ends"},
      {"overlap_part", two("[0,4]", "[2,6]", 6), "the tensor before ends"},
      {"empty_tensor_inside_another",
       safetensors(
           "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[0]", "[2,2]") + "}",
           "xxxx"),
       "tensor \"b\": data begins"},
      {"metadata_is_a_list", safetensors(R"({"__metadata__":[]})", ""), "__metadata__"},
      {"metadata_holds_a_number", safetensors(R"({"__metadata__":{"a":1}})", ""),
       "__metadata__ \"a\" is not a string"},
      {"name_is_not_utf8", safetensors("{" + entry("\xff", "F32", "[1]", "[0,4]") + "}", "xxxx"),
       "not valid JSON"},
      {"name_with_newline", safetensors("{" + entry("a\\nb", "F32", "[2]", "[0,4]") + "}", "xxxx"),
       R"(tensor "a\nb": shape)"},
  };
}

TEST(HostileSafetensors, EveryCaseIsRefusedByName) {
  for (const Hostile& hostile : hostile_files()) {
    SCOPED_TRACE(hostile.name);
    const std::string message =
        message_of<DataError>([&] { parse_safetensors(as_bytes(hostile.file), "m.safetensors"); });
    EXPECT_TRUE(message.starts_with("m.safetensors: ")) << message;
    EXPECT_TRUE(contains(message, hostile.message));
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(HostileSafetensors, TheFormatsOwnEdgesAreAccepted) {
  EXPECT_TRUE(parse_safetensors(as_bytes(safetensors("{}", "")), "m").tensors.empty());
  EXPECT_TRUE(parse_safetensors(as_bytes(safetensors("{}   ", "")), "m").tensors.empty());
  const std::string file = safetensors("{" + entry("b", "F32", "[1]", "[0,4]") + "," +
                                           entry("a", "F32", "[0]", "[0,0]") + "," +
                                           entry("c", "BOOL", "[]", "[4,5]") + "}",
                                       "xxxxx");
  const SafetensorsHeader header = parse_safetensors(as_bytes(file), "m");
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[2].end, file.size());
}

// A small but complete file; what changes is found, or leaves a file that still is consistent.
std::string sample() {
  return safetensors("{\"__metadata__\":{\"format\":\"pt\"}," +
                         entry("a", "F32", "[2,1]", "[0,8]") + "," +
                         entry("b", "BF16", "[3]", "[8,14]") + "}  ",
                     std::string(14, 'x'));
}

void check_parse(const std::string& file) {
  try {
    for (const StoredTensor& tensor : parse_safetensors(as_bytes(file), "m").tensors) {
      ASSERT_LE(tensor.begin, tensor.end);
      ASSERT_LE(tensor.end, file.size());
    }
  } catch (const DataError&) {
  }
}

TEST(HostileSafetensors, EveryTruncationIsRefused) {
  const std::string file = sample();
  for (std::size_t size = 0; size < file.size(); ++size) {
    // Exact-size heap copies, so that the address sanitizer sees a read past the end.
    const std::vector<char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(parse_safetensors(std::as_bytes(std::span(cut)), "m"), DataError) << size;
  }
}

TEST(HostileSafetensors, EveryValueOfEveryHeaderByteIsSafe) {
  const std::string file = sample();
  for (std::size_t i = 0; i < file.size() - 14; ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[i] = static_cast<char>(value);
      check_parse(changed);
    }
  }
}

TEST(HostileSafetensors, DroppedAndDoubledBytesAreSafe) {
  const std::string file = sample();
  for (std::size_t i = 0; i < file.size(); ++i) {
    check_parse(std::string(file).erase(i, 1));
    check_parse(std::string(file).insert(i, 1, file[i]));
  }
}

}  // namespace
}  // namespace ty
