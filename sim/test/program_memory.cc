// What only a program that is built for simmem.cc shows: spinning on an atomic
// ends, and updates that no lock protects get lost.
//
// Run by memory_test.cc. The Makefile compiles it with -fsanitize=thread
// and links simmem.cc in the place of ThreadSanitizer's library.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

namespace {

constexpr int kUpdates = 200;

void Spin() {
  std::atomic<bool> is_done{false};
  std::thread sets([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    is_done = true;
  });
  while (!is_done) {
  }
  sets.join();
  std::puts("done");
}

void Update() {
  // Volatile, or the compiler adds them up and updates once.
  volatile int updates = 0;
  const auto update = [&updates] {
    for (int i = 0; i < kUpdates; ++i) updates = updates + 1;
  };
  std::thread other(update);
  update();
  other.join();
  std::puts(updates == 2 * kUpdates ? "all" : "lost");
}

void UpdateAtomically() {
  std::atomic<int> updates{0};
  const auto update = [&updates] {
    for (int i = 0; i < kUpdates; ++i) ++updates;
  };
  std::thread other(update);
  update();
  other.join();
  std::puts(updates == 2 * kUpdates ? "all" : "lost");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "spin") {
    Spin();
  } else if (what == "update") {
    Update();
  } else if (what == "update_atomically") {
    UpdateAtomically();
  } else {
    std::fputs("give one of: spin, update, update_atomically\n", stderr);
    return 2;
  }
}
