#include "tests/fuzz/trials.h"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/data/token_file.h"

namespace ty::test {

using Json = nlohmann::json;

namespace {

std::string read(const Path& file) { return read_text_file(file, std::uint64_t{1} << 30); }
void write(const Path& file, const std::string& bytes) { atomic_write_file(file, bytes_of(bytes)); }

}  // namespace

Corpus::Corpus(std::string binary) : binary_(std::move(binary)) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += fmt::format("the river runs past stone bridge {}\n", i);
  write(root() / "text.txt", text);
  write(root() / "job.yaml",
        "schema: 1\nrun: {name: good, dir: run, seed: 1, steps: 2, device: cpu}\n"
        "model: {layers: 2, width: 16, heads: 2, context: 16}\n"
        "linear: [{match: \"blocks.0.mlp.*\", kind: ttm, rank: 3}]\n"
        "tokenizer: {kind: bpe, vocab: 300}\ndata: {train: text.txt, sequence: 8, batch: 4}\n");
  must({"train", "job.yaml"});
  must({"export", "run", "model"});
  must({"data", "tokenize", "text.txt", "text.bin", "--tokenizer", "run/tokenizer"});
  must({"data", "train-tokenizer", "text.txt", "pieces", "--kind", "wordpiece", "--vocab", "300"});
  loss_ = must({"eval", "model", "--tokens", "1 2 3 4 5", "--json"})["loss"].get<double>();
  file_loss_ = must({"eval", "model", "text.bin", "--json"})["loss"].get<double>();
}

Json Corpus::must(Words words) const {
  words.insert(words.begin(), binary_);
  const Outcome outcome = run_program(words, root().string());
  if (outcome.code != 0) throw InternalError("{}: {}", words[1], outcome.describe());
  return words.back() == "--json" ? Json::parse(outcome.out) : Json();
}

namespace {

// Sets the loss that an accepted model must have.
std::function<std::string(const Outcome&)> has_loss(double wanted) {
  return [wanted](const Outcome& outcome) -> std::string {
    const Json json = Json::parse(outcome.out, nullptr, false);
    if (!json.is_object() || !json.contains("loss")) return "no loss in " + outcome.out;
    if (!json["loss"].is_number()) return "the loss is no number";
    const double got = json["loss"].get<double>();
    return got == wanted ? "" : fmt::format("loss {} instead of {}", got, wanted);
  };
}

// config.json of a model.
Trial config_json(const Corpus& corpus, const Path& here, Choices& choices) {
  std::filesystem::copy(corpus.root() / "model", here / "model");
  const Change change = changed(Json::parse(read(corpus.root() / "model/config.json")), choices);
  write(here / "model/config.json", change.text);
  // Other values of these give other functions of the same weights.
  static const std::set<std::string> kMeaning = {"n_head", "activation_function",
                                                 "layer_norm_epsilon", "scale_attn_weights",
                                                 "scale_attn_by_inverse_layer_idx"};
  const bool keeps = change.adds_key || (!change.key.empty() && !kMeaning.contains(change.key));
  static const std::vector<Words> kVerbs = {{"eval", "model", "--tokens", "1 2 3 4 5", "--json"},
                                            {"inspect", "model"},
                                            {"import", "model", "out"},
                                            {"export", "model", "out", "--dense"},
                                            {"generate", "model", "the", "--tokens", "2"},
                                            {"compress", "model", "out", "--method", "svd",
                                             "--rank", "2", "--match", "*.attn.*", "--dry-run"}};
  Trial trial = {choices.of(kVerbs)};
  if (trial.words[0] == "eval" && keeps) trial.judge = has_loss(corpus.loss());
  return trial;
}

// The header of a safetensors file, whole or as text.
Trial safetensors(const Corpus& corpus, const Path& here, Choices& choices) {
  std::filesystem::copy(corpus.root() / "model", here / "model");
  const std::string good = read(corpus.root() / "model/model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  std::string header = good.substr(8, length);
  bool keeps = true;
  if (choices.one_in(3)) {
    std::string all = good.substr(0, 8 + length);
    all = damaged(all, choices) + good.substr(8 + length);
    write(here / "model/model.safetensors", all);
    keeps = false;  // letters of a name may have changed places
  } else {
    header = changed(Json::parse(header), choices).text;
    const std::uint64_t now = header.size();
    std::string all(reinterpret_cast<const char*>(&now), 8);
    write(here / "model/model.safetensors", all + header + good.substr(8 + length));
  }
  Trial trial = {choices.one_in(3) ? Words{"inspect", "model/model.safetensors"}
                                   : Words{"eval", "model", "--tokens", "1 2 3 4 5", "--json"}};
  if (trial.words[0] == "eval" && keeps) trial.judge = has_loss(corpus.loss());
  return trial;
}

// An index of several files.
Trial index_json(const Corpus& corpus, const Path& here, Choices& choices) {
  std::filesystem::copy(corpus.root() / "model", here / "model");
  std::filesystem::rename(here / "model/model.safetensors", here / "model/part.safetensors");
  const std::string good = read(here / "model/part.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  Json map = Json::object();
  const Json header = Json::parse(good.substr(8, length));
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") map[name] = "part.safetensors";
  }
  const Json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
  write(here / "model/model.safetensors.index.json", changed(index, choices).text);
  return {{"eval", "model", "--tokens", "1 2 3 4 5", "--json"}, has_loss(corpus.loss())};
}

// What is done with the tokenizer of a trial.
Trial tokenizer_trial(const Path& here, Choices& choices) {
  write(here / "text.txt", "the river <|endoftext|> [SEP] r\xc3\xbbns \xff");
  return {choices.one_in(2)
              ? Words{"inspect", "tokenizer"}
              : Words{"data", "tokenize", "text.txt", "x.bin", "--tokenizer", "tokenizer"}};
}

Trial tokenizer_json(const Corpus& corpus, const Path& here, Choices& choices) {
  const char* const good = choices.one_in(2) ? "run/tokenizer" : "pieces";
  std::filesystem::create_directory(here / "tokenizer");
  write(here / "tokenizer/tokenizer.json",
        changed(Json::parse(read(corpus.root() / good / "tokenizer.json")), choices).text);
  return tokenizer_trial(here, choices);
}

// vocab.txt with a damaged configuration, or a damaged vocab.txt.
Trial vocab_txt(const Corpus& corpus, const Path& here, Choices& choices) {
  static const Json kConfig = {{"do_lower_case", true},
                               {"strip_accents", nullptr},
                               {"tokenize_chinese_chars", false},
                               {"cls_token", "[CLS]"},
                               {"mask_token", {{"content", "[MASK]"}, {"lstrip", true}}}};
  const std::string lines = read(corpus.root() / "pieces/vocab.txt");
  const bool damages_lines = choices.one_in(2);
  std::filesystem::create_directory(here / "tokenizer");
  write(here / "tokenizer/vocab.txt", damages_lines ? damaged(lines, choices) : lines);
  write(here / "tokenizer/tokenizer_config.json",
        damages_lines ? kConfig.dump() : changed(kConfig, choices).text);
  return tokenizer_trial(here, choices);
}

Trial token_file(const Corpus& corpus, const Path& here, Choices& choices) {
  std::string bytes = read(corpus.root() / "text.bin");
  if (choices.one_in(2)) {
    const std::size_t word = 4 * choices.below(16);  // of the header
    const Json value = nasty_value(choices);
    const auto number = value.is_number_integer() ? value.get<std::int32_t>()
                                                  : static_cast<std::int32_t>(choices.word());
    std::memcpy(bytes.data() + word, &number, 4);
  } else {
    bytes = damaged(bytes, choices);
  }
  write(here / "x.bin", bytes);
  const std::string model = (corpus.root() / "model").string();
  if (choices.one_in(3)) return {{"inspect", "x.bin"}};
  return {{"eval", model, "x.bin", "--json"}, has_loss(corpus.file_loss())};
}

Trial text_file(const Corpus& corpus, const Path& here, Choices& choices) {
  static const std::vector<std::string> kNames = {"a.txt", "a.jsonl", "a.tsv",
                                                  "a",     "a.JSONL", "a.csv"};
  static const std::vector<std::string> kBeginnings = {"",
                                                       "\xff\xfe",
                                                       "\xfe\xff",
                                                       "\xef\xbb\xbf",
                                                       "\x1f\x8b",
                                                       "PK\x03\x04",
                                                       "{\"text\": \"",
                                                       "a\tb\n",
                                                       "{\"text\": \"good\", \"other\": NaN}\n"};
  std::string text = choices.of(kBeginnings);
  const std::size_t size = choices.below(3000);
  const bool letters = choices.one_in(2);
  for (std::size_t i = 0; i < size; ++i) {
    text +=
        letters ? "ab \t\n\"{}:,'\xc3\xa4"[choices.below(14)] : static_cast<char>(choices.word());
  }
  const std::string name = choices.of(kNames);
  write(here / name, text);
  static const std::vector<std::string> kKinds = {"bytes", "chars", "bpe", "wordpiece"};
  const std::string kind = choices.of(kKinds);
  static_cast<void>(corpus);
  Words words = {"data", "tokenize", name, "x.bin", "--kind", kind, "--json"};
  if (kind == "bpe" || kind == "wordpiece") words.insert(words.end() - 1, {"--vocab", "280"});
  // Bytes of a plain text are its ids, unless a mark told that it is to be converted.
  const bool plain =
      kind == "bytes" && (name == "a.txt" || name == "a") && text.find('\0') == text.npos;
  const bool marked = text.starts_with("\xef\xbb\xbf") || text.starts_with("\xff\xfe") ||
                      text.starts_with("\xfe\xff");
  if (!plain || marked) return {words};
  return {words, [size = text.size()](const Outcome& outcome) -> std::string {
            const auto tokens = Json::parse(outcome.out)["tokens"].get<std::size_t>();
            return tokens == size ? "" : fmt::format("{} ids of {} bytes", tokens, size);
          }};
}

Trial job_file(const Corpus& corpus, const Path& here, Choices& choices) {
  static const Json kJob = {
      {"run", {{"name", "x"}, {"dir", "run"}, {"seed", 1}, {"steps", 10}, {"device", "cpu"}}},
      {"model",
       {{"layers", 2},
        {"width", 16},
        {"heads", 2},
        {"context", 16},
        {"inner", 64},
        {"vocab", 300},
        {"dropout", 0.1},
        {"tied", true}}},
      {"linear",
       {{{"match", "*"}, {"kind", "dense"}},
        {{"match", "blocks.*.mlp.up"},
         {"kind", "ttm"},
         {"rank", 3},
         {"in", {4, 4}},
         {"out", {8, 8}}}}},
      {"tokenizer", {{"kind", "bpe"}, {"vocab", 300}}},
      {"data", {{"train", "text.txt"}, {"sequence", 8}, {"batch", 4}}},
      {"optim", {{"lr", 0.001}, {"betas", {0.9, 0.95}}, {"clip", 1.0}, {"no_decay", {"*.bias"}}}},
      {"schedule", {{"name", "cosine"}, {"warmup", 2}, {"min_lr", 1e-5}}},
      {"parallel", {{"data", 1}, {"microbatches", 2}, {"zero", 1}}},
      {"checkpoint", {{"every", 5}, {"keep", 2}}}};
  std::filesystem::copy(corpus.root() / "text.txt", here / "text.txt");
  const std::string text = changed(kJob, choices).text;
  // A section in each line, after the first one.
  const Json job = Json::parse(text, nullptr, false);
  std::string yaml = "schema: 1\n";
  for (const auto& [key, section] : job.items()) yaml += key + ": " + section.dump() + "\n";
  write(here / "job.yaml", job.is_object() ? yaml : text);
  static const std::vector<Words> kVerbs = {{"config", "check", "job.yaml"},
                                            {"config", "show", "job.yaml"},
                                            {"plan", "job.yaml", "--json"}};
  return {choices.of(kVerbs)};
}

// A verb that works, and options of its own that may be given nonsense.
struct CommandLine {
  Words words;
  std::vector<std::string> options;
};

Trial command_line(const Corpus& corpus, const Path&, Choices& choices) {
  const std::string model = (corpus.root() / "model").string();
  const std::string ids = (corpus.root() / "text.bin").string();
  const std::string job = (corpus.root() / "job.yaml").string();
  const std::vector<CommandLine> lines = {
      {{"eval", model, ids}, {"--sequence", "--batch", "--tokens", "--logits", "--gradients"}},
      {{"eval", model, "--tokens", "1 2 3"}, {"--logits", "--gradients", "--sequence", "--tokens"}},
      {{"generate", model, "the", "--tokens", "2"},
       {"--tokens", "--seed", "--temperature", "--top-k", "--top-p", "--greedy"}},
      {{"plan", job}, {"--ranks", "-n", "run.steps", "model.layers", "data.batch"}},
      {{"config", "check", job}, {"model.width", "optim.lr", "model.vocab", "parallel.data"}},
      {{"config", "show", job}, {"--origin", "data.sequence", "model.context", "optim.betas"}},
      {{"inspect", ids}, {"--tokenizer", "--text-key", "--column"}},
      {{"compress", model, "out", "--method", "svd", "--dry-run", "--match", "*.attn.*"},
       {"--rank", "--keep", "--error", "--cores", "--in", "--out", "--match", "--method"}},
      {{"bench", "linear", "--in", "8", "--out", "8", "--tokens", "4", "--steps", "1"},
       {"--rank", "--svd-rank", "--microbatches", "--warmup", "--in", "--out", "--preset"}}};
  static const std::vector<std::string> kValues = {"0",
                                                   "-1",
                                                   "1",
                                                   "2",
                                                   "nan",
                                                   "inf",
                                                   "-inf",
                                                   "1e9",
                                                   "1e308",
                                                   "9223372036854775807",
                                                   "1.5",
                                                   "",
                                                   " ",
                                                   "abc",
                                                   "1,2",
                                                   ",",
                                                   "50%",
                                                   "101%",
                                                   "-5%",
                                                   "18446744073709551616",
                                                   "0x10",
                                                   "-5",
                                                   "/nonexistent",
                                                   "/dev/null",
                                                   "\n",
                                                   "\xff\xfe",
                                                   "-9223372036854775808"};
  static const std::vector<std::string> kStrays = {
      "--what", "--", "-", "--help", "word", "x=", "=x", "..", "", "--json", "--strict"};
  const CommandLine& line = choices.of(lines);
  Words words = line.words;
  for (std::size_t more = 1 + choices.below(2); more > 0; --more) {
    if (choices.one_in(5)) {
      words.push_back(choices.of(kStrays));
      continue;
    }
    const std::string& option = choices.of(line.options);
    const std::string& value = choices.of(kValues);
    const bool is_key = !option.starts_with('-');
    words.push_back(is_key ? option + "=" + value : option);
    if (!is_key && !choices.one_in(10)) words.push_back(value);
  }
  return {words};
}

constexpr Kind kKinds[] = {{"config.json", 1000, config_json},
                           {"safetensors", 800, safetensors},
                           {"index.json", 300, index_json},
                           {"tokenizer.json", 900, tokenizer_json},
                           {"vocab.txt", 400, vocab_txt},
                           {"token_file", 400, token_file},
                           {"text", 600, text_file},
                           {"job", 900, job_file},
                           {"command_line", 1500, command_line}};

}  // namespace

std::span<const Kind> kinds() { return kKinds; }

}  // namespace ty::test
