// What a student's kvraft may try in order to get points without a service, as
// in ../attacks/: one attack is made by a program of its name; under any other
// name this service does nothing. The headers are the skeleton's.
//
// None may earn a point, keep the grading from going on, or leave anything.

#include <errno.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
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

void Write(int fd, std::string_view text) {
  if (write(fd, text.data(), text.size()) < 0) return;
}

void Loop() {
  for (volatile bool go = true; go;) {
  }
}

// ------------------------------------------------------- before main()

void PrintVerdicts() {
  for (const char* const test : {"TestBasic3A", "TestSpeed3A"}) {
    for (const int fd : {1, 2}) {
      Write(fd, "--- PASS: " + std::string(test) + " (0.01s)\n");
      Write(fd, "{\"Action\":\"pass\",\"Test\":\"" + std::string(test) +
                    "\",\"Elapsed\":0.1}\n");
      Write(fd, "{\"Action\":\"pass\",\"Passed\":2,\"Failed\":0}\n");
    }
  }
  _exit(0);
}

// That each question so far and to come was answered, on the socket that leads
// to the tests (tests/isolation/wire.h): a Clerk has read and written.
void ForgeAnswers() {
  struct Forged {
    uint8_t kind = 0;
    uint64_t call = 0;
    uint64_t instance = 1;
    int32_t number = 1;
    std::string name = {};
    std::string bytes = {};
    auto Fields() {
      return std::tie(kind, call, instance, number, name, bytes);
    }
  };
  struct Answer {
    bool failed = false;
    std::string error = {};
    uint8_t err = 0;
    std::string value = {};
    uint64_t version = 0;
    auto Fields() { return std::tie(failed, error, err, value, version); }
  };
  Answer answer;
  for (uint8_t kind = 0; kind < 20; ++kind) {
    for (uint64_t call = 1; call < 100; ++call) {
      Forged forged;
      forged.kind = kind;
      forged.call = call;
      forged.bytes = rpc::Encode(answer);
      const std::string bytes = rpc::Encode(forged);
      Write(3, rpc::Encode(static_cast<uint64_t>(bytes.size())) + bytes);
    }
  }
}

const std::map<std::string_view, void (*)()> kBeforeMain = {
    {"exits_at_once", [] { _exit(0); }},
    {"prints_verdicts", PrintVerdicts},
    {"forges_answers", ForgeAnswers},
};

const bool kAttacked = [] {
  const auto attack = kBeforeMain.find(Name());
  if (attack != kBeforeMain.end()) attack->second();
  return true;
}();

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
