#include "raft/saved_state.h"

#include <string>

#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

std::string SavedBy(const RaftFixture& f) {
  return f.disk->ReadRaftState().ToString();
}

TEST(SavedState, IsWhatARaftSaved) {
  RaftFixture f;
  f.Append(3, 0, 0, {{2, "a"}, {3, "b"}});
  EXPECT_TRUE(f.AskVote(4, /*candidate=*/1, 2, 3).vote_granted);
  const auto saved = DecodeSavedState(SavedBy(f));
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->current_term, 4u);
  EXPECT_EQ(saved->voted_for, 1);
  EXPECT_EQ(saved->last_included_index, 0u);
  EXPECT_EQ(saved->entries, (Entries{{2, "a"}, {3, "b"}}));
}

TEST(SavedState, NothingIsANewServer) {
  const auto saved = DecodeSavedState("");
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
  ASSERT_TRUE(DecodeSavedState(bytes).ok());
  for (size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSavedState(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(SavedState, EveryOtherBitIsAnError) {
  std::string bytes = SomeState();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const auto flip = static_cast<char>(1 << bit % 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
    EXPECT_FALSE(DecodeSavedState(bytes).ok()) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
  }
}

TEST(SavedState, ExcessBytesAreAnError) {
  const std::string bytes = SomeState();
  EXPECT_FALSE(DecodeSavedState(bytes + '\0').ok());
  const auto header = Entries::PackHeader(3, "y");
  EXPECT_FALSE(
      DecodeSavedState(bytes + std::string(header.data(), header.size()) + "y")
          .ok());
}

// As states were saved before they had a seal; their first bytes are the term.
TEST(SavedState, AnotherFormatIsAnErrorThatSaysSo) {
  const auto saved =
      DecodeSavedState(rpc::Encode(SavedHeader{.current_term = 7}));
  EXPECT_EQ(saved.status().message(), "it does not begin with 'RFT3'");
}

// The checksum is kept while the log grows and is cut; it must be that of the
// log as it is.
TEST(SavedState, IsWholeHoweverTheLogCameToBe) {
  const std::string large(100'000, 'x');  // more than between two marks
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "a"}, {1, large}, {1, "c"}, {1, large}, {1, "e"}});
  EXPECT_TRUE(DecodeSavedState(SavedBy(f)).ok());
  for (Term term = 2; term <= 5; ++term) {
    const Index prev = 6 - term;  // from the end back to the first entry
    EXPECT_TRUE(
        f.Append(term, prev, 1, {{term, "new"}, {term, large}}).success);
    const auto saved = DecodeSavedState(SavedBy(f));
    ASSERT_TRUE(saved.ok()) << term << ": " << saved.status();
    EXPECT_EQ(saved->entries.size(), prev + 2);
  }
  f.Elect();
  f.raft->Start("by itself");
  EXPECT_TRUE(DecodeSavedState(SavedBy(f)).ok());
  EXPECT_EQ(f.Restart()->Terms(), f.Terms());
}

// Enough of them for marks between, each far shorter than its header.
TEST(SavedState, IsWholeWhenManyShortEntriesAreCut) {
  RaftFixture f;
  Entries entries;
  for (int i = 0; i < 20'000; ++i) entries.Append(1, "x");
  f.Append(1, 0, 0, entries);
  EXPECT_TRUE(f.Append(2, 15'000, 1, {{2, "new"}}).success);
  EXPECT_TRUE(DecodeSavedState(SavedBy(f)).ok());
}

}  // namespace
}  // namespace raft
