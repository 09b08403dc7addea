#include "tests/harness/rsm_service.h"

#include <utility>

namespace harness {
namespace {

class LocalRsm : public RsmService {
 public:
  explicit LocalRsm(std::shared_ptr<rsm::Rsm> rsm) : rsm_(std::move(rsm)) {}

  rsm::Result Submit(std::string_view command) override {
    return rsm_->Submit(command);
  }
  void SubmitAsync(std::string_view command, rsm::Rsm::Done done) override {
    rsm_->SubmitAsync(command, std::move(done));
  }
  void Kill() override { rsm_->Kill(); }

 private:
  const std::shared_ptr<rsm::Rsm> rsm_;
};

}  // namespace

RsmNode MakeRsmNode(Ends ends, raft::ServerId me,
                    std::shared_ptr<persister::Persister> disk,
                    std::unique_ptr<rsm::StateMachine> machine,
                    rsm::Options options) {
  const auto rsm =
      std::make_shared<rsm::Rsm>(std::move(ends), me, std::move(disk),
                                 std::move(machine), std::move(options));
  return {
      .rsm = std::make_shared<LocalRsm>(rsm),
      .node = {.services = rsm->Services(), .kill = nullptr, .rest = nullptr}};
}

}  // namespace harness
