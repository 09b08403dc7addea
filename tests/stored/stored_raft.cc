#include "tests/stored/stored_raft.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "persister/files/file_storage.h"

namespace tests {

using base::MutexLock;
using persister::FileOperation;
using persister::FileStorage;
using persister::SimulatedFiles;
using raft::ServerId;

// A Raft whose end is a crash of its machine.
class StoredRafts::Stored : public raft::Raft {
 public:
  Stored(std::shared_ptr<raft::Raft> raft, std::function<void()> crash)
      : crash_(std::move(crash)), raft_(std::move(raft)) {}
  ~Stored() override { Kill(); }

  raft::StartResult Start(std::string_view command) override {
    return raft_->Start(command);
  }
  void Snapshot(raft::Index index, base::Rope snapshot) override {
    raft_->Snapshot(index, std::move(snapshot));
  }
  raft::State GetState() const override { return raft_->GetState(); }
  raft::Status GetStatus() const override { return raft_->GetStatus(); }
  std::vector<rpc::Service> Services() override { return raft_->Services(); }
  void Kill() override {
    if (std::function<void()> crash = std::exchange(crash_, nullptr)) crash();
    raft_->Kill();
  }

 private:
  std::function<void()> crash_;
  const std::shared_ptr<raft::Raft> raft_;
};

// A storage, and the disk that it is on; services keep their Raft for a while.
struct StoredRafts::Opened {
  Disk disk;
  std::unique_ptr<FileStorage> storage;
};

StoredRafts::StoredRafts(int servers, std::chrono::milliseconds slowest_flush)
    : slowest_flush_(slowest_flush),
      random_(base::Random::ForOwner("stored")),
      disks_(static_cast<size_t>(servers)) {
  for (Disk& disk : disks_) {
    disk = std::make_shared<SimulatedFiles>();
    SlowDown(disk.get());
  }
}

harness::MakeRaft StoredRafts::Maker() {
  return [this](harness::Ends ends, ServerId me,
                const std::shared_ptr<persister::Persister>& /*disk*/,
                std::shared_ptr<raft::ApplyChannel> channel) {
    return Make(std::move(ends), me, std::move(channel));
  };
}

std::shared_ptr<raft::Raft> StoredRafts::Make(
    harness::Ends ends, ServerId me,
    std::shared_ptr<raft::ApplyChannel> channel) {
  Disk disk;
  {
    MutexLock lock(&mu_);
    disk = disks_[static_cast<size_t>(me)];
  }
  // Small segments, so that many begin and end.
  auto storage = FileStorage::Open(
      disk.get(), "/data",
      {.wal = {.identity = {.cluster = 1, .server = static_cast<uint64_t>(me)},
               .segment_bytes = 4096}});
  CHECK(storage.ok()) << storage.status();
  const auto opened =
      std::make_shared<Opened>(Opened{std::move(disk), *std::move(storage)});
  auto raft = raft::MakeWithStorage(
      std::move(ends), me,
      std::shared_ptr<persister::Storage>(opened, opened->storage.get()),
      std::move(channel),
      {.random = base::Random::ForOwner(absl::StrCat("raft/", me))});
  return std::make_shared<Stored>(std::move(raft), [this, me] { Crash(me); });
}

void StoredRafts::Crash(ServerId server) {
  MutexLock lock(&mu_);
  Disk& disk = disks_[static_cast<size_t>(server)];
  const uint64_t odds = random_.Below(5);  // none survive, ..., all do
  disk = disk->Crash([&](size_t) {
    mu_.AssertHeld();
    return random_.Below(4) < odds;
  });
  SlowDown(disk.get());
}

void StoredRafts::SlowDown(SimulatedFiles* disk) {
  disk->SetHook([this](const FileOperation& operation) {
    if (operation.kind == FileOperation::Kind::kFlush) {
      std::chrono::milliseconds time;
      {
        MutexLock lock(&mu_);
        time = std::chrono::milliseconds(
            random_.Below(static_cast<uint64_t>(slowest_flush_.count()) + 1));
      }
      std::this_thread::sleep_for(time);
    }
    return absl::OkStatus();
  });
}

}  // namespace tests
