// Programs with a bug of a kind that real programs have, each also without it.
// How often a seed shows the bug is the measure of the simulator's schedules.
//
// A bug shows as a deadlock, or as a Require() that does not hold. Threads that
// have nothing to do with it make noise beside it.
//
// Thread safety: one at a time; each joins the threads that it starts.

#ifndef SIM_TEST_BUGS_H_
#define SIM_TEST_BUGS_H_

namespace sim::test {

enum class Version { kCorrect, kBuggy };

// A flag is tested outside of the lock and its notification sent without it, so
// it can come between test and wait.
void LostWakeup(Version version);

// Two threads take two locks in opposite order.
void LockOrder(Version version);

// A vote is granted in a second critical section, after the check in a first
// one: two rivals may both have passed it.
void CheckThenAct(Version version);

// The same, but the second rival comes 2 ms later: only a thread that is
// stopped for that long is overtaken.
void CheckThenActLate(Version version);

// Five steps of two threads must come in just one order out of many.
void FiveSteps(Version version);

}  // namespace sim::test

#endif  // SIM_TEST_BUGS_H_
