// Programs that never end, each in its own way, and two that do; the argument
// says which.
//
// Run by reports_test.cc, simulated by SIM_SEED, to read what the
// simulator says about it.
//
// Thread safety: each program makes its own threads, and has no more state.

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

// Prints a line each virtual second, until the process ends: so there is always
// a timer.
void Tick() {
  for (int i = 1;; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    std::printf("tick %d\n", i);
    std::fflush(stdout);
  }
}

}  // namespace

// Not in the anonymous namespace, so that their names are in the stacks.

void TakeOneThenOther(std::mutex* one, std::mutex* other, std::latch* both) {
  const std::lock_guard<std::mutex> lock(*one);
  both->arrive_and_wait();
  const std::lock_guard<std::mutex> never(*other);
}

void TwoMutexes() {
  std::mutex a;
  std::mutex b;
  std::latch both(2);
  std::thread ticker(Tick);
  std::thread first([&] {
    pthread_setname_np(pthread_self(), "first");
    TakeOneThenOther(&a, &b, &both);
  });
  std::thread second([&] {
    pthread_setname_np(pthread_self(), "second");
    TakeOneThenOther(&b, &a, &both);
  });
  first.join();
  second.join();
  ticker.join();
}

void LockTwice() {
  std::thread ticker(Tick);
  pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mu);
  pthread_mutex_lock(&mu);
  ticker.join();
}

// Three threads join each other in a cycle (the C library sees two that do).
void JoinCycle() {
  std::thread ticker(Tick);
  constexpr size_t kThreads = 3;
  std::vector<std::thread> threads(kThreads);
  std::latch all_known(kThreads + 1);
  for (size_t i = 0; i < kThreads; ++i) {
    threads[i] = std::thread([&, i] {
      all_known.arrive_and_wait();
      threads[(i + 1) % kThreads].join();
    });
  }
  all_known.arrive_and_wait();
  ticker.join();
}

// A thread waits for a mutex whose holder joins that thread.
void JoinUnderLock() {
  std::thread ticker(Tick);
  std::mutex mu;
  std::latch is_locked(2);
  std::thread waits([&] {
    is_locked.arrive_and_wait();
    const std::lock_guard<std::mutex> lock(mu);
  });
  const std::lock_guard<std::mutex> lock(mu);
  is_locked.arrive_and_wait();
  waits.join();
  ticker.join();
}

// The initialization of a static variable waits for a lock whose holder waits
// for that variable.
void StaticUnderLock() {
  static std::mutex mu;
  static std::latch both_began(2);
  static const auto value = [] {
    static const int number = [] {
      both_began.arrive_and_wait();
      const std::lock_guard<std::mutex> lock(mu);
      return 1;
    }();
    return number;
  };
  std::thread ticker(Tick);
  std::thread initializes([] { value(); });
  const std::lock_guard<std::mutex> lock(mu);
  both_began.arrive_and_wait();
  value();
  initializes.join();
  ticker.join();
}

void WaitForever() {
  std::mutex mu;
  std::condition_variable never;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      std::unique_lock<std::mutex> lock(mu);
      for (;;) never.wait(lock);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void SpinOnAtomic() {
  std::atomic<bool> is_done{false};
  std::thread sets([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    is_done = true;
  });
  while (!is_done) {
  }
  sets.join();
}

// Nothing else moves, and this thread only looks.
void SpinForEver() {
  std::atomic<bool> never{false};
  std::thread sleeps(
      [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  while (!never) {
  }
  sleeps.join();
}

// As programs poll; the loops come to no scheduling point.
void Poll() {
  using std::chrono::milliseconds;
  for (int i = 1; i <= 3; ++i) {
    std::future<int> task = std::async(std::launch::async, [i] {
      std::this_thread::sleep_for(milliseconds(30));
      return i;
    });
    while (task.wait_for(milliseconds(0)) != std::future_status::ready) {
    }
    std::printf("task %d\n", task.get());
  }
  std::jthread polls([](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
    }
  });
  std::this_thread::sleep_for(milliseconds(30));
  polls.request_stop();
  polls.join();
  std::puts("stopped");
}

void ReadFromPipe() {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return;
  char byte = 0;
  if (read(ends[0], &byte, 1) == 1) std::puts("read a byte");
}

void TickForEver() { Tick(); }

void MeetAtPosixBarrier() {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, 1);
  pthread_barrier_wait(&barrier);
}

void Pause() { pause(); }

void SuspendForSignal() {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
}

// As a server ends whose signals have a thread of their own.
void AwaitSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([&set] {
    int signal = 0;
    sigwait(&set, &signal);
  }).join();
}

void AwaitSignalInfo() {
  sigset_t none;
  sigemptyset(&none);
  sigwaitinfo(&none, nullptr);
}

void AwaitSignalForAMoment() {
  sigset_t none;
  sigemptyset(&none);
  const timespec second = {1, 0};
  sigtimedwait(&none, nullptr, &second);
}

// The C++ library runs each task inside a call_once().
void ManyTasks() {
  std::vector<std::future<int>> tasks;
  for (int i = 0; i < 2000; ++i) {
    tasks.push_back(std::async(std::launch::async, [i] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return i;
    }));
  }
  long sum = 0;
  for (std::future<int>& task : tasks) sum += task.get();
  std::printf("sum %ld\n", sum);
}

void StartAnother() {
  execl("/proc/self/exe", "program_hangs", "nothing", nullptr);
}

int main(int argc, char** argv) {
  const std::map<std::string, void (*)()> programs = {
      {"two_mutexes", TwoMutexes},
      {"lock_twice", LockTwice},
      {"join_cycle", JoinCycle},
      {"join_under_lock", JoinUnderLock},
      {"static_under_lock", StaticUnderLock},
      {"wait_forever", WaitForever},
      {"spin_on_atomic", SpinOnAtomic},
      {"spin_for_ever", SpinForEver},
      {"poll", Poll},
      {"read_from_pipe", ReadFromPipe},
      {"tick_for_ever", TickForEver},
      {"posix_barrier", MeetAtPosixBarrier},
      {"pause", Pause},
      {"sigsuspend", SuspendForSignal},
      {"sigwait", AwaitSignal},
      {"sigwaitinfo", AwaitSignalInfo},
      {"sigtimedwait", AwaitSignalForAMoment},
      {"many_tasks", ManyTasks},
      {"start_another", StartAnother},
      {"nothing", [] { std::puts("done"); }},
  };
  const auto program = programs.find(argc > 1 ? argv[1] : "");
  if (program == programs.end()) return 1;
  program->second();
  return 0;
}
