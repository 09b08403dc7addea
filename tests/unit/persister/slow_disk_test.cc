// Unit tests of persister/slow_disk.h.

#include "persister/slow_disk.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/rope.h"
#include "gtest/gtest.h"

namespace persister {
namespace {

using base::Rope;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using Ticket = SlowDisk::Ticket;

class SlowDiskTest : public testing::Test {
 protected:
  std::unique_ptr<SlowDisk> MakeDisk(uint64_t seed = 1) {
    return std::make_unique<SlowDisk>(durable_, base::Random(seed));
  }

  // Saves "1" to "count" as raft states, at once.
  static Ticket SaveMany(SlowDisk* disk, int count) {
    Ticket last = 0;
    for (int i = 1; i <= count; ++i) {
      last = disk->SaveLater(Rope(std::to_string(i)), std::nullopt);
    }
    return last;
  }

  std::shared_ptr<SimulatedDisk> durable_ = std::make_shared<SimulatedDisk>();
};

TEST_F(SlowDiskTest, BeginsWithWhatIsDurable) {
  durable_->Save(Rope("state"), Rope("snapshot"));
  const auto disk = MakeDisk();
  EXPECT_EQ(disk->ReadRaftState(), Rope("state"));
  EXPECT_EQ(disk->ReadSnapshot(), Rope("snapshot"));
  EXPECT_EQ(disk->last(), 0U);
  EXPECT_TRUE(disk->WaitDurable(0));
}

TEST_F(SlowDiskTest, TellsTheNewestValuesAndLaterThatTheyAreDurable) {
  const auto disk = MakeDisk();
  EXPECT_EQ(disk->SaveLater(Rope("a"), Rope("old snapshot")), 1U);
  EXPECT_EQ(disk->SaveLater(Rope("b"), Rope("snapshot")), 2U);
  EXPECT_EQ(disk->SaveLater(Rope("c"), std::nullopt), 3U);
  EXPECT_EQ(disk->last(), 3U);
  EXPECT_EQ(disk->ReadRaftState(), Rope("c"));
  EXPECT_EQ(disk->ReadSnapshot(), Rope("snapshot"));

  EXPECT_TRUE(disk->WaitDurable(3));
  EXPECT_EQ(durable_->ReadRaftState(), Rope("c"));
  EXPECT_EQ(durable_->ReadSnapshot(), Rope("snapshot"));
  EXPECT_EQ(disk->ReadRaftState(), Rope("c"));
  EXPECT_EQ(disk->ReadSnapshot(), Rope("snapshot"));
}

TEST_F(SlowDiskTest, ASaveOfAPersisterReturnsWhenItIsDurable) {
  const auto disk = MakeDisk();
  disk->Save(Rope("state"), Rope("snapshot"));
  EXPECT_EQ(durable_->ReadRaftState(), Rope("state"));
  EXPECT_EQ(durable_->ReadSnapshot(), Rope("snapshot"));
  base::Mutex of_the_raft;
  base::MutexLock lock(&of_the_raft);  // is no fault here
  disk->SaveRaftState(Rope("newer"));
  EXPECT_EQ(durable_->ReadRaftState(), Rope("newer"));
  EXPECT_EQ(durable_->ReadSnapshot(), Rope("snapshot"));
}

// Each save, in its order, when it is on the disk; and the flush after those
// that it made durable.
TEST_F(SlowDiskTest, ObserversSeeEachSaveWhenItIsDurable) {
  std::vector<std::string> seen;
  durable_->SetObserver([&seen](const Rope& state, const Rope* snapshot) {
    seen.push_back(state.ToString());
    if (snapshot != nullptr) seen.push_back(snapshot->ToString());
  });
  const auto disk = MakeDisk();
  disk->SetFlushObserver([&seen](microseconds took) {
    EXPECT_GE(took, microseconds(0));
    EXPECT_LE(took, SlowDisk::kLongestFlush);
    seen.emplace_back("flush");
  });
  std::atomic<size_t> seen_before_told = 0;
  disk->OnDurable([&](Ticket /*ticket*/) { seen_before_told = seen.size(); });
  disk->SaveLater(Rope("a"), std::nullopt);
  ASSERT_TRUE(disk->WaitDurable(disk->SaveLater(Rope("b"), Rope("snapshot"))));
  const size_t seen_when_durable = seen.size();
  disk->Close();
  EXPECT_EQ(seen_when_durable, seen.size());
  EXPECT_EQ(seen_before_told, seen.size());
  std::erase(seen, "flush");
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "snapshot"}));
}

// What is saved while the disk is busy waits for the next flush, all of it.
TEST_F(SlowDiskTest, AFlushTakesAllThatWasSavedWhenItBegan) {
  std::vector<Ticket> told;
  std::promise<void> busy;
  std::promise<void> go_on;
  const auto disk = MakeDisk();
  disk->OnDurable([&](Ticket ticket) {
    told.push_back(ticket);
    if (told.size() > 1) return;
    busy.set_value();
    go_on.get_future().wait();
  });
  disk->SaveLater(Rope("0"), std::nullopt);
  busy.get_future().wait();
  SaveMany(disk.get(), 100);
  go_on.set_value();
  disk->Close();
  EXPECT_EQ(told, (std::vector<Ticket>{1, 101}));
}

TEST_F(SlowDiskTest, FlushesTakeWhatTheSeedSays) {
  const auto flushes = [](uint64_t seed) {
    std::vector<microseconds> took;
    SlowDisk disk(std::make_shared<SimulatedDisk>(), base::Random(seed));
    disk.SetFlushObserver([&took](microseconds it) { took.push_back(it); });
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      disk.SaveRaftState(Rope("state"));
      EXPECT_GE(std::chrono::steady_clock::now() - begin, took.back());
    }
    return took;
  };
  EXPECT_EQ(flushes(7), flushes(7));
  EXPECT_NE(flushes(7), flushes(8));
}

TEST_F(SlowDiskTest, ACrashKeepsWhatIsDurableAndAnyPrefixOfWhatIsNot) {
  constexpr int kSaves = 4;
  std::set<std::string> kept;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    durable_ = std::make_shared<SimulatedDisk>();
    durable_->SaveRaftState(Rope("0"));
    const auto disk = MakeDisk(seed);
    SaveMany(disk.get(), kSaves);
    kept.insert(disk->Crash()->ReadRaftState().ToString());
  }
  EXPECT_EQ(kept, (std::set<std::string>{"0", "1", "2", "3", "4"}));
}

TEST_F(SlowDiskTest, ACrashKeepsAllThatIsDurable) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const auto disk = MakeDisk(seed);
    disk->SaveRaftState(Rope("durable"));
    EXPECT_EQ(disk->Crash()->ReadRaftState(), Rope("durable"));
  }
}

TEST_F(SlowDiskTest, ACrashKeepsASnapshotWithItsState) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    durable_ = std::make_shared<SimulatedDisk>();
    const auto disk = MakeDisk(seed);
    disk->SaveLater(Rope("1"), Rope("1"));
    disk->SaveLater(Rope("2"), Rope("2"));
    disk->SaveLater(Rope("3"), Rope("3"));
    const std::shared_ptr<SimulatedDisk> left = disk->Crash();
    EXPECT_EQ(left->ReadRaftState(), left->ReadSnapshot());
  }
}

// The instance that has crashed may go on for a moment.
TEST_F(SlowDiskTest, AfterACrashNothingBecomesDurable) {
  Ticket told = 0;
  std::promise<void> go_on;
  const auto disk = MakeDisk();
  disk->OnDurable([&](Ticket ticket) {
    told = ticket;
    go_on.get_future().wait();  // so that the next flush has not begun
  });
  disk->SaveRaftState(Rope("before"));
  const Ticket in_flight = disk->SaveLater(Rope("in flight"), std::nullopt);
  const std::shared_ptr<SimulatedDisk> left = disk->Crash();
  const Rope found = left->ReadRaftState();
  EXPECT_FALSE(disk->WaitDurable(in_flight));
  EXPECT_FALSE(disk->WaitDurable(disk->SaveLater(Rope("late"), std::nullopt)));
  disk->SaveRaftState(Rope("late"));  // returns
  go_on.set_value();
  disk->Close();
  EXPECT_EQ(told, 1U);
  EXPECT_EQ(durable_->ReadRaftState(), Rope("before"));
  EXPECT_EQ(left->ReadRaftState(), found);
}

TEST_F(SlowDiskTest, AfterACrashNoFlushThatHasBegunEnds) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    durable_ = std::make_shared<SimulatedDisk>();
    const auto disk = MakeDisk(seed);
    disk->SaveLater(Rope("in flight"), std::nullopt);
    std::this_thread::sleep_for(milliseconds(1));  // it has begun
    disk->Crash();
    const Rope found = durable_->ReadRaftState();
    disk->Close();
    EXPECT_EQ(durable_->ReadRaftState(), found);
  }
}

// At once, though the disk is still busy.
TEST_F(SlowDiskTest, ACrashWakesThoseThatWait) {
  std::promise<void> busy;
  std::promise<void> go_on;
  const auto disk = MakeDisk();
  disk->OnDurable([&](Ticket /*ticket*/) {
    busy.set_value();
    go_on.get_future().wait();
  });
  disk->SaveLater(Rope("1"), std::nullopt);
  busy.get_future().wait();
  std::atomic<bool> durable = true;
  std::thread waiter([&] { durable = disk->WaitDurable(2); });
  std::this_thread::sleep_for(milliseconds(1));  // it waits
  disk->Crash();
  waiter.join();
  EXPECT_FALSE(durable);
  go_on.set_value();
}

TEST_F(SlowDiskTest, CloseMakesAllDurableAndThenNothingIsSaved) {
  const auto disk = MakeDisk();
  const Ticket ticket = SaveMany(disk.get(), 5);
  disk->Close();
  EXPECT_EQ(durable_->ReadRaftState(), Rope("5"));
  EXPECT_TRUE(disk->WaitDurable(ticket));

  const Ticket late = disk->SaveLater(Rope("late"), Rope("late"));
  EXPECT_GT(late, ticket);
  EXPECT_FALSE(disk->WaitDurable(late));
  disk->SaveRaftState(Rope("late"));  // returns
  disk->Close();
  EXPECT_EQ(durable_->ReadRaftState(), Rope("5"));
  EXPECT_TRUE(durable_->ReadSnapshot().empty());
}

// The instance that goes on for a moment finds what it has saved.
TEST_F(SlowDiskTest, TheNewestValuesAreReadThoughTheDiskHasEnded) {
  for (const bool crashes : {false, true}) {
    const auto disk = MakeDisk();
    disk->SaveLater(Rope("1"), Rope("snapshot of 1"));
    if (crashes) disk->Crash();
    disk->Close();
    disk->SaveLater(Rope("2"), std::nullopt);
    EXPECT_EQ(disk->ReadRaftState(), Rope("2"));
    EXPECT_EQ(disk->ReadSnapshot(), Rope("snapshot of 1"));
    disk->SaveLater(Rope("3"), Rope("snapshot of 3"));
    EXPECT_EQ(disk->ReadSnapshot(), Rope("snapshot of 3"));
  }
}

TEST_F(SlowDiskTest, CloseWakesThoseThatWait) {
  const auto disk = MakeDisk();
  std::atomic<bool> durable = true;
  std::thread waiter([&] { durable = disk->WaitDurable(1000); });
  std::this_thread::sleep_for(milliseconds(1));  // it waits
  disk->Close();
  waiter.join();
  EXPECT_FALSE(durable);
}

// Whichever of two threads comes first: when Close() returns all is over.
TEST_F(SlowDiskTest, TwoMayCloseIt) {
  std::promise<void> busy;
  std::promise<void> go_on;
  std::atomic<bool> over = false;
  const auto disk = MakeDisk();
  disk->OnDurable([&](Ticket /*ticket*/) {
    busy.set_value();
    go_on.get_future().wait();
    over = true;
  });
  disk->SaveLater(Rope("1"), std::nullopt);
  busy.get_future().wait();
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      disk->Close();
      EXPECT_TRUE(over);
    });
  }
  std::this_thread::sleep_for(milliseconds(5));  // both wait
  go_on.set_value();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SlowDiskTest, LeavesNoThread) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  const auto before = threads();
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto closed = MakeDisk(seed);
    closed->SaveLater(Rope("state"), std::nullopt);
    closed->Close();
    MakeDisk(seed)->SaveLater(Rope("state"), std::nullopt);
    MakeDisk(seed);
  }
  // The kernel shows a joined thread a moment longer.
  EXPECT_LE(threads(), before + 1);
}

TEST_F(SlowDiskTest, NoLockIsHeldWhereTheDiskIsWaitedFor) {
  const auto disk = MakeDisk();
  base::Mutex of_the_raft;
  base::MutexLock lock(&of_the_raft);
  EXPECT_DEATH(disk->WaitDurable(0), "WaitDurable.. is called while this");
  EXPECT_DEATH(disk->Close(), "Close.. is called while this");
}

// A handler waits for a save that another thread made.
TEST_F(SlowDiskTest, ManyThreadsSaveAndWait) {
  const auto disk = MakeDisk();
  std::atomic<Ticket> told = 0;
  disk->OnDurable([&told](Ticket ticket) { told = ticket; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int save = 0; save < 5; ++save) {
        const Rope value(std::to_string(disk->last()));
        EXPECT_TRUE(disk->WaitDurable(disk->SaveLater(value, value)));
        const std::shared_ptr<SimulatedDisk> both = durable_->Copy();
        EXPECT_EQ(both->ReadRaftState(), both->ReadSnapshot())
            << "they are saved together";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  disk->Close();
  EXPECT_EQ(told, 40U);
}

}  // namespace
}  // namespace persister
