#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <set>

#include "core/base/error.h"
#include "core/data/sampler.h"
#include "core/data/token_file.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

class TokenFiles : public testing::Test {
 protected:
  TempDir temp_;
  Path path_ = temp_ / "tokens.bin";

  void write(std::int64_t count, std::int64_t vocab = 1000) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
    std::iota(ids.begin(), ids.end(), 0);
    write_token_file(
        path_, ids,
        {.count = 0, .vocab = vocab, .source_bytes = 77, .tokenizer = 5, .source_hash = 6});
  }
  std::string refusal(std::int64_t vocab = 0) {
    return message_of<DataError>([&] { TokenFile(path_).check_ids(vocab); });
  }
};

TEST_F(TokenFiles, GiveBackIdsAndFactsInBothWidths) {
  for (std::int64_t vocab : {1000, 100000}) {
    write(300, vocab);
    const TokenFile file(path_);
    file.check_ids(vocab);
    EXPECT_EQ(file.size(), 300);
    EXPECT_EQ(file.info().source_bytes, 77);
    EXPECT_EQ(file.info().source_hash, 6u);
    std::vector<std::int32_t> ids(5);
    file.copy(295, ids);
    EXPECT_EQ(ids, (std::vector<std::int32_t>{295, 296, 297, 298, 299}));
  }
}

TEST_F(TokenFiles, AreLlmCShardsWhenIdsFitSixteenBits) {
  write(3);
  std::ifstream in(path_, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_EQ(bytes.size(), 1024u + 6u);
  std::int32_t header[3];
  std::memcpy(header, bytes.data(), sizeof(header));
  EXPECT_EQ(header[0], 20240520);
  EXPECT_EQ(header[1], 1);
  EXPECT_EQ(header[2], 3);
  std::uint16_t last = 0;
  std::memcpy(&last, bytes.data() + 1028, 2);
  EXPECT_EQ(last, 2);
}

TEST_F(TokenFiles, RefuseDamageWithTheNumbers) {
  write(300);
  EXPECT_TRUE(contains(refusal(200), "token 200 at position 200 is not below the vocabulary 200"));
  std::filesystem::resize_file(path_, 1024 + 599);
  EXPECT_TRUE(contains(refusal(), "1623 bytes, but 300 tokens make 1624"));
  std::filesystem::resize_file(path_, 100);
  EXPECT_TRUE(contains(refusal(), "too few for the header"));
  std::ofstream(path_, std::ios::binary) << std::string(2000, 'x');
  EXPECT_TRUE(contains(refusal(), "magic number"));
  write(0);
  EXPECT_TRUE(contains(refusal(), "holds no tokens"));
}

TEST_F(TokenFiles, KnowTheIdsThatWereWritten) {
  write(300);
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(1024 + 2 * 7);
  file.put('\x55');
  file.close();
  EXPECT_TRUE(contains(refusal(1000), "hash of the ids is"));
}

TEST_F(TokenFiles, ThatBecomeShorterInUseAreNamed) {
  write(300);
  const TokenFile file(path_);
  std::filesystem::resize_file(path_, 1024 + 10);
  std::vector<std::int32_t> ids(5);
  file.copy(0, ids);
  EXPECT_EQ(message_of<DataError>([&] { file.copy(100, ids); }),
            path_.string() + ": was cut short to 1034 bytes while it was in use");
}

TEST_F(TokenFiles, OfAnotherTokenizerAreRefused) {
  write(300);
  TokenFile(path_).check_tokenizer(5);
  EXPECT_TRUE(contains(message_of<DataError>([&] { TokenFile(path_).check_tokenizer(7); }),
                       "was made with tokenizer 0000000000000005"));
}

TEST_F(TokenFiles, InMemoryAreLikeThoseOnDisk) {
  const TokenFile tokens({3, 1, 2}, {.vocab = 4, .source_bytes = 9}, "a.txt");
  tokens.check_ids(4);
  EXPECT_TRUE(contains(message_of<DataError>([&] { tokens.check_ids(3); }),
                       "a.txt: token 3 at position 0 is not below the vocabulary 3"));
  tokens.write(path_);
  const TokenFile file(path_);
  std::vector<std::int32_t> here(3), there(3);
  tokens.copy(0, here);
  file.copy(0, there);
  EXPECT_EQ(here, there);
  EXPECT_EQ(file.info().source_bytes, 9);
}

TEST(SamplerOrder, EveryEpochVisitsEveryWindowOnce) {
  const Sampler sampler(1000, 16, 7);
  for (std::int64_t epoch : {0, 1, 5}) {
    std::set<std::int64_t> starts;
    for (std::int64_t i = 0; i < sampler.windows(); ++i) {
      const std::int64_t first = sampler.first_token(epoch * sampler.windows() + i);
      ASSERT_GE(first, 0);
      ASSERT_LE(first + 17, 1000);
      starts.insert(first);
    }
    EXPECT_EQ(static_cast<std::int64_t>(starts.size()), sampler.windows());
    EXPECT_EQ(*starts.rbegin() - *starts.begin(), (sampler.windows() - 1) * 16);
  }
}

TEST(SamplerOrder, DependsOnTheSeedAndTheEpoch) {
  const Sampler a(1000, 16, 7), b(1000, 16, 8);
  int same_seed = 0, same_epoch = 0;
  for (std::int64_t i = 0; i < a.windows(); ++i) {
    same_seed += a.first_token(i) == b.first_token(i);
    same_epoch += a.first_token(i) == a.first_token(i + a.windows());
  }
  EXPECT_LT(same_seed, 10);
  EXPECT_LT(same_epoch, 10);
}

TEST(SamplerOrder, ServesTheShortestTextAndNamesWhatATooShortOneLacks) {
  EXPECT_EQ(Sampler(17, 16, 1).windows(), 1);
  EXPECT_EQ(Sampler(17, 16, 1).first_token(12345), 0);
  EXPECT_EQ(message_of<DataError>([] { Sampler(16, 16, 1); }),
            "the training data has 16 tokens; data.sequence: 16 wants at least 17");
}

class Windows : public TokenFiles {};

TEST_F(Windows, TargetsAreInputsShiftedByOne) {
  write(100);
  const TokenFile file(path_);
  const Sampler sampler(file.size(), 8, 3);
  const auto windows = training_windows(file, 8, 3);
  EXPECT_EQ(windows->examples(), sampler.windows());
  const HostBatch batch = windows->batch(40, 3);
  EXPECT_EQ(batch.first_sample, 40);
  EXPECT_EQ(batch.sequences, 3);
  const std::vector<std::int32_t>&ids = batch.at(Column::ids).ids,
        &targets = batch.at(Column::targets).ids;
  ASSERT_EQ(ids.size(), 24u);
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(targets[i], ids[i] + 1);
  EXPECT_EQ(ids[8], sampler.first_token(41));
}

TEST_F(Windows, EvaluationReadsEveryTargetOnce) {
  write(20);
  const TokenFile file(path_);
  const auto windows = evaluation_windows(file, 8);
  EXPECT_EQ(windows->examples(), 3);
  const HostBatch batch = windows->batch(0, 3);
  std::vector<std::int32_t> targets;
  for (std::int32_t t : batch.at(Column::targets).ids) {
    if (t >= 0) targets.push_back(t);
  }
  std::vector<std::int32_t> expected(19);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(targets, expected);
  EXPECT_EQ(batch.at(Column::targets).ids.back(), -1);
  write(1);
  const TokenFile one(path_);
  EXPECT_TRUE(contains(message_of<DataError>([&] { evaluation_windows(one, 8); }),
                       "1 token has nothing to predict"));
}

TEST_F(Windows, ThatOverlapHaveEveryTargetOnceAfterAllOfTheirTokens) {
  for (const int tokens : {2, 9, 10, 20, 21}) {
    write(tokens);
    const TokenFile file(path_);
    const auto windows = evaluation_windows(file, 8, 3);
    std::vector<std::int32_t> targets;
    for (std::int64_t w = 0; w < windows->examples(); ++w) {
      const HostBatch batch = windows->batch(w, 1);
      for (std::size_t i = 0; i < 8; ++i) {
        const std::int32_t target = batch.at(Column::targets).ids[i];
        if (target < 0) continue;
        EXPECT_EQ(batch.at(Column::ids).ids[i], target - 1);
        EXPECT_TRUE(w == 0 || i >= 5) << "a target of window " << w << " has little before it";
        targets.push_back(target);
      }
    }
    std::vector<std::int32_t> expected(static_cast<std::size_t>(tokens - 1));
    std::iota(expected.begin(), expected.end(), 1);
    EXPECT_EQ(targets, expected);
  }
}

}  // namespace
}  // namespace ty::test
