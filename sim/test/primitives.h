// The standard library's primitives, one conformance test each: what the
// standard (or POSIX, where C++ has no such thing) promises, no less and, where
// time is virtual, no later.
//
// Each is a plain function that runs natively and under any schedule: nothing
// in it may depend on which thread is faster. Require() says what does not
// hold.
//
// Thread safety: one at a time; each joins the threads that it starts.

#ifndef SIM_TEST_PRIMITIVES_H_
#define SIM_TEST_PRIMITIVES_H_

#include <vector>

namespace sim::test {

struct Primitive {
  const char* name;
  void (*run)();
};

std::vector<Primitive> Mutexes();     // mutexes.cc
std::vector<Primitive> Conditions();  // conditions.cc
std::vector<Primitive> Threads();     // threads.cc
std::vector<Primitive> Once();        // once.cc: statics, thread_local too
std::vector<Primitive> Futures();     // futures.cc
std::vector<Primitive> Rendezvous();  // rendezvous.cc: atomics to semaphores
std::vector<Primitive> Posix();       // posix.cc
std::vector<Primitive> TimedCalls();  // timed_calls.cc: times that are none
std::vector<Primitive> Clocks();      // clocks.cc: sleeps, randomness too

// All of them.
std::vector<Primitive> AllPrimitives();

}  // namespace sim::test

#endif  // SIM_TEST_PRIMITIVES_H_
