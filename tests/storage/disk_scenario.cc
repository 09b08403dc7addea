#include "tests/storage/disk_scenario.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/random.h"
#include "persister/files/file_storage.h"
#include "persister/files/simulated_files.h"
#include "tests/storage/model.h"

namespace storage_test {
namespace {

using base::MutexLock;
using base::Random;
using persister::FileOperation;
using persister::FileStorage;
using persister::SimulatedFiles;
using persister::Storage;

constexpr char kDirectory[] = "/data";
constexpr uint64_t kSegmentBytes = 4096;
constexpr int kIncarnations = 6;
constexpr int kChanges = 40;

// The states that the storage has come to, and which of them are durable.
//
// Thread safety: safe. The flusher publishes, and asks what is durable when the
// machine stops.
class History {
 public:
  explicit History(Model start) : states_{std::move(start)} {}

  void Add(Storage::Ticket ticket, const Model& state) {
    MutexLock lock(&mu_);
    states_.resize(ticket + 1, state);
    states_[ticket] = state;
  }
  void Publish(Storage::Ticket ticket) {
    MutexLock lock(&mu_);
    durable_ = ticket;
  }
  Storage::Ticket durable() const {
    MutexLock lock(&mu_);
    return durable_;
  }
  // The states that a change at `from` or later led to.
  std::vector<Model> From(Storage::Ticket from) const {
    MutexLock lock(&mu_);
    return {states_.begin() + static_cast<std::ptrdiff_t>(from), states_.end()};
  }

 private:
  mutable base::Mutex mu_;
  std::vector<Model> states_ ABSL_GUARDED_BY(mu_);  // by ticket
  Storage::Ticket durable_ ABSL_GUARDED_BY(mu_) = 0;
};

// The n-th operation of a disk, and what comes of it.
//
// Thread safety: only the thread that uses the disk at the time calls it: the
// one that opens it, then the flusher. The rest is read when that has ended.
class Fate {
 public:
  enum class Kind : uint8_t { kStop, kFail, kKill };
  Fate(Kind kind, uint64_t after, uint64_t seed, const SimulatedFiles* disk)
      : kind_(kind), left_(after), random_(seed), disk_(disk) {}

  absl::Status Before(const FileOperation& operation, const History& history) {
    if (left_ > 0) {
      --left_;
      return absl::OkStatus();
    }
    if (is_over_) {
      return kind_ == Kind::kKill ? absl::CancelledError() : absl::OkStatus();
    }
    // Most machines stop when there is something to lose.
    if (at_flush_ && operation.kind != FileOperation::Kind::kFlush) {
      return absl::OkStatus();
    }
    is_over_ = true;
    if (kind_ == Kind::kKill) return absl::CancelledError();
    if (kind_ == Kind::kFail) {
      return absl::UnavailableError(
          absl::StrCat(operation.path, ": Input/output error"));
    }
    Stop(history);
    return absl::OkStatus();
  }

  Kind kind() const { return kind_; }

  // The machine stops now, if it has not before.
  void Stop(const History& history) {
    if (crashed_ != nullptr) return;
    stopper_ = std::this_thread::get_id();
    const uint64_t odds = random_.Below(5);  // none survive, ..., all do
    crashed_ =
        disk_->Crash([this, odds](size_t) { return random_.Below(4) < odds; });
    durable_ = history.durable();
  }

  std::unique_ptr<SimulatedFiles> TakeDisk() { return std::move(crashed_); }
  // What thread used the disk when the machine stopped.
  std::thread::id stopper() const { return stopper_; }
  Storage::Ticket durable() const { return durable_; }

 private:
  const Kind kind_;
  uint64_t left_;
  Random random_;
  const bool at_flush_ = random_.Chance(3, 4);
  bool is_over_ = false;
  const SimulatedFiles* const disk_;
  std::unique_ptr<SimulatedFiles> crashed_;
  std::thread::id stopper_;
  Storage::Ticket durable_ = 0;  // when the machine stopped
};

class DiskScenario {
 public:
  explicit DiskScenario(uint64_t seed)
      : random_(seed),
        may_flip_(random_.Chance(1, 4)),
        disk_(std::make_unique<SimulatedFiles>()) {
    if (random_.Chance(1, 4)) {
      disk_->SetCapacity(kSegmentBytes * random_.Between(2, 12));
    }
  }

  DiskRun Run() {
    bool goes_on = true;
    while (goes_on && run_.incarnations < kIncarnations) {
      ++run_.incarnations;
      goes_on = RunIncarnation();
    }
    return run_;
  }

 private:
  // Returns false if it was the last.
  bool RunIncarnation() {
    // Of what is on the disk only: the kernel's copy does not rot.
    flipped_ |=
        may_flip_ && machine_stopped_ && random_.Chance(1, 3) && FlipSomeBit();
    constexpr Fate::Kind kKinds[] = {Fate::Kind::kStop, Fate::Kind::kStop,
                                     Fate::Kind::kFail, Fate::Kind::kKill};
    Fate fate(kKinds[random_.Below(4)], random_.Below(150),
              random_.Below(UINT64_MAX), disk_.get());
    // What is durable when the machine stops: until it is open, the past.
    History history(Model{});
    disk_->SetHook([&](const FileOperation& operation) {
      if (operation.kind == FileOperation::Kind::kCreate &&
          absl::StrContains(operation.path, ".broken")) {
        ++run_.torn;
      }
      return fate.Before(operation, history);
    });
    failures_ = 0;
    const int torn_before = run_.torn;
    auto storage = Open();
    const bool is_open = storage.ok();
    if (is_open) {
      UseStorage(storage->get(), &history);
      storage->reset();
    }
    // Of what is cut and not flushed, nothing is left to see.
    const bool cut_failed = !is_open && run_.torn > torn_before;
    machine_stopped_ = fate.kind() == Fate::Kind::kStop ||
                       (fate.kind() == Fate::Kind::kFail &&
                        (cut_failed || random_.Chance(1, 2)));
    Storage::Ticket durable = history.durable();
    // Before it was open: nothing rested on what had been recovered.
    const bool stopped_early = fate.stopper() == std::this_thread::get_id();
    if (machine_stopped_) {
      fate.Stop(history);
      disk_ = fate.TakeDisk();
      durable = fate.durable();
    }
    if (is_open && !stopped_early) possible_ = history.From(durable);
    return run_.problem.empty() && run_.refused == 0;
  }

  // Reports a problem if it does not open and should.
  absl::StatusOr<std::unique_ptr<FileStorage>> Open() {
    auto storage = FileStorage::Open(
        disk_.get(), kDirectory,
        {.wal = {.identity = {.cluster = 1, .server = 2},
                 .segment_bytes = kSegmentBytes},
         .on_failure = [this](const absl::Status&) { ++failures_; }});
    if (storage.ok()) return storage;
    if (persister::ExitStatusOf(storage.status()) ==
        persister::kExitDiskFailed) {
      ++run_.failures;
    } else if (flipped_) {
      ++run_.refused;
    } else {
      run_.problem = absl::StrCat("does not open: ",
                                  std::string(storage.status().message()));
    }
    return storage;
  }

  void UseStorage(FileStorage* storage, History* history) {
    Model model = ModelOf(storage->TakeRecovered());
    if (std::ranges::find(possible_, model) == possible_.end()) {
      run_.problem = absl::StrCat("recovered is ", model.ToString(),
                                  "; durable was ", possible_[0].ToString());
      return;
    }
    history->Add(0, model);
    storage->OnDurable(
        [history](Storage::Ticket ticket) { history->Publish(ticket); });
    for (int i = 0; i < kChanges && storage->HasRoom(); ++i) {
      const Storage::Ticket ticket =
          RandomChange(&random_, kSegmentBytes, &model, storage);
      history->Add(ticket, model);
      if (random_.Chance(1, 3) && !storage->WaitDurable(ticket)) break;
    }
    storage->Close();
    run_.failures += failures_;
    if (failures_ == 0 && !storage->WaitDurable(storage->last())) {
      run_.problem = "not all is durable, without a failure";
    }
  }

  // Returns false if there is none.
  bool FlipSomeBit() {
    std::vector<std::string> paths;
    for (const char* folder : {"/data", "/data/wal", "/data/snap"}) {
      const auto names = disk_->List(folder);
      if (!names.ok()) continue;
      for (const std::string& name : *names) {
        paths.push_back(absl::StrCat(folder, "/", name));
      }
    }
    if (paths.empty()) return false;
    const std::string& path = paths[random_.Below(paths.size())];
    const auto file = disk_->Open(path, persister::Files::Mode::kRead);
    const uint64_t size = (*file)->Size().value();
    if (size == 0) return false;
    disk_->FlipBit(path, random_.Below(size * 8));
    return true;
  }

  Random random_;
  const bool may_flip_;
  std::unique_ptr<SimulatedFiles> disk_;
  std::vector<Model> possible_{Model{}};  // what may be recovered
  bool machine_stopped_ = true;           // nothing is in its kernel only
  bool flipped_ = false;                  // some bit
  std::atomic<int> failures_{0};          // of this incarnation
  DiskRun run_;
};

}  // namespace

DiskRun RunDiskScenario(uint64_t seed) { return DiskScenario(seed).Run(); }

}  // namespace storage_test
