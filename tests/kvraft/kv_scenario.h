// A cluster of the key/value service whose leader is the test's choice, and
// what scenarios are made of.
//
// Thread safety: for the test's main thread.

#ifndef TESTS_KVRAFT_KV_SCENARIO_H_
#define TESTS_KVRAFT_KV_SCENARIO_H_

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "kvraft/messages.h"
#include "labrpc/tap.h"
#include "raft/types.h"
#include "rpc/rpc.h"
#include "tests/harness/failure.h"
#include "tests/harness/kv_cluster.h"
#include "tests/harness/service_scenario.h"

namespace tests {

// Whether that is the answer to a Put or an Append, which says that it was
// executed.
bool IsExecuted(const labrpc::Packet& packet);

class KvScenario : public harness::ServiceScenario {
 public:
  // Makes the cluster and prints the title. The options' tap is its own.
  explicit KvScenario(std::string_view title,
                      harness::KvCluster::Options options = {.servers = 3},
                      harness::Place place = harness::Place::Here());

  // The leader, elected so, gets no more answers from the other servers: its
  // entries do not commit. They hear it, so that none starts an election. Until
  // LeaveFree().
  void Stall(raft::ServerId leader);

  // What becomes of messages between that client and the servers. Runs under
  // the rules of labrpc::Tap.
  void TapClient(int client, labrpc::Tap tap) EXCLUDES(mu_);

  // Calls that server at once, past any Clerk.
  template <typename Args, typename Reply>
  static std::future<std::optional<Reply>> Call(
      rpc::ClientEnd* server, const rpc::Method<Args, Reply>& method,
      const std::type_identity_t<Args>& args) {
    auto promise = std::make_shared<std::promise<std::optional<Reply>>>();
    server->CallAsync(method, args, [promise](std::optional<Reply> reply) {
      promise->set_value(std::move(reply));
    });
    return promise->get_future();
  }

  template <typename Reply>
  static bool IsReady(const std::future<Reply>& future) {
    return future.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }

  // Waits for the answer; a call that has failed has none.
  template <typename Reply>
  std::optional<Reply> Await(std::future<std::optional<Reply>>* future,
                             harness::Place place = harness::Place::Here()) {
    WaitUntil(
        "a call to end", [future] { return IsReady(*future); }, place);
    return future->get();
  }

  // Calls that server again and again until it has executed the request, as a
  // Clerk does: it may lose its office for a moment.
  template <typename Args, typename Reply>
  Reply Execute(rpc::ClientEnd* server, const rpc::Method<Args, Reply>& method,
                const std::type_identity_t<Args>& args,
                harness::Place place = harness::Place::Here()) {
    std::optional<Reply> reply;
    WaitUntil(
        "a call to be executed",
        [&] {
          auto call = Call(server, method, args);
          reply = Await(&call, place);
          return reply.has_value() && reply->err == kvraft::Err::kOk;
        },
        place);
    return *std::move(reply);
  }

 private:
  harness::ServiceCluster& stage() override { return cluster.stage(); }
  labrpc::Ruling Ask(const labrpc::Packet& packet) EXCLUDES(mu_);
  harness::KvCluster::Options WithTap(harness::KvCluster::Options options);

  base::Mutex mu_;
  std::string tapped_ ABSL_GUARDED_BY(mu_);  // begin of its ends' names
  labrpc::Tap client_tap_ ABSL_GUARDED_BY(mu_);

 public:
  harness::KvCluster cluster;
};

}  // namespace tests

#endif  // TESTS_KVRAFT_KV_SCENARIO_H_
