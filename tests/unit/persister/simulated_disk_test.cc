// Unit tests of persister/simulated_disk.h.

#include "persister/simulated_disk.h"

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

TEST(SimulatedDisk, IsEmptyAtFirst) {
  const SimulatedDisk disk;
  EXPECT_TRUE(disk.ReadRaftState().empty());
  EXPECT_TRUE(disk.ReadSnapshot().empty());
}

TEST(SimulatedDisk, SaveReplacesBothValues) {
  SimulatedDisk disk;
  disk.Save(Rope("an old state"), Rope("an old snapshot"));
  disk.Save(Rope("state"), Rope("snapshot"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));
  EXPECT_EQ(disk.ReadSnapshot(), Rope("snapshot"));
}

TEST(SimulatedDisk, SaveRaftStateKeepsTheSnapshot) {
  SimulatedDisk disk;
  disk.Save(Rope("old"), Rope("snapshot"));
  disk.SaveRaftState(Rope("new"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("new"));
  EXPECT_EQ(disk.ReadSnapshot(), Rope("snapshot"));
}

TEST(SimulatedDisk, CopyHasBothValuesAndIsIndependent) {
  SimulatedDisk disk;
  disk.Save(Rope("state"), Rope("snapshot"));
  const std::shared_ptr<SimulatedDisk> copy = disk.Copy();

  disk.Save(Rope("late write"), Rope("of the old instance"));
  EXPECT_EQ(copy->ReadRaftState(), Rope("state"));
  EXPECT_EQ(copy->ReadSnapshot(), Rope("snapshot"));

  copy->SaveRaftState(Rope("write of the new instance"));
  EXPECT_EQ(disk.ReadRaftState(), Rope("late write"));
}

// What the caller goes on doing with its buffer never reaches the disk.
TEST(SimulatedDisk, StoresValuesNotReferences) {
  SimulatedDisk disk;
  Rope state("state");
  disk.SaveRaftState(state);
  state.Truncate(2);
  state.Append("rangled");
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));

  Rope read = disk.ReadRaftState();
  read.Append(" and more");
  EXPECT_EQ(disk.ReadRaftState(), Rope("state"));
}

TEST(SimulatedDisk, TheObserverSeesEverySaveOfItsDiskAlone) {
  SimulatedDisk disk;
  std::vector<std::string> seen;
  disk.SetObserver([&seen](const Rope& state, const Rope* snapshot) {
    seen.push_back(state.ToString());
    if (snapshot != nullptr) seen.push_back(snapshot->ToString());
  });
  disk.SaveRaftState(Rope("a"));
  disk.Save(Rope("b"), Rope("snapshot"));
  disk.Copy()->SaveRaftState(Rope("of the copy"));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "snapshot"}));
}

// A reader sees the two values of one Save, never a mixture.
TEST(SimulatedDisk, CopyIsTakenAtOneMoment) {
  SimulatedDisk disk;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      const Rope value(std::to_string(i));
      disk.Save(value, value);
    }
    done = true;
  });
  while (!done) {
    const std::shared_ptr<SimulatedDisk> copy = disk.Copy();
    EXPECT_EQ(copy->ReadRaftState(), copy->ReadSnapshot());
  }
  writer.join();
}

}  // namespace
}  // namespace persister
