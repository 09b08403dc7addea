// What a student's shardkv1 may try in order to get points without a service,
// as in ../attacks/: one attack is made by a program of its name; under any
// other name it does nothing. The headers are the skeleton's.
//
// Those of ../service_attacks/before_main.cc are made, too. None may earn a
// point, keep the grading from going on, or leave anything. Loops, which take
// seconds to be ended, are left to the other services.

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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"
#include "shardkv1/clerk.h"
#include "shardkv1/controller.h"
#include "shardkv1/server.h"

namespace {

using shardkv1::Config;

std::string_view Name() { return program_invocation_short_name; }

// What a process knows by itself, in place of servers.
Config config;
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
  if (Name() == "throws_from_a_call") throw 1;
}

// A change is done by saying so.
absl::Status Set(const Config& next) {
  MaybeEnd();
  if (Name() == "answers_alone") config = next;
  return absl::OkStatus();
}

}  // namespace

// A controller has been told the first configuration; or a Clerk has read.
std::string WantedAnswer() {
  struct Answer {
    bool failed = false;
    std::string error = {};
    Config config = shardkv1::FirstConfig({"xxx"});
    auto Fields() { return std::tie(failed, error, config); }
  };
  return rpc::Encode(Answer());
}

std::vector<std::string> WantedTests() {
  return {"TestInitQuery5A", "TestJoinBasic5A"};
}

namespace shardkv1 {

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> store,
             MakeEnd make_end)
    : store_(std::move(store)), make_end_(std::move(make_end)) {}

Reply Clerk::Get(const std::string& key) {
  MaybeEnd();
  // Each is one more that the tests have to make.
  while (::Name() == "makes_ends_for_ever") make_end_("G1/0");
  if (::Name() == "invents_an_error") return {.err = static_cast<Err>(100)};
  return {.err = Err::kOk, .value = values[key], .version = 1};
}

Reply Clerk::Put(const std::string& key, const std::string& value,
                 uint64_t /*version*/) {
  values[key] = value;
  return {.err = ::Name() == "says_maybe" ? Err::kMaybe : Err::kOk};
}

void Clerk::Close() {}

Controller::Controller(std::vector<std::shared_ptr<rpc::ClientEnd>> store,
                       MakeEnd make_end)
    : store_(std::move(store)), make_end_(std::move(make_end)) {}

absl::Status Controller::InitConfig(const Config& first) { return Set(first); }

absl::Status Controller::InitController() { return absl::OkStatus(); }

absl::StatusOr<Config> Controller::Query() { return config; }

absl::Status Controller::ChangeConfigTo(const Config& next) {
  return Set(next);
}

void Controller::Close() {}

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister, Gid /*gid*/,
               rsm::Options options)
    : rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<NoMachine>(), std::move(options))) {
  if (::Name() == "exits_in_server") std::exit(0);
}

ShardStatuses Server::statuses() const { return {}; }

std::vector<rpc::Service> Server::Services() { return rsm_->Services(); }

}  // namespace shardkv1
