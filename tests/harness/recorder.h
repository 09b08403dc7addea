// The recorder of `make trace`: writes all that can be seen of a cluster from
// outside, one JSON object on each line. tools/trace/README.md describes them.
//
// It writes to the file that the environment's TRACE names. Every line leaves
// at once, so that a crash or a hang loses none. What a server's term and role
// are it concludes from what the server says, saves and answers, so it works
// for any Raft that speaks the lab's messages.
//
// Thread safety: safe. Its lock is a leaf and no scheduling point of the
// simulator: a run that is recorded is the run without it.

#ifndef TESTS_HARNESS_RECORDER_H_
#define TESTS_HARNESS_RECORDER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/spin_lock.h"
#include "labrpc/packet.h"
#include "raft/types.h"
#include "tests/harness/failure.h"
#include "tests/oracle/oracle.h"

namespace harness {

class Recorder {
 public:
  using Clock = std::chrono::steady_clock;

  // The recorder of this process; null if TRACE names no file. It lives until
  // the process ends. A file that cannot be made is fatal.
  static Recorder* OfProcess();

  // What the run line says. Call it before any cluster is made: to ask
  // GoogleTest and base/random.h later would take locks, which a run that is
  // not recorded does not.
  static void SetRun(std::string test, uint64_t seed);

  // Writes to `fd`, which is the caller's; disks are read by `decode`, which
  // may be null.
  Recorder(int fd, oracle::DecodeDisk decode);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // A cluster of so many servers is made, none of which lives yet; the next one
  // in the same test begins anew.
  void ClusterBegins(int servers) ABSL_LOCKS_EXCLUDED(lock_);
  void TestBegins(std::string_view title);

  // As the oracle is told (tests/oracle/oracle.h).
  void LifeBegins(raft::ServerId server, int life) ABSL_LOCKS_EXCLUDED(lock_);
  void LifeEnds(raft::ServerId server) ABSL_LOCKS_EXCLUDED(lock_);
  void Sees(const labrpc::Packet& packet) ABSL_LOCKS_EXCLUDED(lock_);
  void Saved(raft::ServerId server, int life, std::string_view bytes)
      ABSL_LOCKS_EXCLUDED(lock_);
  void Applied(raft::ServerId server, const raft::ApplyMsg& message)
      ABSL_LOCKS_EXCLUDED(lock_);
  void Stated(raft::ServerId server, int life, raft::State state)
      ABSL_LOCKS_EXCLUDED(lock_);
  void Started(raft::ServerId server, int life, std::string_view command,
               raft::StartResult result) ABSL_LOCKS_EXCLUDED(lock_);

  // What the harness does to servers and network: `what` is "reliable" or
  // "long_reordering".
  void Links(raft::ServerId server, bool connected) ABSL_LOCKS_EXCLUDED(lock_);
  void NetworkIs(std::string_view what, bool yes);

  // A step of the test; returns its number, for StepEnds().
  uint64_t StepBegins(std::string_view name, std::string_view text, Place place)
      ABSL_LOCKS_EXCLUDED(lock_);
  void StepEnds(uint64_t step, std::string_view name);

  // What the oracle has found, and how the test fails and ends.
  void Violated(const oracle::Violation& violation);
  void Failed(std::string_view message, std::string_view place);
  void TestEnds(bool passed);

 private:
  enum class Role { kDown, kFollower, kCandidate, kLeader };

  // What a server has shown of itself.
  struct Shown {
    int life = 0;
    raft::Term term = 0;
    Role role = Role::kDown;
  };

  static const char* NameOf(Role role);
  double SecondsSince(Clock::time_point time) const;
  Shown ShownBy(raft::ServerId server) const ABSL_LOCKS_EXCLUDED(lock_);
  void Shows(raft::ServerId server, int life, raft::Term term, Role role)
      ABSL_LOCKS_EXCLUDED(lock_);
  bool IsAlive(raft::ServerId server, int life) const
      ABSL_LOCKS_EXCLUDED(lock_);
  nlohmann::ordered_json Event(std::string_view name) const;
  nlohmann::ordered_json EventOf(std::string_view name,
                                 raft::ServerId server) const
      ABSL_LOCKS_EXCLUDED(lock_);
  nlohmann::ordered_json MessageEvent(const labrpc::Packet& packet,
                                      raft::ServerId from,
                                      raft::ServerId to) const;
  void SeesRequest(const labrpc::Packet& packet, raft::ServerId from, int life,
                   raft::ServerId to);
  void SeesReply(const labrpc::Packet& packet, raft::ServerId from,
                 raft::ServerId to);
  void Write(const nlohmann::ordered_json& event) const;

  struct Run {
    std::string test;
    uint64_t seed = 0;
  };
  static Run& TheRun();

  const int fd_;
  const oracle::DecodeDisk decode_;
  const Clock::time_point begin_;

  mutable base::SpinLock lock_;
  std::map<raft::ServerId, Shown> shown_ ABSL_GUARDED_BY(lock_);
  uint64_t steps_ ABSL_GUARDED_BY(lock_) = 0;
};

// A step of a test, from its construction to the end of its scope.
class Step {
 public:
  Step(std::string_view name, std::string_view text, Place place)
      : recorder_(Recorder::OfProcess()), name_(name) {
    if (recorder_ != nullptr) step_ = recorder_->StepBegins(name, text, place);
  }
  ~Step() {
    if (recorder_ != nullptr) recorder_->StepEnds(step_, name_);
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

 private:
  Recorder* const recorder_;
  const std::string_view name_;  // a literal
  uint64_t step_ = 0;
};

}  // namespace harness

#endif  // TESTS_HARNESS_RECORDER_H_
