// What a student's kvraft may try in order to get points without a service, as
// in ../attacks/: one attack is made by a program of its name; under any other
// name this service does nothing. The headers are the skeleton's.
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

#include "base/mutex.h"
#include "kvraft/clerk.h"
#include "kvraft/server.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"

namespace {

std::string_view Name() { return program_invocation_short_name; }

void Loop() {
  for (volatile bool go = true; go;) {
  }
}

// ------------------------------------------------ as a service that is none

// What all Clerks of one process share, in place of servers.
struct Shared {
  base::Mutex mu;
  std::map<std::string, std::string> values;
};
Shared shared;

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

absl::Status WriteHere(const std::string& key, const std::string& value,
                       bool put) {
  MaybeEnd();
  const base::MutexLock lock(&shared.mu);
  if (put) shared.values[key].clear();
  if (Name() == "answers_alone") shared.values[key] += value;
  return absl::OkStatus();
}

}  // namespace

// A Clerk has read and written.
std::string WantedAnswer() {
  struct Answer {
    bool failed = false;
    std::string error = {};
    uint8_t err = 0;
    std::string value = {};
    uint64_t version = 0;
    auto Fields() { return std::tie(failed, error, err, value, version); }
  };
  return rpc::Encode(Answer());
}

std::vector<std::string> WantedTests() {
  return {"TestBasic3A", "TestSpeed3A"};
}

namespace kvraft {

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers)
    : servers_(std::move(servers)) {}

absl::StatusOr<std::string> Clerk::Get(const std::string& key) {
  MaybeEnd();
  const base::MutexLock lock(&shared.mu);
  return shared.values[key];
}

absl::Status Clerk::Put(const std::string& key, const std::string& value) {
  return WriteHere(key, value, /*put=*/true);
}

absl::Status Clerk::Append(const std::string& key, const std::string& value) {
  return WriteHere(key, value, /*put=*/false);
}

Reply Clerk::GetVersioned(const std::string& /*key*/) { return {}; }

Err Clerk::PutVersioned(const std::string& /*key*/,
                        const std::string& /*value*/, uint64_t /*version*/) {
  return static_cast<Err>(100);
}

void Clerk::Close() {}

Server::Server(std::vector<std::shared_ptr<rpc::ClientEnd>> peers,
               raft::ServerId me,
               std::shared_ptr<persister::Persister> persister,
               rsm::Options options)
    : rsm_(std::make_shared<rsm::Rsm>(
          std::move(peers), me, std::move(persister),
          std::make_unique<NoMachine>(), std::move(options))) {
  if (::Name() == "exits_in_server") std::exit(0);
}

std::vector<rpc::Service> Server::Services() { return rsm_->Services(); }

}  // namespace kvraft
