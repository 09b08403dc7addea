// A program outside this tree: three counters on the simulated network count to
// 55. tools/install_test.sh builds it from the installed module alone.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "examples/counter/counter.h"
#include "labrpc/network.h"
#include "persister/simulated_disk.h"

namespace {

constexpr int kServers = 3;

std::unique_ptr<Counter> StartServer(int me, labrpc::Network* network) {
  std::vector<std::shared_ptr<rpc::ClientEnd>> peers;
  for (int to = 0; to < kServers; ++to) {
    const std::string link = std::to_string(me) + "->" + std::to_string(to);
    peers.push_back(network->MakeEnd(link));
    network->Connect(link, std::to_string(to));
    network->Enable(link, true);
  }
  auto counter = std::make_unique<Counter>(
      std::move(peers), me, std::make_shared<persister::SimulatedDisk>());
  auto host = std::make_shared<labrpc::Server>();
  for (rpc::Service& service : counter->Services()) {
    host->AddService(std::move(service));
  }
  network->AddServer(std::to_string(me), std::move(host));
  return counter;
}

// Adds on the leader, once there is one; returns the total.
int64_t Add(const std::vector<std::unique_ptr<Counter>>& counters, int64_t n) {
  while (true) {
    for (const auto& counter : counters) {
      if (const auto total = counter->Add(n)) return *total;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

int main(int, char** argv) {
  google::InitGoogleLogging(argv[0]);
  labrpc::Network network;
  std::vector<std::unique_ptr<Counter>> counters;
  for (int me = 0; me < kServers; ++me) {
    counters.push_back(StartServer(me, &network));
  }
  for (int64_t n = 1; n <= 10; ++n) Add(counters, n);
  std::cout << "3 servers count " << Add(counters, 0) << std::endl;
  network.Cleanup();
  return EXIT_SUCCESS;
}
