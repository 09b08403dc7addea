// Clients that each have one call in progress until all have done their share.

#ifndef BENCH_CLOSED_LOOP_H_
#define BENCH_CLOSED_LOOP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "rpc/rpc.h"

namespace bench {

struct Operation {
  bool is_read;
  std::string key;
  std::string value;  // otherwise
};

// `Api` has the methods of a key/value service: kGet, kPutAppend.
//
// Thread safety: Run() by one thread; answers come on the network's.
template <typename Api>
class ClosedLoop {
 public:
  struct Client {
    std::shared_ptr<rpc::ClientEnd> end;  // leads to the leader
    uint64_t session = 0;
    uint64_t number = 0;  // of the last write
    uint64_t done = 0;
    uint64_t share = 0;
  };

  explicit ClosedLoop(std::vector<Client> clients)
      : clients_(std::move(clients)) {}
  ~ClosedLoop() {
    for (Client& client : clients_) client.end->Close();
  }
  ClosedLoop(const ClosedLoop&) = delete;
  ClosedLoop& operator=(const ClosedLoop&) = delete;

  // What a client does as its operation of that number, from 0.
  using Choose = std::function<Operation(int client, uint64_t number)>;

  // False if a call failed: a leader lost office.
  bool Run(uint64_t operations, const Choose& choose) EXCLUDES(mu_) {
    {
      base::MutexLock lock(&mu_);
      choose_ = choose;
      busy_ = clients_.size();
    }
    for (Client& client : clients_) {
      client.done = 0;
      client.share = operations / clients_.size();
      Next(&client);
    }
    base::MutexLock lock(&mu_);
    while (busy_ > 0) all_done_.Wait(&mu_);
    return !failed_;
  }

 private:
  void Next(Client* client) {
    if (client->done == client->share || failed_) return Finish();
    Operation operation =
        choose_(static_cast<int>(client - clients_.data()), client->done++);
    auto on_reply = [this, client](const auto& reply) {
      using Err = decltype(reply->err);
      if (!reply.has_value() ||
          (reply->err != Err::kOk && reply->err != Err::kNoKey)) {
        failed_ = true;
      }
      Next(client);
    };
    if (operation.is_read) {
      client->end->CallAsync(Api::kGet, {std::move(operation.key)}, on_reply);
    } else {
      client->end->CallAsync(Api::kPutAppend,
                             {.key = std::move(operation.key),
                              .value = std::move(operation.value),
                              .session = client->session,
                              .number = ++client->number},
                             on_reply);
    }
  }

  void Finish() EXCLUDES(mu_) {
    base::MutexLock lock(&mu_);
    if (--busy_ == 0) all_done_.Signal();
  }

  std::vector<Client> clients_;
  Choose choose_;  // set while no client runs
  std::atomic<bool> failed_ = false;

  base::Mutex mu_;
  base::CondVar all_done_;
  size_t busy_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace bench

#endif  // BENCH_CLOSED_LOOP_H_
