#include "sim/sched.h"

#include "sim/random.h"

namespace sim {

constinit Scheduler scheduler;
thread_local Thread* self __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

// A thread that reads the clock this often and does nothing else waits for a
// time to come.
constexpr int kClockReads = 100;
constexpr Time kClockReadsCost = 10'000;

uint64_t Nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<uint64_t>(duration.count());
}

}  // namespace

void Scheduler::Begin(const Options& options, const Hooks& hooks,
                      Thread* main) {
  options_ = options;
  hooks_ = hooks;
  now_ = 0;
  alarm_ = kNever;
  no_stall_before_ = 0;
  random_state_ = options.seed * 0x2545f4914f6cdd1d + 7;
  hash_ = 0xcbf29ce484222325;
  steps_ = switches_ = threads_ = 0;
  live_ = clock_reads_ = runnable_ = timers_ = 0;
  current_ = main;
  Add(main);
  active_ = true;
}

Result Scheduler::ToResult() const {
  return {hash_, steps_, switches_, threads_,
          std::chrono::nanoseconds(static_cast<int64_t>(now_))};
}

// ------------------------------------------------------- scheduling points

void Scheduler::Point(Op op, const void* object) {
  ++steps_;
  clock_reads_ = 0;
  now_ += kPointCost;
  Mix(static_cast<uint64_t>(current_->id) << 8 | static_cast<uint64_t>(op));
  Mix(now_);
  if (hooks_.trace != nullptr) hooks_.trace(op, object);
  CheckTimeLimit();
  if (forking_ == current_) return;
  if (Chance(options_.stall) && now_ >= no_stall_before_) return Stall();
  FireTimers();
  if (runnable_ > 1 && Chance(options_.preempt)) SwitchTo(Pick());
  if (current_->pending_signal != 0) hooks_.pass_token(current_, current_);
}

void Scheduler::Stall() {
  const Time most = Nanoseconds(options_.longest_stall);
  const Time length = 1 + Random() % (most == 0 ? 1 : most);
  if (options_.stall_pause.count() > 0) {
    no_stall_before_ = now_ + length + Nanoseconds(options_.stall_pause);
  }
  Block(Wait::kStall, nullptr, now_ + length);
}

bool Scheduler::Block(Wait why, const void* address, Time deadline) {
  Thread* const thread = current_;
  RemoveRunnable(thread);
  thread->state = ThreadState::kBlocked;
  thread->wait = why;
  thread->timed_out = false;
  thread->is_exact = why == Wait::kYield;
  if (address != nullptr) AddWaiter(thread, address);
  thread->deadline = deadline;
  if (deadline != kNever) {
    AddTimer(thread);
  } else {
    hooks_.on_block(thread);
  }
  SwitchTo(Pick());
  return !thread->timed_out;
}

int Scheduler::Wake(const void* address, int count) {
  int woken = 0;
  for (; woken < count; ++woken) {
    int waiting = 0;
    for (Thread* t = *Bucket(address); t != nullptr; t = t->next_waiter) {
      if (t->address == address) ++waiting;
    }
    if (waiting == 0) break;
    uint64_t skip = waiting > 1 ? Random() % static_cast<uint64_t>(waiting) : 0;
    Thread* chosen = *Bucket(address);
    while (chosen->address != address || skip-- > 0) {
      chosen = chosen->next_waiter;
    }
    MakeRunnable(chosen, /*timed_out=*/false);
  }
  return woken;
}

Time Scheduler::ReadClock() {
  if (++clock_reads_ > kClockReads) {
    now_ += kClockReadsCost;
    Point(Op::kClock, nullptr);
  }
  return now_;
}

void Scheduler::SwitchTo(Thread* next) {
  Thread* const me = current_;
  if (next != me) SetCurrent(next);
  hooks_.pass_token(me, next);
}

Thread* Scheduler::Pick() {
  FireTimers();
  while (runnable_ == 0) MoveTime();
  if (runnable_ == 1) return run_set_[0];
  return run_set_[Random() % static_cast<uint64_t>(runnable_)];
}

// ------------------------------------------------------------ life of threads

void Scheduler::Add(Thread* thread) {
  thread->id = static_cast<int>(threads_++);
  thread->timer_index = -1;
  thread->address = nullptr;
  thread->wait = Wait::kNone;
  ++live_;
  AddRunnable(thread);
}

void Scheduler::Remove(Thread* thread) {
  RemoveRunnable(thread);
  thread->state = ThreadState::kEnded;
  --live_;
  Wake(thread, kMaxThreads);  // the thread that joins it
  if (live_ == 1) Wake(all_ended(), 1);
}

void Scheduler::ForgetOthers() {
  runnable_ = timers_ = 0;
  for (Thread*& bucket : buckets_) bucket = nullptr;
  live_ = 1;
  alarm_ = kNever;
  AddRunnable(current_);
}

// ----------------------------------------------------------------- randomness

uint64_t Scheduler::Random() { return NextRandom(&random_state_); }

bool Scheduler::Chance(double probability) {
  if (probability <= 0) return false;
  if (probability >= 1) return true;
  return static_cast<double>(Random() >> 11) * 0x1p-53 < probability;
}

void Scheduler::MixEvent(uint64_t event) {
  Mix(event);
  Mix(now_);
}

void Scheduler::Mix(uint64_t value) {
  hash_ = (hash_ ^ value) * 0x100000001b3;
  hash_ ^= hash_ >> 29;
}

// ----------------------------------------------------------------- run set

void Scheduler::AddRunnable(Thread* thread) {
  thread->state = ThreadState::kRunnable;
  thread->run_index = runnable_;
  run_set_[runnable_++] = thread;
}

void Scheduler::RemoveRunnable(Thread* thread) {
  Thread* const last = run_set_[--runnable_];
  run_set_[thread->run_index] = last;
  last->run_index = thread->run_index;
  thread->run_index = -1;
}

void Scheduler::MakeRunnable(Thread* thread, bool timed_out) {
  if (thread->timer_index >= 0) RemoveTimer(thread);
  if (thread->address != nullptr) RemoveWaiter(thread);
  thread->timed_out = timed_out;
  AddRunnable(thread);
}

// ------------------------------------------------------------------- timers

bool Scheduler::IsEarlier(const Thread* a, const Thread* b) {
  if (a->deadline != b->deadline) return a->deadline < b->deadline;
  return a->id < b->id;
}

void Scheduler::PlaceTimer(int index, Thread* thread) {
  timer_heap_[index] = thread;
  thread->timer_index = index;
}

void Scheduler::SiftUp(int index) {
  Thread* const thread = timer_heap_[index];
  while (index > 0 && IsEarlier(thread, timer_heap_[(index - 1) / 2])) {
    PlaceTimer(index, timer_heap_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  PlaceTimer(index, thread);
}

void Scheduler::SiftDown(int index) {
  Thread* const thread = timer_heap_[index];
  for (int child = 2 * index + 1; child < timers_; child = 2 * index + 1) {
    if (child + 1 < timers_ &&
        IsEarlier(timer_heap_[child + 1], timer_heap_[child])) {
      ++child;
    }
    if (!IsEarlier(timer_heap_[child], thread)) break;
    PlaceTimer(index, timer_heap_[child]);
    index = child;
  }
  PlaceTimer(index, thread);
}

void Scheduler::AddTimer(Thread* thread) {
  PlaceTimer(timers_++, thread);
  SiftUp(thread->timer_index);
}

void Scheduler::RemoveTimer(Thread* thread) {
  const int index = thread->timer_index;
  thread->timer_index = -1;
  Thread* const last = timer_heap_[--timers_];
  if (last == thread) return;
  PlaceTimer(index, last);
  SiftUp(index);
  SiftDown(last->timer_index);
}

void Scheduler::FireTimers() {
  while (timers_ > 0 && timer_heap_[0]->deadline <= now_) {
    MakeRunnable(timer_heap_[0], /*timed_out=*/true);
  }
  // A thread takes it that will run; until there is one, it waits.
  if (alarm_ <= now_ && runnable_ > 0) {
    alarm_ = kNever;
    hooks_.on_alarm(run_set_[0]);
  }
}

// No thread can run: to the earliest timer, and a little on, so that timers
// which are close together fire together.
void Scheduler::MoveTime() {
  Time next = alarm_ > now_ ? alarm_ : kNever;
  if (timers_ > 0 && timer_heap_[0]->deadline < next) {
    const Time slack = Nanoseconds(options_.slack);
    next = timer_heap_[0]->deadline;
    if (slack > 0 && !timer_heap_[0]->is_exact) next += Random() % slack;
  }
  if (!hooks_.await_peer(next)) {
    if (next == kNever) {
      GiveUp(kExitDeadlock, "every thread waits, and for no time to come");
    }
    AdvanceTo(next);
  }
  CheckTimeLimit();
  FireTimers();
}

void Scheduler::CheckTimeLimit() {
  if (now_ <= Nanoseconds(options_.time_limit)) return;
  GiveUp(kExitTimeLimit, "the run has lasted too long (SIM_LIMIT)");
}

void Scheduler::GiveUp(int status, const char* what) {
  hooks_.give_up(status, what);
  __builtin_unreachable();
}

// -------------------------------------------------------------- wait queues

Thread** Scheduler::Bucket(const void* address) {
  const auto key = reinterpret_cast<uint64_t>(address) >> 3;
  return &buckets_[key * 0x9e3779b97f4a7c15 >> 54];
}

void Scheduler::AddWaiter(Thread* thread, const void* address) {
  Thread** const bucket = Bucket(address);
  thread->address = address;
  thread->previous_waiter = nullptr;
  thread->next_waiter = *bucket;
  if (*bucket != nullptr) (*bucket)->previous_waiter = thread;
  *bucket = thread;
}

void Scheduler::RemoveWaiter(Thread* thread) {
  if (thread->previous_waiter != nullptr) {
    thread->previous_waiter->next_waiter = thread->next_waiter;
  } else {
    *Bucket(thread->address) = thread->next_waiter;
  }
  if (thread->next_waiter != nullptr) {
    thread->next_waiter->previous_waiter = thread->previous_waiter;
  }
  thread->address = nullptr;
}

}  // namespace sim
