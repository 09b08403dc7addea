// The Rsm under test, as its tests see it: in this process (rsm_service.cc), or
// in others (tests/isolation/).

#ifndef TESTS_HARNESS_RSM_SERVICE_H_
#define TESTS_HARNESS_RSM_SERVICE_H_

#include <memory>
#include <string_view>

#include "persister/persister.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"
#include "tests/harness/server_group.h"

namespace harness {

// As rsm::Rsm, call for call.
class RsmService {
 public:
  virtual ~RsmService() = default;

  virtual rsm::Result Submit(std::string_view command) = 0;
  virtual void SubmitAsync(std::string_view command, rsm::Rsm::Done done) = 0;
  virtual void Kill() = 0;
};

// What runs on a machine: `node` is complete but for its kill().
struct RsmNode {
  std::shared_ptr<RsmService> rsm;
  Node node;
};

// As an Rsm is made. The machine is executed in this process in any case.
RsmNode MakeRsmNode(Ends ends, raft::ServerId me,
                    std::shared_ptr<persister::Persister> disk,
                    std::unique_ptr<rsm::StateMachine> machine,
                    rsm::Options options);

}  // namespace harness

#endif  // TESTS_HARNESS_RSM_SERVICE_H_
