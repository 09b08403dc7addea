// A small cluster that elects leaders and applies what they commit, in plain
// std:: code: threads, messages that take their time, timeouts, a thread that
// applies. A bug can be planted in it.
//
// What it is for: a program of the kind that the simulator is made for, which
// the simulator's own tests can break at will.
//
// Thread safety: Run() may be called once at a time.
// Invariants, without a bug: no term has two leaders, and all that is committed
// is applied when Run() returns.

#ifndef SIM_TEST_ELECTION_H_
#define SIM_TEST_ELECTION_H_

#include <chrono>

namespace sim::test {

enum class ElectionBug {
  kNone,
  kStaleReply,     // a vote counts in whatever term its reply arrives
  kDoubleVote,     // the lock is dropped between a vote's check and its grant
  kApplierAsleep,  // the applier's flag is set, and it is woken, without a lock
};

// Runs five servers for that time. Require()s what is always true; a bug may
// make it wait until the run is given up.
void RunElections(ElectionBug bug, std::chrono::milliseconds time);

}  // namespace sim::test

#endif  // SIM_TEST_ELECTION_H_
