// All children of the runner: it waits for them in one place, and nothing that
// a test has started outlives it.
//
// A process that leaves its test's process group and loses its parent becomes a
// child of this process. Where several tests run it is told by a mark in its
// environment to which of them it belongs; without a mark it belongs to none.
//
// Thread safety: for a process with one thread, the runner's. One object in a
// process: a child that is no test's process is taken for what a test has left.

#ifndef TESTS_RUNNER_CHILDREN_H_
#define TESTS_RUNNER_CHILDREN_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/runner/child_process.h"
#include "tests/runner/signals.h"

namespace runner {

class Children {
 public:
  using Clock = Child::Clock;
  using OnEnd = std::function<void(const ChildResult& result)>;

  // With `several` more than one runs at a time.
  explicit Children(bool several);
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Starts the program once more. `on_end` is called by Wait(), when the child
  // and all that it started are gone.
  void Start(ChildCommand command, OnEnd on_end);

  // Waits until a child says something or ends, an interrupt has come, or
  // `patience` is over; passes on what there is.
  void Wait(std::chrono::nanoseconds patience);

  // True once an interrupt has come: the caller ends all.
  bool interrupted() const { return signals_.interrupted(); }

  // Ends all, with End::kInterrupted, and calls their `on_end`.
  void EndAll();

 private:
  struct Running {
    std::unique_ptr<Child> child;
    std::string mark;
    OnEnd on_end;
  };

  void End(size_t index);
  bool IsStray(pid_t pid) const;
  bool BelongsToARunningTest(pid_t stray) const;
  void EndStrays();
  void ReapStrays();

  const SignalGuard signals_;
  const bool several_;
  int started_ = 0;
  const std::vector<pid_t> older_;  // a shell's that became this program
  std::vector<Running> running_;
};

}  // namespace runner

#endif  // TESTS_RUNNER_CHILDREN_H_
