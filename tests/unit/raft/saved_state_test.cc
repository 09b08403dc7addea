#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "raft/checksum.h"
#include "raft/saved_state_reader.h"
#include "rpc/codec.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

absl::StatusOr<SavedState> Read(const base::Rope& bytes) {
  return SavedStateReader().Read(bytes);
}

std::string SavedBy(const RaftFixture& f) {
  return f.disk->ReadRaftState().ToString();
}

TEST(SavedState, IsWhatARaftSaved) {
  RaftFixture f;
  f.Append(3, 0, 0, {{2, "a"}, {3, "b"}});
  EXPECT_TRUE(f.AskVote(4, /*candidate=*/1, 2, 3).vote_granted);
  const auto saved = Read(SavedBy(f));
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->current_term, 4u);
  EXPECT_EQ(saved->voted_for, 1);
  EXPECT_EQ(saved->last_included_index, 0u);
  EXPECT_EQ(saved->entries, (Entries{{2, "a"}, {3, "b"}}));
}

TEST(SavedState, NothingIsANewServer) {
  const auto saved = Read("");
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ(saved->current_term, 0u);
  EXPECT_EQ(saved->voted_for, kNobody);
  EXPECT_TRUE(saved->entries.empty());
}

// A state with a vote and entries of several lengths.
std::string SomeState() {
  RaftFixture f;
  f.Append(3, 0, 0, {{1, ""}, {2, "abc"}, {3, std::string(300, 'x')}});
  f.AskVote(4, /*candidate=*/1, 3, 3);
  return SavedBy(f);
}

TEST(SavedState, WhatIsCutShortIsAnError) {
  const std::string bytes = SomeState();
  ASSERT_TRUE(Read(bytes).ok());
  for (size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(Read(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(SavedState, EveryOtherBitIsAnError) {
  std::string bytes = SomeState();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flip = static_cast<char>(1 << bit % 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
    EXPECT_FALSE(Read(bytes).ok()) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
  }
}

TEST(SavedState, ExcessBytesAreAnError) {
  const std::string bytes = SomeState();
  EXPECT_FALSE(Read(bytes + '\0').ok());
  const auto header = Entries::PackHeader(3, "y");
  EXPECT_FALSE(
      Read(bytes + std::string(header.data(), header.size()) + "y").ok());
}

// As states were saved before they had a seal; their first bytes are the term.
TEST(SavedState, AnotherFormatIsAnErrorThatSaysSo) {
  const auto saved = Read(rpc::Encode(SavedHeader{.current_term = 7}));
  EXPECT_EQ(saved.status().message(), "it does not begin with 'RFT3'");
}

// The checksum is kept while the log grows and is cut; it must be that of the
// log as it is.
TEST(SavedState, IsWholeHoweverTheLogCameToBe) {
  const std::string large(100'000, 'x');  // more than between two marks
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, large}, {1, "c"}, {1, large}, {1, "e"}});
  EXPECT_TRUE(Read(SavedBy(f)).ok());
  for (Term term = 2; term <= 5; ++term) {
    const Index prev = 6 - term;  // from the end back to the first entry
    EXPECT_TRUE(
        f.Append(term, prev, 1, {{term, "new"}, {term, large}}).success);
    const auto saved = Read(SavedBy(f));
    ASSERT_TRUE(saved.ok()) << term << ": " << saved.status();
    EXPECT_EQ(saved->entries.size(), prev + 2);
  }
  f.Elect();
  f.raft->Start("by itself");
  EXPECT_TRUE(Read(SavedBy(f)).ok());
  EXPECT_EQ(f.Restart()->Terms(), f.Terms());
}

// Enough of them for marks between, each far shorter than its header.
TEST(SavedState, IsWholeWhenManyShortEntriesAreCut) {
  RaftFixture f;
  Entries entries;
  for (int i = 0; i < 20'000; ++i) entries.Append(1, "x");
  f.Append(1, 0, 0, entries);
  EXPECT_TRUE(f.Append(2, 15'000, 1, {{2, "new"}}).success);
  EXPECT_TRUE(Read(SavedBy(f)).ok());
}

// What a reader makes of the states that a Raft saves one after the other.
struct Follower {
  RaftFixture f;
  SavedStateReader reader;

  SavedState Next() {
    const auto saved = reader.Read(f.disk->ReadRaftState());
    EXPECT_TRUE(saved.ok()) << saved.status();
    return saved.value_or(SavedState());
  }
};

TEST(SavedState, OnlyWhatIsNewIsReadAgain) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}, {1, "b"}});
  SavedState saved = it.Next();
  EXPECT_EQ(saved.kept, 0u);
  EXPECT_EQ(saved.entries, (Entries{{1, "a"}, {1, "b"}}));

  it.f.Append(1, 2, 1, {{1, "c"}});
  saved = it.Next();
  EXPECT_EQ(saved.kept, 2u);
  EXPECT_EQ(saved.entries, (Entries{{1, "c"}}));

  it.f.AskVote(4, /*candidate=*/1, 3, 3);
  saved = it.Next();
  EXPECT_EQ(saved.current_term, 4u);
  EXPECT_EQ(saved.kept, 3u);
  EXPECT_TRUE(saved.entries.empty());
}

TEST(SavedState, OnlyWhatIsNewIsReadAgainAfterASnapshotToo) {
  Follower it;
  it.f.raft->InstallSnapshot({.term = 1,
                              .leader_id = 1,
                              .last_included_index = 5,
                              .last_included_term = 1,
                              .offset = 0,
                              .data = "snapshot",
                              .done = true});
  it.f.Append(1, 5, 1, {{1, "a"}});
  EXPECT_EQ(it.Next().kept, 0u);
  it.f.Append(1, 6, 1, {{1, "b"}});
  const SavedState saved = it.Next();
  EXPECT_EQ(saved.kept, 1u);
  EXPECT_EQ(saved.entries, (Entries{{1, "b"}}));
}

TEST(SavedState, WhatTakesThePlaceOfOtherEntriesIsNew) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}, {1, "b"}, {1, "c"}});
  it.Next();
  it.f.Append(2, 1, 1, {{2, "b"}});
  const SavedState saved = it.Next();
  EXPECT_EQ(saved.kept, 1u);
  EXPECT_EQ(saved.entries, (Entries{{2, "b"}}));
}

TEST(SavedState, TheSameBytesInOtherMemoryAreReadAgain) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}});
  it.Next();
  const auto saved = it.reader.Read(SavedBy(it.f));
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ(saved->kept, 0u);
  EXPECT_EQ(saved->entries, (Entries{{1, "a"}}));
}

TEST(SavedState, AfterANewServersTheNextIsReadWhole) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}});
  it.Next();
  EXPECT_TRUE(it.reader.Read("").ok());
  EXPECT_EQ(it.Next().kept, 0u);
}

// The bytes of a state with that header and these entries.
base::Rope StateOf(const SavedHeader& header, base::Rope entries) {
  LogChecksum checksum(header.discarded);
  checksum.AppendPacked(entries.ToString());
  const std::string header_bytes = rpc::Encode(header);
  entries.Prepend(header_bytes);
  entries.Prepend(rpc::Encode(
      SavedSeal{.checksum = Extend(checksum.value(), header_bytes)}));
  return entries;
}

// Even if its entries lie where those before lay.
TEST(SavedState, WhatBeginsAfterAnotherSnapshotIsReadWhole) {
  const base::Rope entries = Entries{{1, "a"}}.bytes();
  const SavedHeader header = {
      .last_included_index = 5, .last_included_term = 1, .discarded = 7};
  SavedHeader other_index = header;
  other_index.last_included_index = 6;
  SavedHeader other_term = header;
  other_term.last_included_term = 2;
  SavedHeader other_entries = header;
  other_entries.discarded = 8;
  for (const SavedHeader& other : {other_index, other_term, other_entries}) {
    SavedStateReader reader;
    ASSERT_TRUE(reader.Read(StateOf(header, entries)).ok());
    EXPECT_EQ(reader.Read(StateOf(header, entries)).value().kept, 1u);
    EXPECT_EQ(reader.Read(StateOf(other, entries)).value().kept, 0u);
  }
}

TEST(SavedState, AfterAnErrorTheNextIsReadWhole) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}});
  it.Next();
  base::Rope damaged = it.f.disk->ReadRaftState();
  damaged.Append("x");
  EXPECT_FALSE(it.reader.Read(damaged).ok());
  EXPECT_EQ(it.Next().kept, 0u);
}

TEST(SavedState, WhatIsNewIsCheckedWithWhatWasKept) {
  Follower it;
  it.f.Append(1, 0, 0, {{1, "a"}});
  it.Next();
  base::Rope longer = it.f.disk->ReadRaftState();
  const auto header = Entries::PackHeader(1, "b");
  longer.Append(std::string_view(header.data(), header.size()), "b");
  EXPECT_EQ(it.reader.Read(longer).status().message(), "the checksum is wrong");
}

TEST(SavedState, WhatIsKeptAndWhatIsNewAreTheWholeLog) {
  base::Random random(7);
  Follower it;
  std::vector<std::pair<Term, std::string>> read;
  for (Term term = 1; term <= 300; ++term) {
    const std::vector<Term> terms = it.f.Terms();
    const Index prev =
        terms.size() - random.Below(std::min<uint64_t>(terms.size() + 1, 4));
    Entries entries;
    for (uint64_t i = random.Below(4); i > 0; --i) {
      entries.Append(term, std::string(random.Below(700), 'x'));
    }
    it.f.Append(term, prev, prev == 0 ? 0 : terms[prev - 1], entries);
    const SavedState saved = it.Next();
    ASSERT_LE(saved.kept, read.size());
    read.resize(saved.kept);
    for (const EntryView entry : saved.entries) {
      read.emplace_back(entry.term, entry.command);
    }
    const auto whole = Read(SavedBy(it.f));
    ASSERT_TRUE(whole.ok());
    ASSERT_EQ(read.size(), whole->entries.size());
    size_t i = 0;
    for (const EntryView entry : whole->entries) {
      EXPECT_EQ(entry.term, read[i].first);
      EXPECT_EQ(entry.command, read[i++].second);
    }
  }
}

}  // namespace
}  // namespace raft
