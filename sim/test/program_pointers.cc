// A program whose behavior depends on addresses: of its heap, its threads'
// stacks, its thread control blocks and its variables. It prints a digest of
// what happened.
//
// Run by replay_test.cc and trace_test.cc, simulated by SIM_SEED. A seed
// replays it only if all addresses are the same.
//
// Thread safety: mu guards order and relay.

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

std::mutex mu;
std::vector<uint64_t> order;
std::deque<std::thread> relay;

uint64_t Address(const void* pointer) {
  return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(pointer));
}

void Note(uint64_t event) {
  const std::lock_guard<std::mutex> lock(mu);
  order.push_back(event);
}

// Walks a table in the order of its hashed addresses, and sleeps as they say.
void Work(int rounds) {
  int on_stack = 0;
  Note(Address(&on_stack));
  Note(static_cast<uint64_t>(pthread_self()));
  std::vector<std::unique_ptr<int>> values;
  std::unordered_map<const int*, int> numbers;
  for (int i = 0; i < rounds; ++i) {
    values.push_back(std::make_unique<int>(i));
    numbers.emplace(values.back().get(), i);
  }
  for (const auto& [address, number] : numbers) {
    Note(Address(address) ^ static_cast<uint64_t>(number));
    std::this_thread::sleep_for(
        std::chrono::microseconds(Address(address) / 16 % 1000));
  }
}

// Notes where its memory is, starts its successor and ends: what the C library
// does with the memory of threads that have ended decides where the next one
// finds its own.
void Relay(int generations) {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (size_t size = 16; size <= 4096; size *= 4) {
    blocks.push_back(std::make_unique<char[]>(size));
    Note(Address(blocks.back().get()));
  }
  if (generations == 0) return;
  std::this_thread::yield();
  const std::lock_guard<std::mutex> lock(mu);
  relay.emplace_back(Relay, generations - 1);
}

// Joins them all. Each stands in the list before its predecessor ends, so none
// is missed.
void JoinRelay() {
  for (size_t next = 0;; ++next) {
    std::thread thread;
    {
      const std::lock_guard<std::mutex> lock(mu);
      if (next == relay.size()) return;
      thread.swap(relay[next]);
    }
    thread.join();
  }
}

uint64_t Digest() {
  uint64_t digest = 0xcbf29ce484222325;
  for (const uint64_t event : order) {
    digest = (digest ^ event) * 0x100000001b3;
    digest ^= digest >> 29;
  }
  return digest;
}

}  // namespace

int main(int argc, char** argv) {
  Note(Address(&argc));
  Note(Address(argv));
  Note(std::random_device()());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(Work, 10 + i);
  {
    const std::lock_guard<std::mutex> lock(mu);
    for (int i = 0; i < 8; ++i) relay.emplace_back(Relay, 12);
  }
  for (std::thread& thread : threads) thread.join();
  JoinRelay();
  std::printf("digest=%016llx\n", static_cast<unsigned long long>(Digest()));
  return 0;
}
