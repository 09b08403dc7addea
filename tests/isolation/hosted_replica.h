// A server of a replicated service, in the process that has it.

#ifndef TESTS_ISOLATION_HOSTED_REPLICA_H_
#define TESTS_ISOLATION_HOSTED_REPLICA_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "raft/raft.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "tests/isolation/hosted.h"
#include "tests/isolation/wire.h"

namespace isolation {

// The Raft of a server: the tests ask whether it leads.
class KnownRaft {
 public:
  // As the tests have it in one process, but for the hooks.
  rsm::Options OptionsFor(const MakeArgs& args) {
    rsm::Options options;
    if (args.max_raft_state >= 0) {
      options.max_raft_state = static_cast<size_t>(args.max_raft_state);
    }
    options.raft.random = base::Random(args.seed);
    options.make_raft = [this](auto&&... arguments) {
      auto raft = raft::Make(std::forward<decltype(arguments)>(arguments)...);
      base::MutexLock lock(&mu_);
      raft_ = raft;
      return raft;
    };
    return options;
  }

  // A server that has made no Raft by its options leads nothing.
  std::string State() EXCLUDES(mu_) {
    std::shared_ptr<raft::Raft> raft;
    {
      base::MutexLock lock(&mu_);
      raft = raft_;
    }
    const raft::State state =
        raft == nullptr ? raft::State() : raft->GetState();
    return rpc::Encode(StateAnswer{state.term, state.is_leader});
  }

 private:
  base::Mutex mu_;
  std::shared_ptr<raft::Raft> raft_ ABSL_GUARDED_BY(mu_);
};

class HostedReplica : public Hosted {
 public:
  using Hosted::Hosted;

  void Serve(const Message& question, rpc::RespondBytes respond) override {
    switch (question.kind) {
      case Kind::kState:
        return std::move(respond)(raft_.State());
      case Kind::kHandle:
        return Handle(question, std::move(respond));
      case Kind::kSubmit:
        return Submit(question.bytes, std::move(respond));
      case Kind::kKill:
        Kill();
        return std::move(respond)("");
      default:
        LOG(FATAL) << "what no server is asked";
    }
  }

 protected:
  virtual void Submit(std::string_view /*command*/,
                      rpc::RespondBytes /*respond*/) {
    LOG(FATAL) << "what only an Rsm is asked";
  }
  virtual void Kill() = 0;

  KnownRaft raft_;
};

// A server that is made of its peers, its number, its disk and its options.
template <typename Server>
class HostedServer : public HostedReplica {
 public:
  using HostedReplica::HostedReplica;

  void Make(const MakeArgs& args) override {
    server_ = std::make_shared<Server>(Peers(), args.me, MakeDisk(args),
                                       raft_.OptionsFor(args));
    Offer(server_->Services());
  }

 private:
  void Kill() override { server_->Kill(); }

  std::shared_ptr<Server> server_;
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_HOSTED_REPLICA_H_
