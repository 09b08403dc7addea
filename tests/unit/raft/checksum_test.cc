// Unit tests of raft/checksum.h: whatever is appended, cut and discarded, it is
// the checksum of all entries that the log has had since its begin.

#include "raft/checksum.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/rope.h"
#include "gtest/gtest.h"
#include "raft/entries.h"

namespace raft {
namespace {

// What an entry is when it is packed.
struct Packed {
  Packed(Term term, std::string command_bytes) : command(command_bytes) {
    const auto bytes = Entries::PackHeader(term, command);
    header.assign(bytes.begin(), bytes.end());
  }
  std::string header;
  std::string command;
};

Checksum ChecksumOf(const std::vector<Packed>& entries) {
  Checksum checksum = 0;
  for (const Packed& entry : entries) {
    checksum = Extend(Extend(checksum, entry.header), entry.command);
  }
  return checksum;
}

// A log, of which some entries are discarded, and its checksum.
struct Log {
  void Append(const Packed& entry) {
    checksum.Append(entry.header, entry.command);
    left.push_back(entry);
  }
  void Truncate(size_t count) {
    left.erase(left.end() - static_cast<std::ptrdiff_t>(count), left.end());
    checksum.Truncate(Rope());
  }
  void DropFront(size_t count) {
    const auto end = left.begin() + static_cast<std::ptrdiff_t>(count);
    size_t bytes = 0;
    for (auto entry = left.begin(); entry != end; ++entry) {
      bytes += entry->header.size() + entry->command.size();
    }
    checksum.DropFront(Rope(), bytes);
    discarded.insert(discarded.end(), left.begin(), end);
    left.erase(left.begin(), end);
  }
  base::Rope Rope() const {
    base::Rope rope;
    for (const Packed& entry : left) rope.Append(entry.header, entry.command);
    return rope;
  }
  void ExpectRight() const {
    EXPECT_EQ(checksum.before(), ChecksumOf(discarded));
    std::vector<Packed> all = discarded;
    all.insert(all.end(), left.begin(), left.end());
    EXPECT_EQ(checksum.value(), ChecksumOf(all));
  }

  std::vector<Packed> discarded;
  std::vector<Packed> left;
  LogChecksum checksum;
};

TEST(LogChecksum, PackedEntriesAreAsThoseGivenOneByOne) {
  Log log;
  for (const char* const command : {"a", "", "bc"}) log.Append({3, command});
  LogChecksum packed;
  EXPECT_EQ(packed.AppendPacked(log.Rope().ToString()), 3u);
  EXPECT_EQ(packed.value(), log.checksum.value());
  EXPECT_EQ(packed.before(), 0u);
}

TEST(LogChecksum, GoesOnAfterThatOfWhatWasDiscarded) {
  LogChecksum checksum(7);
  EXPECT_EQ(checksum.before(), 7u);
  EXPECT_EQ(checksum.value(), 7u);
  checksum.Append("header", "command");
  EXPECT_EQ(checksum.value(), Extend(Extend(7, "header"), "command"));
}

// What is cut and what is discarded reach over many marks, which are 64 KB from
// each other.
TEST(LogChecksum, IsRightWhateverIsCutAndDiscarded) {
  base::Random random(11);
  for (int run = 0; run < 20; ++run) {
    Log log;
    for (int step = 0; step < 40; ++step) {
      const auto more = static_cast<int>(random.Below(6));
      for (int i = 0; i < more; ++i) {
        log.Append({random.Below(9) + 1,
                    std::string(random.Below(60'000),
                                static_cast<char>('a' + random.Below(26)))});
      }
      const size_t some = random.Below(log.left.size() + 1);
      if (random.Below(4) == 0) log.Truncate(some);
      if (random.Below(8) == 0) log.DropFront(std::min(some, log.left.size()));
      log.ExpectRight();
    }
  }
}

}  // namespace
}  // namespace raft
