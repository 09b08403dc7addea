// Unit tests of persister/persister.h.

#include "persister/persister.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/rope.h"
#include "gtest/gtest.h"

namespace persister {
namespace {

using base::Rope;

TEST(Persister, IsEmptyAtFirst) {
  const Persister disk;
  EXPECT_TRUE(disk.ReadRaftState().empty());
  EXPECT_TRUE(disk.ReadSnapshot().empty());
  EXPECT_EQ(disk.RaftStateSize(), 0u);
  EXPECT_EQ(disk.SnapshotSize(), 0u);
}

TEST(Persister, SaveReplacesBothValues) {
  Persister disk;
  disk.Save(Rope("an old state"), Rope("an old snapshot"));
  disk.Save(Rope("state"), Rope("snapshot"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));
  EXPECT_EQ(disk.ReadSnapshot(), Rope("snapshot"));
  EXPECT_EQ(disk.RaftStateSize(), 5u);
  EXPECT_EQ(disk.SnapshotSize(), 8u);
}

TEST(Persister, SaveRaftStateKeepsTheSnapshot) {
  Persister disk;
  disk.Save(Rope("old"), Rope("snapshot"));
  disk.SaveRaftState(Rope("new"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("new"));
  EXPECT_EQ(disk.ReadSnapshot(), Rope("snapshot"));
}

TEST(Persister, CopyHasBothValuesAndIsIndependent) {
  Persister disk;
  disk.Save(Rope("state"), Rope("snapshot"));
  const std::shared_ptr<Persister> copy = disk.Copy();

  disk.Save(Rope("late write"), Rope("of the old instance"));
  EXPECT_EQ(copy->ReadRaftState(), Rope("state"));
  EXPECT_EQ(copy->ReadSnapshot(), Rope("snapshot"));

  copy->SaveRaftState(Rope("write of the new instance"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("late write"));
}

// What the caller goes on doing with its buffer never reaches the disk.
TEST(Persister, StoresValuesNotReferences) {
  Persister disk;
  Rope state("state");
  disk.SaveRaftState(state);
  state.Truncate(2);
  state.Append("rangled");
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));

  Rope read = disk.ReadRaftState();
  read.Append(" and more");
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));
}

TEST(Persister, TheObserverSeesEverySaveOfItsDiskAlone) {
  Persister disk;
  std::vector<std::string> seen;
  disk.SetObserver(
      [&seen](const Rope& state) { seen.push_back(state.ToString()); });
  disk.SaveRaftState(Rope("a"));
  disk.Save(Rope("b"), Rope("snapshot"));
  disk.Copy()->SaveRaftState(Rope("of the copy"));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b"}));
}

// A reader sees the two values of one Save, never a mixture.
TEST(Persister, CopyIsTakenAtOneMoment) {
  Persister disk;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      const Rope value(std::to_string(i));
      disk.Save(value, value);
    }
    done = true;
  });
  while (!done) {
    const std::shared_ptr<Persister> copy = disk.Copy();
    EXPECT_EQ(copy->ReadRaftState(), copy->ReadSnapshot());
  }
  writer.join();
}

}  // namespace
}  // namespace persister
