#include "raft/saved_state.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/unit/raft/raft_fixture.h"

namespace raft {
namespace {

TEST(SavedState, IsWhatARaftSaved) {
  RaftFixture f;
  f.Append(3, 0, 0, {{2, "a"}, {3, "b"}});
  EXPECT_TRUE(f.AskVote(4, /*candidate=*/1, 2, 3).vote_granted);
  const auto saved = DecodeSavedState(f.disk->ReadRaftState().ToString());
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

TEST(SavedState, DamagedBytesAreAnError) {
  RaftFixture f;
  f.Append(1, 0, 0, {{1, "abc"}});
  const std::string bytes = f.disk->ReadRaftState().ToString();
  for (size_t size = 1; size < bytes.size(); ++size) {
    const bool whole = DecodeSavedState(bytes.substr(0, size)).ok();
    // With the header alone it is a log without entries.
    EXPECT_EQ(whole, size == bytes.size() - Entries::kHeaderBytes - 3) << size;
  }
}

}  // namespace
}  // namespace raft
