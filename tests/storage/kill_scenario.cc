#include "tests/storage/kill_scenario.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "persister/files/directory.h"
#include "persister/files/file_storage.h"
#include "persister/files/posix_files.h"
#include "persister/files/recovery.h"
#include "tests/storage/model.h"

namespace storage_test {
namespace {

using base::MutexLock;
using base::Random;
using persister::FileStorage;
using persister::Storage;

constexpr persister::Wal::Options kOptions = {
    .identity = {.cluster = 1, .server = 2}, .segment_bytes = 16 << 10};
// How many changes are made at the most that are not said to be durable. A
// report that the kill cut off may have been of as many.
constexpr size_t kOutstanding = 64;
constexpr uint64_t kUnreported = 2 * kOutstanding;
constexpr uint64_t kMostReports = 40;            // before a child is killed
constexpr uint64_t kMostMicroseconds = 3000;     // and then
constexpr uint64_t kOpeningMicroseconds = 1000;  // or at once
constexpr int kFoundSomethingElse = 1;

// Writes to a pipe how many changes are durable.
//
// Thread safety: safe.
class Reporter {
 public:
  explicit Reporter(int pipe) : pipe_(pipe) {}

  // One more change was made. Waits until another may be.
  void Add(Storage::Ticket ticket) {
    MutexLock lock(&mu_);
    tickets_.push_back(ticket);
    while (tickets_.size() >= kOutstanding) fewer_.Wait(&mu_);
  }
  void Publish(Storage::Ticket ticket) {
    uint64_t durable = 0;
    {
      MutexLock lock(&mu_);
      while (!tickets_.empty() && tickets_.front() <= ticket) {
        tickets_.pop_front();
        ++durable_;
      }
      durable = durable_;
    }
    PCHECK(write(pipe_, &durable, sizeof(durable)) == sizeof(durable));
    fewer_.Signal();
  }

 private:
  const int pipe_;
  base::Mutex mu_;
  base::CondVar fewer_;
  std::deque<Storage::Ticket> tickets_ ABSL_GUARDED_BY(mu_);  // not yet durable
  uint64_t durable_ ABSL_GUARDED_BY(mu_) = 0;
};

// The child: opens the directory, and makes changes until it is killed.
[[noreturn]] void UseStorage(const std::string& directory, uint64_t seed,
                             Model model, int pipe) {
  persister::PosixFiles files;
  const auto storage = FileStorage::Open(&files, directory, {.wal = kOptions});
  if (!storage.ok()) {
    std::cerr << storage.status().message() << "\n";
    _exit(persister::ExitStatusOf(storage.status()));
  }
  if (ModelOf((*storage)->TakeRecovered()) != model) {
    _exit(kFoundSomethingElse);
  }
  Reporter reporter(pipe);
  reporter.Publish(0);  // it is open
  (*storage)->OnDurable(
      [&reporter](Storage::Ticket ticket) { reporter.Publish(ticket); });
  Random random(seed);
  while (true) {
    reporter.Add(
        RandomChange(&random, kOptions.segment_bytes, &model, storage->get()));
  }
}

// A storage that keeps nothing: what changes a seed makes is seen without one.
class NoStorage : public Storage {
 public:
  persister::Recovered TakeRecovered() override { return {}; }
  void OnDurable(std::function<void(Ticket)> /*function*/) override {}
  Ticket SetVote(uint64_t /*term*/, int64_t /*voted_for*/) override {
    return 0;
  }
  Ticket Append(uint64_t /*first_index*/,
                std::string_view /*packed*/) override {
    return 0;
  }
  Ticket TruncateFrom(uint64_t /*index*/) override { return 0; }
  Ticket InstallSnapshot(uint64_t /*index*/, uint64_t /*term*/,
                         base::Rope /*snapshot*/) override {
    return 0;
  }
  Ticket last() const override { return 0; }
  bool HasRoom() const override { return true; }
  bool WaitDurable(Ticket /*ticket*/) override { return true; }
  void Close() override {}
};

// Returns how many of the seed's changes, at least `durable`, lead from `model`
// to `found`.
std::optional<uint64_t> CountChanges(uint64_t seed, Model model,
                                     uint64_t durable, const Model& found) {
  Random random(seed);
  NoStorage none;
  for (uint64_t count = 0; count <= durable + kUnreported; ++count) {
    if (count >= durable && model == found) return count;
    RandomChange(&random, kOptions.segment_bytes, &model, &none);
  }
  return std::nullopt;
}

// The read end of a pipe with numbers in it.
class Reports {
 public:
  explicit Reports(int pipe) : pipe_(pipe) {}
  ~Reports() { close(pipe_); }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  // Waits for the next one; false: there is none any more.
  bool Next() {
    uint64_t number = 0;
    if (read(pipe_, &number, sizeof(number)) != sizeof(number)) return false;
    ++count_;
    last_ = number;
    return true;
  }
  uint64_t count() const { return count_; }
  uint64_t last() const { return last_; }

 private:
  const int pipe_;
  uint64_t count_ = 0;
  uint64_t last_ = 0;
};

class KillScenario {
 public:
  KillScenario(std::string directory, uint64_t seed)
      : directory_(std::move(directory)), random_(seed) {}

  KillRun Run(int rounds) {
    while (run_.problem.empty() && run_.rounds < rounds) RunRound();
    if (!run_.problem.empty()) {
      run_.problem = absl::StrCat("round ", run_.rounds, ": ", run_.problem);
    }
    return run_;
  }

 private:
  void RunRound() {
    ++run_.rounds;
    const uint64_t seed = random_.Below(UINT64_MAX);
    int ends[2];
    PCHECK(pipe(ends) == 0);
    const pid_t child = fork();
    PCHECK(child >= 0);
    if (child == 0) {
      close(ends[0]);
      UseStorage(directory_, seed, model_, ends[1]);
    }
    close(ends[1]);
    Reports reports(ends[0]);
    Kill(child, &reports);
    if (run_.problem.empty()) Check(seed, reports);
  }

  // Kills the child after some reports, or before the first.
  void Kill(pid_t child, Reports* reports) {
    const bool at_once = random_.Chance(1, 4);
    const uint64_t wanted = at_once ? 0 : random_.Below(kMostReports);
    while (reports->count() < wanted && reports->Next()) {
    }
    usleep(static_cast<useconds_t>(
        random_.Below(at_once ? kOpeningMicroseconds : kMostMicroseconds)));
    PCHECK(kill(child, SIGKILL) == 0);
    int status = 0;
    PCHECK(waitpid(child, &status, 0) == child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
      run_.problem = absl::StrCat("the process ended by itself: ", status);
    }
    while (reports->Next()) {
    }
  }

  // Looks at what the child has left.
  void Check(uint64_t seed, const Reports& reports) {
    if (reports.count() == 0) ++run_.while_opening;
    const absl::StatusOr<Model> found = ReadDirectory();
    if (!found.ok()) {
      run_.problem = std::string(found.status().message());
      return;
    }
    const auto count = CountChanges(seed, model_, reports.last(), *found);
    if (!count.has_value()) {
      run_.problem =
          absl::StrCat("found ", found->ToString(), ", which is not the state ",
                       "after ", reports.last(), " changes or some more");
      return;
    }
    run_.durable += reports.last();
    run_.found_later += *count - reports.last();
    model_ = *found;
  }

  absl::StatusOr<Model> ReadDirectory() {
    persister::PosixFiles files;
    const auto identity = persister::ReadIdentity(&files, directory_);
    if (absl::IsNotFound(identity.status())) return Model{};
    if (!identity.ok()) return identity.status();
    const auto recovery = persister::Recover(&files, directory_, *identity);
    if (!recovery.ok()) return recovery.status();
    if (recovery->torn.bytes > 0) ++run_.torn;
    return ModelOf(recovery->recovered);
  }

  const std::string directory_;
  Random random_;
  Model model_;  // what is in the directory
  KillRun run_;
};

}  // namespace

KillRun RunKillScenario(const std::string& directory, uint64_t seed,
                        int rounds) {
  return KillScenario(directory, seed).Run(rounds);
}

}  // namespace storage_test
