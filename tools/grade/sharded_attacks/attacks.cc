// What a student's shardctrler and shardkv may try in order to get points
// without a service, as in ../attacks/: one attack is made by a program of its
// name; under any other name these do nothing. The headers are the skeleton's.
//
// Those of before_main.cc are made, too. None may earn a point, keep the
// grading from going on, or leave anything.

#include <errno.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"
#include "shardctrler/clerk.h"
#include "shardctrler/server.h"
#include "shardkv/clerk.h"
#include "shardkv/server.h"

namespace {

using shardctrler::Config;

std::string_view Name() { return program_invocation_short_name; }

void Loop() {
  for (volatile bool go = true; go;) {
  }
}

// ------------------------------------------------ as services that are none

// What a process knows by itself, in place of servers.
std::vector<Config> configs(1);
std::map<std::string, std::string> values;

class NoMachine : public rsm::StateMachine {
 public:
  std::string Apply(std::string_view /*command*/) override { return ""; }
  base::Rope Snapshot() override { return {}; }
  absl::Status Restore(const base::Rope& /*snapshot*/) override {
    return absl::OkStatus();
  }
};

void MaybeEnd() {
  if (Name() == "exits_in_a_call") std::exit(0);
  if (Name() == "loops_in_a_call") Loop();
  if (Name() == "throws_from_a_call") throw 1;
}

// As a right controller would, but here.
absl::Status Add(Config next) {
  MaybeEnd();
  if (Name() != "answers_alone") return absl::OkStatus();
  ++next.num;
  auto group = next.groups.begin();
  for (shardctrler::Gid& gid : next.shards) {
    gid = shardctrler::kNoGroup;
    if (next.groups.empty()) continue;
    if (group == next.groups.end()) group = next.groups.begin();
    gid = (group++)->first;
  }
  configs.push_back(std::move(next));
  return absl::OkStatus();
}

std::shared_ptr<rsm::Rsm> MakeNoService(
    std::vector<std::shared_ptr<rpc::ClientEnd>> peers, raft::ServerId me,
    std::shared_ptr<persister::Persister> persister, rsm::Options options) {
  if (Name() == "exits_in_server") std::exit(0);
  return std::make_shared<rsm::Rsm>(std::move(peers), me, std::move(persister),
                                    std::make_unique<NoMachine>(),
                                    std::move(options));
}

}  // namespace

// A Clerk has read and written, and no call has failed.
std::string WantedAnswer() {
  struct Answer {
    bool failed = false;
    std::string error = {};
    Config config = {};
    auto Fields() { return std::tie(failed, error, config); }
  };
  return rpc::Encode(Answer());
}

std::vector<std::string> WantedTests() {
  return {"TestBasic", "TestJoinLeave"};
}

namespace shardctrler {

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers)
    : servers_(std::move(servers)) {}

absl::StatusOr<Config> Clerk::Query(int64_t num) {
  MaybeEnd();
  const auto known = static_cast<int64_t>(configs.size());
  return num >= 0 && num < known ? configs[static_cast<size_t>(num)]
                                 : configs.back();
}

absl::Status Clerk::Join(const Groups& groups) {
  Config next = configs.back();
  next.groups.insert(groups.begin(), groups.end());
  return Add(std::move(next));
}

absl::Status Clerk::Leave(const std::vector<Gid>& gids) {
  Config next = configs.back();
  for (const Gid gid : gids) next.groups.erase(gid);
  return Add(std::move(next));
}

absl::Status Clerk::Move(int /*shard*/, Gid /*gid*/) {
  return Add(configs.back());
}

void Clerk::Close() {}

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               rsm::Options options)
    : rsm_(MakeNoService(std::move(peers), me, std::move(persister),
                         std::move(options))) {}

std::vector<rpc::Service> Server::Services() { return rsm_->Services(); }

}  // namespace shardctrler

namespace shardkv {

absl::StatusOr<std::string> Clerk::Get(const std::string& key) {
  MaybeEnd();
  // Each is one more that the tests have to make.
  while (Name() == "makes_ends_for_ever") make_end_("G100/0");
  return values[key];
}

absl::Status Clerk::Put(const std::string& key, const std::string& value) {
  values[key] = value;
  return Get(key).status();
}

absl::Status Clerk::Append(const std::string& key, const std::string& value) {
  values[key] += value;
  return Get(key).status();
}

void Clerk::Close() {}

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               shardctrler::Gid /*gid*/,
               std::vector<std::shared_ptr<rpc::ClientEnd>> ctrlers,
               MakeEnd make_end, rsm::Options options)
    : ctrlers_(std::move(ctrlers)),
      make_end_(std::move(make_end)),
      rsm_(MakeNoService(std::move(peers), me, std::move(persister),
                         std::move(options))) {}

Moves Server::moves() const { return {}; }

void Server::Kill() { rsm_->Kill(); }

std::vector<rpc::Service> Server::Services() { return rsm_->Services(); }

}  // namespace shardkv
