"""The changes that mutate.py makes: each breaks the simulator in one place.

`old` must stand exactly once in the file; the changed file must compile without
warnings. `breaks` completes "it ...". A change that cannot be noticed from the
outside (nothing but speed) does not belong here.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One fault: in `path`, `new` takes the place of `old`."""
    name: str
    breaks: str
    path: str
    old: str
    new: str


LOCK = "sim/interpose_lock.cc"
WAIT = "sim/interpose_wait.cc"
THREAD = "sim/interpose_thread.cc"
TIME = "sim/interpose_time.cc"
PROCESS = "sim/interpose_process.cc"
SCHED = "sim/sched.cc"
ENGINE = "sim/engine.cc"

MUTANTS = [
    # A thread is not woken, or too early.
    Mutant("unlock-wake", "wakes no thread when a mutex is unlocked", LOCK,
           "  scheduler.Wake(mutex, 1);\n", ""),
    Mutant("rwlock-wake", "wakes no thread when a read-write lock is unlocked",
           LOCK, "  scheduler.Wake(lock, Scheduler::kMaxThreads);\n", ""),
    Mutant("signal-wake", "wakes no thread at a condition variable's signal",
           WAIT, "  scheduler.Wake(condition, 1);\n", ""),
    Mutant("broadcast-wake", "wakes one at a condition variable's broadcast",
           WAIT, "scheduler.Wake(condition, sim::Scheduler::kMaxThreads);",
           "scheduler.Wake(condition, 1);"),
    Mutant("wait-not-atomic", "may switch between unlocking and waiting", WAIT,
           "  UnlockMutex(mutex);\n",
           "  UnlockMutex(mutex);\n  scheduler.Point(Op::kUnlock, mutex);\n"),
    Mutant("post-wake", "wakes no thread when a semaphore is posted", WAIT,
           "    scheduler.Wake(semaphore, 1);\n", ""),
    Mutant("futex-value", "waits at a futex whatever its value is", WAIT,
           "if (__atomic_load_n(call.word, __ATOMIC_SEQ_CST) != call.value) {",
           "if (false) {"),
    Mutant("join-wait", "joins threads that still run", THREAD,
           "while (!HasEnded(thread)) {", "while (false) {"),
    Mutant("join-wake", "does not wake the thread that joins", SCHED,
           "  Wake(thread, kMaxThreads);  // the thread that joins it\n", ""),
    Mutant("timeout", "never says that a wait has timed out", SCHED,
           "  thread->timed_out = timed_out;\n",
           "  thread->timed_out = timed_out && false;\n"),
    Mutant("guard", "lets two threads initialize a static variable", LOCK,
           "if (!OnSimulatedThread()) return Real().cxa_guard_acquire(guard);",
           "return Real().cxa_guard_acquire(guard);"),
    Mutant("guard-wake", "wakes no thread when a static variable is ready",
           LOCK, "Real().cxa_guard_release(guard);\n"
           "  if (OnSimulatedThread()) sim::EndBusy(guard);",
           "Real().cxa_guard_release(guard);"),

    # Time.
    Mutant("slack", "fires timers exactly", SCHED,
           "next += Random() % slack;", "next += 0;"),
    Mutant("early-sleep", "ends sleeps half way", TIME,
           "scheduler.Block(Wait::kSleep, nullptr, deadline);",
           "scheduler.Block(Wait::kSleep, nullptr,\n"
           "                  scheduler.now() / 2 + deadline / 2);"),
    Mutant("clock-backwards", "shows times that decrease now and then", TIME,
           "return now + (IsRealtime(clock)",
           "return (now ^ 0x80000) + (IsRealtime(clock)"),

    # Choice.
    Mutant("preemption", "never preempts", SCHED,
           "Chance(options_.preempt)", "Chance(0 * options_.preempt)"),
    Mutant("stall", "never stalls a thread", SCHED,
           "Chance(options_.stall)", "Chance(0 * options_.stall)"),
    Mutant("pick", "always picks the same of those that can run", SCHED,
           "return run_set_[Random() % static_cast<uint64_t>(runnable_)];",
           "return run_set_[0];"),
    Mutant("seed", "draws the same for every seed", SCHED,
           "random_state_ = options.seed * 0x2545f4914f6cdd1d + 7;",
           "random_state_ = 7;"),

    Mutant("spin", "lets a thread that spins go on", "sim/spin.cc",
           "scheduler.Block(Wait::kYield, nullptr, scheduler.now() + kSleep);",
           ""),
    Mutant("no-time", "takes a time that is none for a time",
           "sim/interpose.h", "return 0 <= time.tv_nsec &&",
           "return 0 != time.tv_nsec ||"),

    # What makes two runs differ.
    Mutant("reap", "goes on while a dead thread's memory is not yet freed",
           ENGINE, "next->must_vanish = tid;", "next->must_vanish = 0 * tid;"),
    Mutant("random-device", "leaves the random device real", PROCESS,
           "return static_cast<unsigned>(scheduler.Random());",
           "return Real().random_device(device);"),
    Mutant("addresses", "leaves addresses random", "sim/process.cc",
           "personality(persona | ADDR_NO_RANDOMIZE)", "personality(persona)"),
    Mutant("logging", "takes glog's calls for the program's",
           "sim/logging_code.h", "address < range.end) return true;",
           "address < range.end) return false;"),

    # Threads that use a real one again.
    Mutant("thread-local", "starts threads with the thread_locals of others",
           ENGINE, "  ResetThreadLocals();\n", ""),
    Mutant("thread-exit", "destroys no thread_local variable", ENGINE,
           "  RunThreadExits(me);\n", ""),
    Mutant("fork-threads", "takes the threads into a forked child", ENGINE,
           "  scheduler.ForgetOthers();\n", ""),
    Mutant("fork-lenders", "counts on the lenders in a forked child", ENGINE,
           "  for (Thread*& first : free_records) first = nullptr;\n", ""),

    # Reports.
    Mutant("cycle", "does not look for cycles of waiting threads", SCHED,
           "    hooks_.on_block(thread);\n", ""),
]
