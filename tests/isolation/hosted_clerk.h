// What a client of a service has, its Clerk or its controller, in the process
// that has it.

#ifndef TESTS_ISOLATION_HOSTED_CLERK_H_
#define TESTS_ISOLATION_HOSTED_CLERK_H_

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/wire.h"

namespace isolation {

// It is made of the ends that lead to servers, and, if it can, makes others.
template <typename Clerk, typename Call>
class HostedClerk : public Hosted {
 public:
  using Hosted::Hosted;

  void Make(const MakeArgs& /*args*/) override {
    using Ends = std::vector<std::shared_ptr<rpc::ClientEnd>>;
    if constexpr (std::is_constructible_v<Clerk, Ends>) {
      clerk_ = std::make_unique<Clerk>(Peers());
    } else {
      clerk_ = std::make_unique<Clerk>(
          Peers(), [this](const std::string& name) { return MakeEnd(name); });
    }
  }

  void Serve(const Message& question, rpc::RespondBytes respond) override {
    switch (question.kind) {
      case Kind::kClerk:
        return std::move(respond)(
            Answer(clerk_.get(), *rpc::Decode<Call>(question.bytes)));
      case Kind::kKill:
        clerk_->Close();
        return std::move(respond)("");
      default:
        LOG(FATAL) << "what no Clerk is asked";
    }
  }

 private:
  // Has it make the client's call; returns the encoded answer.
  virtual std::string Answer(Clerk* clerk, const Call& call) = 0;

  std::unique_ptr<Clerk> clerk_;
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_HOSTED_CLERK_H_
