// What main() has decided for all clusters of the process: their observers and
// their disks.
//
// Nothing below main() reads the process's environment; main() does, and calls
// SetEnvironment(). Without it nothing observes.
//
// Thread safety: SetEnvironment() is called once, before any cluster is made;
// TheEnvironment() from any thread.

#ifndef TESTS_HARNESS_ENVIRONMENT_H_
#define TESTS_HARNESS_ENVIRONMENT_H_

#include <functional>

#include "tests/harness/failure.h"
#include "tests/harness/observers.h"

namespace harness {

// Ends the test at its next check, with that failure. May be called by an
// observer on any thread, under no lock.
using OnError = std::function<void(const Failure&)>;

// Makes the observers of a group of `servers` servers, none of which runs yet.
// The groups of a network have different numbers; 0 is the first one made.
using MakeObservers =
    std::function<Observers::List(int group, int servers, OnError)>;

struct Environment {
  MakeObservers make_observers = [](int, int, const OnError&) {
    return Observers::List();
  };

  // Flushes of the servers' disks take time: persister/slow_disk.h.
  bool slow_disks = false;

  // The Raft under test saves what raft/saved_state.h here does not read.
  bool opaque_disks = false;
};

void SetEnvironment(Environment environment);
const Environment& TheEnvironment();

}  // namespace harness

#endif  // TESTS_HARNESS_ENVIRONMENT_H_
