#include "sim/fiber.h"

#include <pthread.h>

#include "sim/raw.h"

extern "C" {
// Pushes what a called function must preserve, stores the stack pointer, and
// takes the other stack, where the same was done or PrepareStack() did it.
void SimSwitchStack(void** save, void* stack, void* fs_base);
// Sleeps until the process ends, with this stack pointer and, without using the
// stack.
[[noreturn]] void SimPark(void* stack);
}

asm(R"(
  .text
  .globl SimSwitchStack
  .type SimSwitchStack, @function
SimSwitchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  wrfsbase %rdx
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size SimSwitchStack, .-SimSwitchStack

  .globl SimPark
  .type SimPark, @function
SimPark:
  movq %rdi, %rsp
1:
  movl $34, %eax
  syscall
  jmp 1b
  .size SimPark, .-SimPark
)");

namespace sim {
namespace {

// How this thread rounds, in SSE (low half) and in x87 (high half). A new
// thread inherits it.
uint64_t ControlWords() {
  uint32_t mxcsr = 0;
  uint16_t x87 = 0;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
  return uint64_t{x87} << 32 | mxcsr;
}

// Between what a real thread has on its stack and what a fiber puts there.
constexpr size_t kRoom = 4096;

}  // namespace

void LendStack(Thread* thread) {
  thread->stack_top = static_cast<char*>(__builtin_frame_address(0)) - kRoom;
  thread->fs_base = __builtin_thread_pointer();
  // The lender sleeps at the far end of its stack: a leak checker looks for
  // pointers from there on, and so finds those of the fiber.
  pthread_attr_t attributes;
  void* lowest = nullptr;
  size_t size = 0;
  size_t guard = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_getguardsize(&attributes, &guard);
  pthread_attr_destroy(&attributes);
  Give(&thread->is_ready);
  SimPark(static_cast<char*>(lowest) + guard + kRoom);
}

void PrepareStack(Thread* thread, void (*body)()) {
  const auto top = reinterpret_cast<uintptr_t>(thread->stack_top) & ~15ul;
  auto* word = reinterpret_cast<uint64_t*>(top);
  *--word = 0;  // no caller: stacks end here
  *--word = reinterpret_cast<uint64_t>(body);
  for (int i = 0; i < 6; ++i) *--word = 0;  // rbp, rbx, r12 to r15
  *--word = ControlWords();
  thread->stack_pointer = word;
}

void SwitchStack(Thread* from, Thread* to) {
  SimSwitchStack(&from->stack_pointer, to->stack_pointer, to->fs_base);
}

void JumpToStackTop(Thread* me, void (*body)()) {
  PrepareStack(me, body);
  void* left = nullptr;
  SimSwitchStack(&left, me->stack_pointer, me->fs_base);
  __builtin_unreachable();
}

}  // namespace sim
