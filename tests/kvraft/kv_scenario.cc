#include "tests/kvraft/kv_scenario.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"
#include "rpc/codec.h"

namespace tests {

using harness::KvCluster;
using harness::Place;
using labrpc::Ruling;

bool IsExecuted(const labrpc::Packet& packet) {
  if (packet.kind != labrpc::Packet::Kind::kReply ||
      packet.method != kvraft::kPutAppend.name) {
    return false;
  }
  const auto reply = rpc::Decode<kvraft::Reply>(packet.bytes);
  return reply.ok() && reply->err == kvraft::Err::kOk;
}

KvScenario::KvScenario(std::string_view title, KvCluster::Options options,
                       Place place)
    : cluster(WithTap(std::move(options)), place) {
  cluster.Begin(title);
}

KvCluster::Options KvScenario::WithTap(KvCluster::Options options) {
  options.tap = [this, of_raft = tap_.Handler()](const labrpc::Packet& packet) {
    const Ruling ruling = Ask(packet);
    return ruling == Ruling::kPass ? of_raft(packet) : ruling;
  };
  return options;
}

void KvScenario::TapClient(int client, labrpc::Tap tap) {
  base::MutexLock lock(&mu_);
  tapped_ = absl::StrCat("C", client, "-");
  client_tap_ = std::move(tap);
}

Ruling KvScenario::Ask(const labrpc::Packet& packet) {
  base::MutexLock lock(&mu_);
  const bool is_tapped =
      client_tap_ != nullptr && packet.end.starts_with(tapped_);
  return is_tapped ? client_tap_(packet) : Ruling::kPass;
}

void KvScenario::Stall(raft::ServerId leader) {
  tap_.Drop(harness::AppendEntriesReplies().To(leader));
}

}  // namespace tests
