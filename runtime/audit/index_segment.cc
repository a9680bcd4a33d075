#include "runtime/audit/index_segment.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "runtime/audit/entry_reader.h"

namespace nacre::audit {
namespace {

// The file: header, a directory of the blocks, the blocks. Numbers are little-endian, 64 bits.
//   header     magic, level, number, times, places, root, digest of the directory, code of all before it
//   directory  for each block its first word and its digest
//   blocks     2,048 words each: two for each bundle's times, from a new block on the places
constexpr std::string_view kMagic = "nacreix1";
constexpr size_t kHeaderBytes = 8 + 4 * 8 + 3 * 32;
constexpr size_t kBlockWords = 2048;
constexpr size_t kBlockBytes = kBlockWords * 8;
constexpr size_t kEntryBytes = 8 + 32;
constexpr int kPlaceBits = 24;
constexpr uint64_t kPlaceMask = (uint64_t{1} << kPlaceBits) - 1;
// More would be more than kBundleTermsMax of each bundle.
constexpr uint64_t kPlacesMax = kBundleTermsMax << (4 * kSegmentLevels);

void AppendWord(uint64_t word, std::string* out) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(word >> (8 * i));
  }
  out->append(bytes, sizeof bytes);
}

uint64_t WordAt(std::string_view bytes, size_t offset) {
  uint64_t word = 0;
  for (int i = 7; i >= 0; --i) {
    word = word << 8 | static_cast<uint8_t>(bytes[offset + static_cast<size_t>(i)]);
  }
  return word;
}

void AppendDigest(const Sha256Digest& digest, std::string* out) {
  out->append(digest.begin(), digest.end());
}

Sha256Digest Code(const std::string& secret, std::string_view bytes) {
  Sha256Digest code{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), code.data(),
           &size) == nullptr ||
      size != code.size()) {
    std::abort();
  }
  return code;
}

size_t BlocksOf(uint64_t words) {
  return static_cast<size_t>((words + kBlockWords - 1) / kBlockWords);
}

void AppendBlocks(const std::vector<uint64_t>& words, std::string* directory, std::string* body) {
  for (size_t begin = 0; begin < words.size(); begin += kBlockWords) {
    std::string block;
    block.reserve(kBlockBytes);
    for (size_t i = begin; i < std::min(begin + kBlockWords, words.size()); ++i) {
      AppendWord(words[i], &block);
    }
    block.resize(kBlockBytes);
    AppendWord(words[begin], directory);
    AppendDigest(Sha256(block), directory);
    *body += block;
  }
}

}  // namespace

uint64_t TimeDigits(std::string_view time) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
  if (time.size() != kForm.size()) {
    return 0;
  }
  uint64_t digits = 0;
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != '0') {
      if (time[i] != kForm[i]) {
        return 0;
      }
    } else if (time[i] < '0' || time[i] > '9') {
      return 0;
    } else {
      digits = digits * 10 + static_cast<uint64_t>(time[i] - '0');
    }
  }
  return digits;
}

SegmentContent Join(const std::vector<SegmentContent>& parts, int level_of_parts) {
  SegmentContent all;
  size_t count = 0;
  for (const SegmentContent& part : parts) {
    count += part.places.size();
  }
  all.places.reserve(count);
  uint64_t first = 0;
  for (const SegmentContent& part : parts) {
    all.times.insert(all.times.end(), part.times.begin(), part.times.end());
    for (const uint64_t place : part.places) {
      all.places.push_back(place + first);
    }
    first += SegmentBundles(level_of_parts);
  }
  std::sort(all.places.begin(), all.places.end());
  return all;
}

Status IndexSegment::Write(const std::string& directory, const SegmentName& name,
                           const Secret& secret, const Sha256Digest& root,
                           const SegmentContent& content) {
  std::vector<uint64_t> times;
  for (const TimeRange& range : content.times) {
    times.push_back(range.first);
    times.push_back(range.last);
  }
  std::string blocks;
  std::string body;
  AppendBlocks(times, &blocks, &body);
  AppendBlocks(content.places, &blocks, &body);
  std::string file(kMagic);
  AppendWord(static_cast<uint64_t>(name.level), &file);
  AppendWord(name.number, &file);
  AppendWord(content.times.size(), &file);
  AppendWord(content.places.size(), &file);
  AppendDigest(root, &file);
  AppendDigest(Sha256(blocks), &file);
  AppendDigest(Code(secret, file), &file);
  return WriteFileAtomically(directory + "/" + name.File(), file + blocks + body);
}

Result<IndexSegment> IndexSegment::Open(const std::string& directory, const SegmentName& name,
                                        const Secret& secret, const Sha256Digest& root) {
  const std::string path = directory + "/" + name.File();
  UniqueFd file = NACRE_TRY(OpenForReading(path));
  IndexSegment segment(std::move(file), path, name);
  const std::string header = NACRE_TRY(ReadAt(segment.file_.get(), 0, kHeaderBytes));
  const Error damaged{ErrorCode::kDataLoss, path + ": it is not as it was written"};
  if (header.size() != kHeaderBytes || !header.starts_with(kMagic)) {
    return damaged;
  }
  const std::string_view coded = std::string_view(header).substr(0, kHeaderBytes - 32);
  const Sha256Digest code = Code(secret, coded);
  if (!std::equal(code.begin(), code.end(), header.end() - 32,
                  [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    return damaged;
  }
  // What is read from here on is what this program wrote.
  segment.words_ = WordAt(header, 32);
  if (WordAt(header, 8) != static_cast<uint64_t>(name.level) || WordAt(header, 16) != name.number ||
      WordAt(header, 24) != SegmentBundles(name.level) || segment.words_ > kPlacesMax) {
    return Error{ErrorCode::kDataLoss, path + ": it is another file of the index"};
  }
  if (!std::equal(root.begin(), root.end(), header.begin() + 40,
                  [](uint8_t a, char b) { return a == static_cast<uint8_t>(b); })) {
    return Error{ErrorCode::kDataLoss, path + ": it is of other records"};
  }
  segment.time_blocks_ = BlocksOf(2 * SegmentBundles(name.level));
  const size_t count = segment.time_blocks_ + BlocksOf(segment.words_);
  const std::string blocks =
      NACRE_TRY(ReadAt(segment.file_.get(), kHeaderBytes, count * kEntryBytes));
  std::string digest;
  AppendDigest(Sha256(blocks), &digest);
  if (blocks.size() != count * kEntryBytes || header.compare(72, 32, digest) != 0) {
    return damaged;
  }
  segment.blocks_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    segment.blocks_[i].first = WordAt(blocks, i * kEntryBytes);
    std::memcpy(segment.blocks_[i].digest.data(), blocks.data() + i * kEntryBytes + 8, 32);
  }
  return segment;
}

Result<std::vector<uint64_t>> IndexSegment::ReadBlock(size_t number) const {
  const std::string block = NACRE_TRY(
      ReadAt(file_.get(), kHeaderBytes + blocks_.size() * kEntryBytes + number * kBlockBytes,
             kBlockBytes));
  if (block.size() != kBlockBytes || Sha256(block) != blocks_[number].digest) {
    return Error{ErrorCode::kDataLoss, path_ + ": it is not as it was written"};
  }
  const bool times = number < time_blocks_;
  const uint64_t before = (times ? number : number - time_blocks_) * kBlockWords;
  const uint64_t all = times ? 2 * SegmentBundles(name_.level) : words_;
  std::vector<uint64_t> words(static_cast<size_t>(std::min<uint64_t>(kBlockWords, all - before)));
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = WordAt(block, i * 8);
  }
  return words;
}

Result<std::vector<uint32_t>> IndexSegment::PlacesOf(Term term) const {
  const uint64_t begin = term << kPlaceBits;
  const uint64_t end = begin | kPlaceMask;
  std::vector<uint32_t> places;
  // The last block that begins at or before the first such word could have it.
  const auto after =
      std::upper_bound(blocks_.begin() + static_cast<std::ptrdiff_t>(time_blocks_), blocks_.end(),
                       begin, [](uint64_t word, const Block& block) { return word < block.first; });
  auto number = static_cast<size_t>(after - blocks_.begin());
  number = std::max(number, time_blocks_ + 1) - 1;
  for (; number < blocks_.size() && blocks_[number].first <= end; ++number) {
    const std::vector<uint64_t> words = NACRE_TRY(ReadBlock(number));
    for (auto word = std::lower_bound(words.begin(), words.end(), begin);
         word != words.end() && *word <= end; ++word) {
      places.push_back(static_cast<uint32_t>(*word & kPlaceMask));
    }
  }
  return places;
}

Result<std::vector<uint32_t>> IndexSegment::Candidates(const std::vector<Term>& terms) const {
  std::vector<uint32_t> found;
  if (terms.empty()) {
    found.resize(SegmentBundles(name_.level));
    for (uint32_t place = 0; place < found.size(); ++place) {
      found[place] = place;
    }
    return found;
  }
  for (size_t i = 0; i < terms.size() && (i == 0 || !found.empty()); ++i) {
    std::vector<uint32_t> places = NACRE_TRY(PlacesOf(terms[i]));
    if (i > 0) {
      std::vector<uint32_t> both;
      std::set_intersection(found.begin(), found.end(), places.begin(), places.end(),
                            std::back_inserter(both));
      places = std::move(both);
    }
    found = std::move(places);
  }
  const std::vector<uint32_t> always = NACRE_TRY(PlacesOf(0));
  std::vector<uint32_t> all;
  std::set_union(found.begin(), found.end(), always.begin(), always.end(), std::back_inserter(all));
  return all;
}

Result<std::vector<TimeRange>> IndexSegment::Times() const {
  std::vector<TimeRange> times;
  for (size_t number = 0; number < time_blocks_; ++number) {
    const std::vector<uint64_t> words = NACRE_TRY(ReadBlock(number));
    for (size_t i = 0; i + 1 < words.size(); i += 2) {
      times.push_back({words[i], words[i + 1]});
    }
  }
  return times;
}

Result<SegmentContent> IndexSegment::Content() const {
  SegmentContent content;
  content.times = NACRE_TRY(Times());
  for (size_t number = time_blocks_; number < blocks_.size(); ++number) {
    const std::vector<uint64_t> words = NACRE_TRY(ReadBlock(number));
    content.places.insert(content.places.end(), words.begin(), words.end());
  }
  return content;
}

}  // namespace nacre::audit
