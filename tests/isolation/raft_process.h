// A process of what is under test, as the tests see it.
//
// It runs the program that RAFT_PROGRAM names, in the confinement of
// confine.cc. However a process ends before the tests end it, this process ends
// in the same way, so that the runner reports it as the test's.
//
// Thread safety: safe. Lock order: mu_ is a leaf, above the wire's own.

#ifndef TESTS_ISOLATION_RAFT_PROCESS_H_
#define TESTS_ISOLATION_RAFT_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "base/mutex.h"
#include "labrpc/timer_queue.h"
#include "raft/types.h"
#include "tests/isolation/wire.h"

namespace isolation {

// Gets what the process says of one instance, on the reader's thread: it must
// not block.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnMessage(Message message) = 0;
};

class RaftProcess {
 public:
  // The one for the next incarnation of a Raft's server, started if need be.
  // The n-th incarnations of all servers share one, so that a server which
  // restarts knows what is on its disk and nothing else. (After kMostProcesses
  // the first comes again: what it knows of a server is that many incarnations
  // old.)
  static RaftProcess& For(raft::ServerId server);

  // One of its own for an instance that shares memory with no other.
  static RaftProcess& StartNew();

  // Ends it, and waits for that: questions that it has not answered have no
  // answer. If it fails then, this process ends in the same way. Idempotent.
  void End() EXCLUDES(mu_);

  // Ends all of this test.
  static void EndAll();

  ~RaftProcess();
  RaftProcess(const RaftProcess&) = delete;
  RaftProcess& operator=(const RaftProcess&) = delete;

  // A number for a new instance. The listener is told what it says, until
  // Remove().
  uint64_t Add(std::weak_ptr<Listener> listener) EXCLUDES(mu_);
  void Remove(uint64_t instance) EXCLUDES(mu_);

  // Sends the question and waits for the answer's bytes; nothing if there is
  // none.
  std::optional<std::string> Ask(Message question) EXCLUDES(mu_);

  // Sends it and returns. `done` gets the answer, once, on the reader's thread,
  // or on this one if the process has ended, and must not block.
  using Done = absl::AnyInvocable<void(std::optional<std::string>) &&>;
  void AskAsync(Message question, Done done) EXCLUDES(mu_);

  void Tell(const Message& message) { wire_.Send(message); }

  // Runs `call`, a call to a peer, a little later. Start() takes some hops
  // between the processes; without the delay a command would be committed by
  // the time it returns, and tests look at that then.
  void AfterDelay(std::function<void()> call) {
    calls_on_the_way_.After(std::chrono::microseconds(200), std::move(call));
  }

 private:
  static std::unique_ptr<RaftProcess> Start();

  RaftProcess(int socket, pid_t pid);

  void ReadLoop() EXCLUDES(mu_);
  void OnAnswer(Message answer) EXCLUDES(mu_);
  [[noreturn]] void EndLikeIt();

  const int socket_;
  Wire wire_;
  const pid_t pid_;

  base::Mutex mu_;
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  bool has_ended_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t calls_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t instances_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, Done> questions_ ABSL_GUARDED_BY(mu_);  // unanswered
  std::map<uint64_t, std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mu_);

  labrpc::TimerQueue calls_on_the_way_;
  std::thread reader_;  // started last
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_RAFT_PROCESS_H_
