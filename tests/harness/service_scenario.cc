#include "tests/harness/service_scenario.h"

#include <chrono>
#include <set>

#include "absl/strings/str_cat.h"

namespace harness {

using raft::ServerId;

void ServiceScenario::WaitUntil(const std::string& what,
                                const std::function<bool()>& is_so,
                                Place place) {
  const auto limit = std::chrono::steady_clock::now() + kScenarioLimit;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > limit) {
      Fail(Kind::kLiveness, absl::StrCat("expected ", what, " within 20 s"),
           place);
    }
    stage().Sleep(std::chrono::milliseconds(5), place);
  }
}

void ServiceScenario::Elect(ServerId server, Place place) {
  LeaveFree();
  tap_.Drop(AnyRequest().NotFrom(server));
  WaitUntil(
      absl::StrCat("S", server, " to lead"),
      [&] { return stage().GetState(server).is_leader; }, place);
}

ServerId ServiceScenario::ElectAnother(ServerId than, Place place) {
  LeaveFree();
  ServerId leader = than;
  WaitUntil(
      absl::StrCat("another server than S", than, " to lead"),
      [&] {
        for (ServerId i = 0; i < stage().size(); ++i) {
          if (i != than && stage().GetState(i).is_leader) leader = i;
        }
        return leader != than;
      },
      place);
  tap_.Drop(AnyRequest().NotFrom(leader));
  return leader;
}

void ServiceScenario::AwaitEqualLogs(Place place) {
  WaitUntil(
      "all servers to have the same entries",
      [this] {
        for (ServerId i = 1; i < stage().size(); ++i) {
          if (StatusOf(i).last_index != StatusOf(0).last_index) return false;
        }
        return true;
      },
      place);
}

void ServiceScenario::CutOff(ServerId server) {
  std::set<ServerId> others;
  for (ServerId i = 0; i < stage().size(); ++i) {
    if (i != server) others.insert(i);
  }
  stage().Partition({server}, others);
}

}  // namespace harness
