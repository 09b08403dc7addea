// The stacks of all threads of this process, for a test that hangs.
//
// Thread safety: any thread may call it, one at a time. It interrupts every
// other thread with a signal; blocked system calls may return EINTR, so it is
// meant for a process that is about to end.

#ifndef TESTS_RUNNER_STACKS_H_
#define TESTS_RUNNER_STACKS_H_

namespace runner {

// Writes the stack of every thread but the caller's to `fd`: functions by name
// where symbols are there, with file and line where addr2line is installed.
// Threads are numbered by age. One that does not answer within 2 s is named as
// such; one that blocks all signals is a sanitizer's, and left out. Blocks for
// some seconds at most.
void PrintAllStacks(int fd);

}  // namespace runner

#endif  // TESTS_RUNNER_STACKS_H_
