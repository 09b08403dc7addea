// A process of the Raft under test, as the tests see it.
//
// It runs the program that RAFT_PROGRAM names, in the confinement of
// confine.cc. The n-th incarnations of all servers share the test's n-th
// process, so that a server which restarts knows what is on its disk and
// nothing else. (After kMostProcesses the first comes again: what it knows of a
// server is that many incarnations old.) However a process ends before the test
// does, this process ends in the same way, so that the runner reports it as the
// test's.
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
  // The one for the next incarnation of that server, started if need be.
  static RaftProcess& For(raft::ServerId server);

  // Ends all of this test, and waits for that. If one fails then, this process
  // ends in the same way.
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

  void Tell(const Message& message) { wire_.Send(message); }

  // Runs `call`, a call to a peer, a little later. Start() takes some hops
  // between the processes; without the delay a command would be committed by
  // the time it returns, and tests look at that then.
  void AfterDelay(std::function<void()> call) {
    calls_on_the_way_.After(std::chrono::microseconds(200), std::move(call));
  }

 private:
  RaftProcess(int socket, pid_t pid);

  void End() EXCLUDES(mu_);
  void ReadLoop();
  void OnAnswer(Message answer) EXCLUDES(mu_);
  [[noreturn]] void EndLikeIt();

  const int socket_;
  Wire wire_;
  const pid_t pid_;

  base::Mutex mu_;
  base::CondVar answered_;
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t calls_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t instances_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, std::optional<Message>> questions_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, std::weak_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mu_);

  labrpc::TimerQueue calls_on_the_way_;
  std::thread reader_;  // started last
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_RAFT_PROCESS_H_
