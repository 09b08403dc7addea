// Switching between stacks within one real thread, and lending a real thread's
// stack and thread-local storage for that.
//
// Thread safety: LendStack() is called by the lender; all else by the thread
// that holds the token.

#ifndef SIM_FIBER_H_
#define SIM_FIBER_H_

#include "sim/thread.h"

namespace sim {

// Notes the calling real thread's stack and thread pointer in `thread`, gives
// its `is_ready`, and sleeps until the process ends.
[[noreturn]] void LendStack(Thread* thread);

// Has the next SwitchStack(.., thread) begin in `body`, at the top of the
// thread's stack. `body` must not return.
void PrepareStack(Thread* thread, void (*body)());

// Saves where `from` is and continues where `to` is, with its stack and its
// thread-local storage. Returns when `from` is switched to again.
void SwitchStack(Thread* from, Thread* to);

// Leaves the current stack for its top, and continues in `body`.
[[noreturn]] void JumpToStackTop(Thread* me, void (*body)());

}  // namespace sim

#endif  // SIM_FIBER_H_
