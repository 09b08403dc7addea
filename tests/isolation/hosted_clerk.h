// What a client of a service has, its Clerk or its controller, in the process
// that has it.

#ifndef TESTS_ISOLATION_HOSTED_CLERK_H_
#define TESTS_ISOLATION_HOSTED_CLERK_H_

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/logging.h"
#include "rpc/codec.h"
#include "rpc/rpc.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/service_wire.h"
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

// A Clerk of keys and values: kvraft's, which has the versioned calls too, or
// shardkv's.
template <typename Clerk>
class HostedKeyValueClerk : public HostedClerk<Clerk, ClerkCall> {
 public:
  using HostedClerk<Clerk, ClerkCall>::HostedClerk;

 private:
  static std::string Encoded(const absl::Status& status) {
    return rpc::Encode(ClerkAnswer{.failed = !status.ok(),
                                   .error = std::string(status.message())});
  }

  std::string Answer(Clerk* clerk, const ClerkCall& call) override {
    switch (call.method) {
      case ClerkCall::Method::kGet: {
        absl::StatusOr<std::string> value = clerk->Get(call.key);
        if (!value.ok()) return Encoded(value.status());
        return rpc::Encode(ClerkAnswer{.value = *std::move(value)});
      }
      case ClerkCall::Method::kPut:
        return Encoded(clerk->Put(call.key, call.value));
      case ClerkCall::Method::kAppend:
        return Encoded(clerk->Append(call.key, call.value));
      default:
        return AnswerVersioned(clerk, call);
    }
  }

  static std::string AnswerVersioned(Clerk* clerk, const ClerkCall& call) {
    if constexpr (requires { clerk->GetVersioned(call.key); }) {
      if (call.method == ClerkCall::Method::kPutVersioned) {
        return rpc::Encode(ClerkAnswer{
            .err = clerk->PutVersioned(call.key, call.value, call.version)});
      }
      auto reply = clerk->GetVersioned(call.key);
      return rpc::Encode(ClerkAnswer{.err = reply.err,
                                     .value = std::move(reply.value),
                                     .version = reply.version});
    }
    LOG(FATAL) << "no method of this Clerk";
  }
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_HOSTED_CLERK_H_
