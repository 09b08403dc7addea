// A program that logs at several levels from several threads, as the lab does,
// and prints a digest of the order in which its threads met.
//
// Run by trace_test.cc, simulated by SIM_SEED, with several GLOG_v:
// logging must not change the run.
//
// Thread safety: mu guards order.

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/logging.h"

namespace {

std::mutex mu;
std::string order;

void Work(int me) {
  for (int i = 0; i < 20; ++i) {
    VLOG(2) << "thread " << me << " round " << i;
    {
      const std::lock_guard<std::mutex> lock(mu);
      order.push_back(static_cast<char>('a' + me));
      VLOG(3) << "order so far " << order.size();
    }
    if (i % 4 == me % 4) {
      VLOG(1) << "thread " << me << " rests";
      std::this_thread::sleep_for(std::chrono::milliseconds(1 + me));
    }
  }
  LOG(INFO) << "thread " << me << " is done";
}

}  // namespace

int main(int, char** argv) {
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back(Work, i);
  for (std::thread& thread : threads) thread.join();
  std::printf("order=%s\n", order.c_str());
  return 0;
}
