// A crash at every step: of what a FileStorage asked of its disk, each prefix,
// with each subset of what no flush had decided yet, up to 2^8 of them.
// Recovery finds the state after a batch: the last durable one, or the next.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "persister/files/directory.h"
#include "persister/files/file_storage.h"
#include "persister/files/open_directory.h"
#include "persister/files/recovery.h"
#include "persister/files/simulated_files.h"
#include "persister/files/wal.h"
#include "tests/storage/model.h"

namespace persister {
namespace {

using base::Random;
using storage_test::Model;

constexpr char kDirectory[] = "/data";
constexpr Wal::Options kOptions = {.identity = {.cluster = 1, .server = 2},
                                   .segment_bytes = 4096};
constexpr size_t kAllSubsetsOf = 8;

// What a run asked of its disk, and what it came to.
struct Recording {
  struct Published {
    size_t operations = 0;  // made by then
    Storage::Ticket ticket = 0;
  };
  std::vector<FileOperation> operations;
  std::vector<Published> published;  // in order
  std::vector<Model> states;         // by ticket

  // What was durable after that number of operations.
  const Model& Durable(size_t count) const {
    Storage::Ticket ticket = 0;
    for (const Published& publication : published) {
      if (publication.operations <= count) ticket = publication.ticket;
    }
    return states[ticket];
  }
};

Recording Record(uint64_t seed, int changes) {
  Recording recording;
  SimulatedFiles disk;
  auto storage = FileStorage::Open(&disk, kDirectory, {.wal = kOptions});
  CHECK(storage.ok()) << storage.status();
  (*storage)->OnDurable([&](Storage::Ticket ticket) {
    recording.published.push_back({disk.operations().size(), ticket});
  });
  Random random(seed);
  Model model;
  recording.states.push_back(model);
  for (int i = 0; i < changes; ++i) {
    const Storage::Ticket ticket =
        RandomChange(&random, kOptions.segment_bytes, &model, storage->get());
    recording.states.resize(ticket + 1);
    recording.states[ticket] = model;
    if (random.Chance(1, 2)) (*storage)->WaitDurable(ticket);
  }
  (*storage)->Close();
  recording.operations = disk.operations();
  return recording;
}

// What the disk recovers to, after a torn batch is cut.
Model OpenAndRecover(SimulatedFiles* disk) {
  const auto lock = OpenDirectory(disk, kDirectory, kOptions);
  CHECK(lock.ok()) << lock.status();
  const auto recovery = Recover(disk, kDirectory, kOptions.identity);
  CHECK(recovery.ok()) << recovery.status();
  const auto wal = Wal::Open(disk, kDirectory, kOptions, *recovery);
  CHECK(wal.ok()) << wal.status();
  return storage_test::ModelOf(recovery->recovered);
}

// Calls `visit` with disks that a crash may leave: all, if they are few.
template <typename Visit>
void ForEachCrash(const SimulatedFiles& disk, Random* random, Visit visit) {
  const size_t undecided = disk.Undecided();
  const uint64_t count = uint64_t{1} << std::min(undecided, kAllSubsetsOf);
  for (uint64_t subset = 0; subset < count; ++subset) {
    visit(disk.Crash([&](size_t number) {
      if (undecided <= kAllSubsetsOf) return (subset >> number & 1) != 0;
      return random->Below(count) < subset;  // from none to all
    }));
  }
}

void CrashAtEveryStep(uint64_t seed) {
  const Recording recording = Record(seed, /*changes=*/30);
  Random random(seed);
  SimulatedFiles disk;
  size_t published = 0;
  for (size_t step = 0; step <= recording.operations.size(); ++step) {
    const auto state = [&](size_t number) {
      if (number == 0) return recording.states[0];
      number = std::min(number, recording.published.size());
      return recording.states[recording.published[number - 1].ticket];
    };
    while (published < recording.published.size() &&
           recording.published[published].operations <= step) {
      ++published;
    }
    ForEachCrash(disk, &random, [&](std::unique_ptr<SimulatedFiles> crashed) {
      const Model found = OpenAndRecover(crashed.get());
      ASSERT_TRUE(found == state(published) || found == state(published + 1))
          << "after " << step << " operations: found " << found.ToString()
          << "; durable was " << state(published).ToString();
      // Crashes while it recovers change nothing.
      const auto again =
          crashed->Crash([&](size_t) { return random.Chance(1, 2); });
      ASSERT_EQ(OpenAndRecover(again.get()), found);
    });
    if (testing::Test::HasFatalFailure()) return;
    if (step < recording.operations.size()) {
      ASSERT_TRUE(disk.Apply(recording.operations[step]).ok());
    }
  }
}

// The sizes of the segments.
std::vector<uint64_t> Sizes(SimulatedFiles* disk) {
  std::vector<uint64_t> sizes;
  const auto sequences = ListSegments(disk, kDirectory);
  CHECK(sequences.ok()) << sequences.status();
  for (const uint64_t sequence : *sequences) {
    const auto file =
        disk->Open(SegmentPath(kDirectory, sequence), Files::Mode::kRead);
    sizes.push_back((*file)->Size().value());
  }
  return sizes;
}

// A process that is killed, or ends since a flush has failed, leaves to the
// next one what only the kernel has; then the machine stops, while that one
// recovers or when it has.
void EndTheProcessAtEveryStep(uint64_t seed) {
  const Recording recording = Record(seed, /*changes=*/30);
  const std::vector<FileOperation>& operations = recording.operations;
  Random random(seed);
  for (size_t step = 0; step <= operations.size(); ++step) {
    for (const bool fails : {false, true}) {
      if (fails && (step == operations.size() ||
                    operations[step].kind != FileOperation::Kind::kFlush)) {
        continue;
      }
      SimulatedFiles disk;
      for (size_t i = 0; i < step; ++i) {
        ASSERT_TRUE(disk.Apply(operations[i]).ok());
      }
      if (fails) {
        disk.SetHook([](const FileOperation&) {
          return absl::UnavailableError("Input/output error");
        });
        ASSERT_FALSE(disk.Apply(operations[step]).ok());
        disk.SetHook({});
      }
      std::vector<std::unique_ptr<SimulatedFiles>> crashes;
      const auto crash = [&] {
        for (const uint64_t odds : {0, 1, 2}) {  // none survive, some, all
          crashes.push_back(
              disk.Crash([&](size_t) { return random.Below(2) < odds; }));
        }
      };
      disk.SetHook([&](const FileOperation&) {
        crash();
        return absl::OkStatus();
      });
      const Model found = OpenAndRecover(&disk);
      const size_t while_it_recovers = crashes.size();
      crash();
      const std::vector<uint64_t> sizes = Sizes(&disk);
      for (size_t i = 0; i < crashes.size(); ++i) {
        if (i >= while_it_recovers) {
          ASSERT_EQ(Sizes(crashes[i].get()), sizes);
        }
        const Model again = OpenAndRecover(crashes[i].get());
        ASSERT_TRUE(again == found ||
                    (i < while_it_recovers && again == recording.Durable(step)))
            << "after " << step << " operations"
            << (fails ? " and a flush that failed" : "") << ": found "
            << again.ToString() << ", and before " << found.ToString();
      }
    }
  }
}

// A test for each seed, since it computes for long under ThreadSanitizer.
TEST(StorageCrash, WhatWasRecoveredIsDurable) { EndTheProcessAtEveryStep(1); }

TEST(StorageCrash, WhatWasRecoveredIsDurableSeed2) {
  EndTheProcessAtEveryStep(2);
}

TEST(StorageCrash, WhatWasRecoveredIsDurableSeed3) {
  EndTheProcessAtEveryStep(3);
}

TEST(StorageCrash, RecoversToABatchAtEveryStep) {
  for (const uint64_t seed : {1, 2, 3}) CrashAtEveryStep(seed);
}

}  // namespace
}  // namespace persister
