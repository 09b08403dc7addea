// The stack of a thread that a signal ends, on standard error.
//
// Thread safety: called once, by main().

#ifndef TESTS_RUNNER_CRASH_H_
#define TESTS_RUNNER_CRASH_H_

namespace runner {

// From now on a crash prints the stack of its thread: a bad access, and an
// abort() for which no failed CHECK has printed one.
void PrintStackOnCrash();

}  // namespace runner

#endif  // TESTS_RUNNER_CRASH_H_
