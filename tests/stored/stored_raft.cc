#include "tests/stored/stored_raft.h"

#include <atomic>
#include <functional>
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

// A disk, and whether it still works.
struct StoredRafts::Machine {
  std::unique_ptr<SimulatedFiles> disk;
  std::atomic<bool> stopped = false;
};

// A storage, and the machine that it is on; services keep their Raft for a
// while.
struct StoredRafts::Opened {
  std::shared_ptr<Machine> machine;
  std::unique_ptr<FileStorage> storage;
};

// A Raft whose end is that of its machine.
class StoredRafts::Stored : public raft::Raft {
 public:
  Stored(std::shared_ptr<raft::Raft> raft, std::shared_ptr<Machine> machine,
         std::function<void()> replace)
      : machine_(std::move(machine)),
        replace_(std::move(replace)),
        raft_(std::move(raft)) {}
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
  // In this order nothing counts as durable that the next machine will lack.
  void Kill() override {
    machine_->stopped = true;
    raft_->Kill();
    if (const auto replace = std::exchange(replace_, nullptr)) replace();
  }

 private:
  const std::shared_ptr<Machine> machine_;
  std::function<void()> replace_;
  const std::shared_ptr<raft::Raft> raft_;
};

StoredRafts::StoredRafts(int servers, std::chrono::milliseconds slowest_flush)
    : slowest_flush_(slowest_flush), random_(base::Random::ForOwner("stored")) {
  std::vector<std::shared_ptr<Machine>> machines;
  for (int i = 0; i < servers; ++i) {
    machines.push_back(MakeMachine(std::make_unique<SimulatedFiles>()));
  }
  MutexLock lock(&mu_);
  machines_ = std::move(machines);
}

harness::MakeRaft StoredRafts::Maker() {
  return [this](harness::Ends ends, ServerId me,
                const std::shared_ptr<persister::Persister>& /*disk*/,
                std::shared_ptr<raft::ApplyChannel> channel) {
    return Make(std::move(ends), me, std::move(channel),
                {.random = base::Random::ForOwner(absl::StrCat("raft/", me))});
  };
}

rsm::MakeRaft StoredRafts::ServiceMaker() {
  return [this](harness::Ends ends, ServerId me,
                const std::shared_ptr<persister::Persister>& /*disk*/,
                std::shared_ptr<raft::ApplyChannel> channel,
                raft::Options options) {
    return Make(std::move(ends), me, std::move(channel), std::move(options));
  };
}

std::shared_ptr<raft::Raft> StoredRafts::Make(
    harness::Ends ends, ServerId me,
    std::shared_ptr<raft::ApplyChannel> channel, raft::Options options) {
  std::shared_ptr<Machine> machine;
  {
    MutexLock lock(&mu_);
    machine = machines_[static_cast<size_t>(me)];
  }
  // Small segments, so that many begin and end.
  auto storage = FileStorage::Open(
      machine->disk.get(), "/data",
      {.wal = {.identity = {.cluster = 1, .server = static_cast<uint64_t>(me)},
               .segment_bytes = 4096},
       .on_failure = [&stopped = machine->stopped](const absl::Status& status) {
         CHECK(stopped) << status;
       }});
  CHECK(storage.ok()) << storage.status();
  const auto opened =
      std::make_shared<Opened>(Opened{machine, *std::move(storage)});
  auto raft = raft::MakeWithStorage(
      std::move(ends), me,
      std::shared_ptr<persister::Storage>(opened, opened->storage.get()),
      std::move(channel), std::move(options));
  return std::make_shared<Stored>(std::move(raft), std::move(machine),
                                  [this, me] { Replace(me); });
}

void StoredRafts::Replace(ServerId server) {
  std::unique_ptr<SimulatedFiles> left;
  {
    MutexLock lock(&mu_);
    const uint64_t odds = random_.Below(5);  // none survive, ..., all do
    left = machines_[static_cast<size_t>(server)]->disk->Crash([&](size_t) {
      mu_.AssertHeld();
      return random_.Below(4) < odds;
    });
  }
  std::shared_ptr<Machine> machine = MakeMachine(std::move(left));
  MutexLock lock(&mu_);
  machines_[static_cast<size_t>(server)] = std::move(machine);
}

std::shared_ptr<StoredRafts::Machine> StoredRafts::MakeMachine(
    std::unique_ptr<SimulatedFiles> disk) {
  auto machine = std::make_shared<Machine>();
  machine->disk = std::move(disk);
  machine->disk->SetHook([this, &stopped = machine->stopped](
                             const FileOperation& operation) -> absl::Status {
    if (operation.kind == FileOperation::Kind::kFlush) {
      std::chrono::milliseconds time;
      {
        MutexLock lock(&mu_);
        time = std::chrono::milliseconds(
            random_.Below(static_cast<uint64_t>(slowest_flush_.count()) + 1));
      }
      std::this_thread::sleep_for(time);
    }
    if (stopped) return absl::UnavailableError("the machine has stopped");
    return absl::OkStatus();
  });
  return machine;
}

}  // namespace tests
