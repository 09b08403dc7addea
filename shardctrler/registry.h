// What the servers of the shard controller replicate: the list of all
// configurations. Tests read the log by this header.

#ifndef SHARDCTRLER_REGISTRY_H_
#define SHARDCTRLER_REGISTRY_H_

#include <cereal/types/variant.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "base/rope.h"
#include "rpc/rpc.h"
#include "rsm/state_machine.h"
#include "shardctrler/config.h"
#include "shardctrler/messages.h"

namespace shardctrler {

// The configurations that this server knows. None of them ever changes, so that
// it may answer from here on its own: all that have been executed elsewhere and
// not yet here are newer.
//
// Thread safety: safe. Lock order: mu_ is a leaf.
class Configs {
 public:
  // Config 0 alone: no groups. `on_new` is called with the latest one when
  // there is another, by the thread that brought it.
  using OnNew = std::function<void(const Config&)>;
  explicit Configs(OnNew on_new = nullptr)
      : on_new_(std::move(on_new)), configs_(1) {}

  Config Latest() const EXCLUDES(mu_);
  std::optional<Config> Find(int64_t num) const EXCLUDES(mu_);
  // Answers with that one, once it is there; the call fails if Close() comes
  // first.
  void Await(int64_t num, rpc::Responder<Reply> respond) EXCLUDES(mu_);
  // Nothing waits any more. Idempotent.
  void Close() EXCLUDES(mu_);

  // The state machine's.
  void Add(Config config) EXCLUDES(mu_);
  std::vector<Config> All() const EXCLUDES(mu_);
  void Replace(std::vector<Config> configs) EXCLUDES(mu_);

 private:
  using Waiting = std::multimap<int64_t, rpc::Responder<Reply>>;  // by number

  void AnswerWaiting() EXCLUDES(mu_);
  void TellOfNew() EXCLUDES(mu_);

  const OnNew on_new_;

  mutable base::Mutex mu_;
  std::vector<Config> configs_ ABSL_GUARDED_BY(mu_);  // by number
  Waiting waiting_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;  // then none is waiting
};

// What a log entry asks for; its session is told apart before (rsm/sessions.h).
struct Command {
  std::variant<QueryArgs, JoinArgs, LeaveArgs, MoveArgs> call;
  auto Fields() { return std::tie(call); }
};

// The state machine. Its results are encoded Replies.
class Registry : public rsm::StateMachine {
 public:
  explicit Registry(std::shared_ptr<Configs> configs)
      : configs_(std::move(configs)) {}

  std::string Apply(std::string_view command) override;
  base::Rope Snapshot() override;
  absl::Status Restore(const base::Rope& snapshot) override;

 private:
  Reply Execute(const QueryArgs& args) const;
  Reply Execute(const JoinArgs& args);
  Reply Execute(const LeaveArgs& args);
  Reply Execute(const MoveArgs& args);
  Reply Follow(absl::StatusOr<Config> next);

  const std::shared_ptr<Configs> configs_;
};

}  // namespace shardctrler

#endif  // SHARDCTRLER_REGISTRY_H_
