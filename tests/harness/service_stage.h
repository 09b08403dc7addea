// The stage of a test of replicated services: the simulated network on which
// groups of servers run (service_group.h), the first error that anything finds,
// and what the test prints about itself.
//
// When a check has failed anywhere, in a thread of the test or in an observer,
// or the test has taken 120 s, it ends: waits here give up, and so must those
// of the test's threads (Options::on_failure).
//
// Thread safety: one thread makes, opens, closes and ends it; all else may be
// called from any thread of the test.
// Lock order: mu_ is a leaf.

#ifndef TESTS_HARNESS_SERVICE_STAGE_H_
#define TESTS_HARNESS_SERVICE_STAGE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

#include "base/mutex.h"
#include "labrpc/network.h"
#include "tests/harness/failure.h"
#include "tests/harness/observers.h"

namespace harness {

// The lines that a test prints: those of 2022's key/value service, of 2025, or
// of lab 4, which have no figures.
enum class Year { k2022, k2025, k2022Sharded };

class ServiceStage {
 public:
  struct Options {
    int servers = 3;  // of a group, for the last line
    Year year = Year::k2022;
    labrpc::Tap tap = nullptr;
    // Ends at once what the test's threads wait for: a check has failed. Runs
    // on a thread of its own, at most once, and not after Close().
    std::function<void()> on_failure = [] {};
  };

  ServiceStage(Options options, Place place);

  // Fails the test, without ending it, if it took longer than 120 s, or if an
  // error was found that no check has reported yet.
  ~ServiceStage();
  ServiceStage(const ServiceStage&) = delete;
  ServiceStage& operator=(const ServiceStage&) = delete;

  // The observers of a group on the network; of the first one before any server
  // starts.
  void Observe(const Observers& group) EXCLUDES(mu_);

  // All servers have been started: from here on the network loses messages
  // unless it is reliable.
  void Open(bool reliable);

  // Before the servers end: no check ends anything any more. Idempotent.
  void Close() EXCLUDES(mu_);

  // Prints the title; what the last line reports is counted from here.
  void Begin(std::string_view title);

  // Fails if the test took longer than 120 s or an error was found; prints the
  // `... Passed` line if nothing failed.
  void End(Place place = Place::Here());

  // Of the first group: they are told what concerns no group.
  // REQUIRES: there is one.
  const Observers& observers() const { return *first_observers_; }
  labrpc::Network& network() { return network_; }
  bool reliable() const { return reliable_; }
  Year year() const { return options_.year; }

  // An operation has been completed; the last line says how many were.
  void CountOperation() { ++operations_; }

  // Runs `body` on a thread of `threads`; a check that fails there ends the
  // test.
  void Spawn(TestThreads* threads, std::function<void()> body);

  // Sleeps; ends the test if meanwhile a check has failed.
  void Sleep(std::chrono::milliseconds duration, Place place = Place::Here())
      EXCLUDES(mu_);

  // Records what anything but a check of the calling thread has found: ends the
  // test. An expense ends nothing, and is reported at the end.
  void FoundError(Failure error) EXCLUDES(mu_);

  // A check of a thread of the test has failed, and is reported: ends the test.
  void CheckHasFailed() EXCLUDES(mu_);
  bool HasFailed() EXCLUDES(mu_);

  // Ends the calling thread's share of the test if a check has failed.
  void CheckError(Place place = Place::Here()) EXCLUDES(mu_);

 private:
  using Clock = std::chrono::steady_clock;

  struct Baseline {
    Clock::time_point time;
    int64_t rpcs = 0;
    int64_t operations = 0;
  };

  void AwaitFailure() EXCLUDES(mu_);
  bool TookTooLong();
  void ReportExpense(Place place) EXCLUDES(mu_);

  // Immutable after construction.
  const Options options_;
  const Place place_;  // of the test, for what fails at its end
  const Clock::time_point created_;

  // Synchronized by themselves.
  labrpc::Network network_;
  std::atomic<int64_t> operations_ = 0;

  std::optional<const Observers> first_observers_;  // set by Observe(), once
  const std::shared_ptr<ObserversOfAll> observers_ =
      std::make_shared<ObserversOfAll>();

  // Confined to the test's main thread.
  Baseline baseline_;
  bool reliable_ = true;
  bool time_limit_reported_ = false;

  base::Mutex mu_;
  base::CondVar failed_or_ended_;
  bool observed_ ABSL_GUARDED_BY(mu_) = false;         // the network is
  std::optional<Failure> error_ ABSL_GUARDED_BY(mu_);  // the first one
  std::optional<Failure> expense_ ABSL_GUARDED_BY(mu_);
  bool has_failed_ ABSL_GUARDED_BY(mu_) = false;
  bool reported_ ABSL_GUARDED_BY(mu_) = false;  // what has failed
  bool ended_ ABSL_GUARDED_BY(mu_) = false;

  std::thread failure_watcher_;  // while it is open
};

}  // namespace harness

#endif  // TESTS_HARNESS_SERVICE_STAGE_H_
