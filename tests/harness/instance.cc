#include "tests/harness/instance.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "raft/raft.h"

namespace harness {
namespace {

class OurRaft : public Instance {
 public:
  explicit OurRaft(std::shared_ptr<raft::Raft> raft) : raft_(std::move(raft)) {}

  raft::StartResult Start(std::string_view command) override {
    return raft_->Start(command);
  }
  raft::State GetState() const override { return raft_->GetState(); }
  void Kill() override { raft_->Kill(); }
  rpc::Service MakeService() override { return raft_->Services().front(); }

 private:
  const std::shared_ptr<raft::Raft> raft_;
};

}  // namespace

std::shared_ptr<Instance> MakeRaft(
    std::vector<std::shared_ptr<rpc::ClientEnd>> ends, raft::ServerId me,
    std::shared_ptr<persister::Persister> persister,
    std::shared_ptr<ApplyChannel> channel) {
  return std::make_shared<OurRaft>(raft::Make(
      std::move(ends), me, std::move(persister), std::move(channel),
      {.random = base::Random::ForOwner(absl::StrCat("raft/", me))}));
}

}  // namespace harness
