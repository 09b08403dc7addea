// A state machine of structs instead of bytes.
//
//   struct Register {                       // the whole state
//     struct Command {
//       std::string value;
//       auto Fields() { return std::tie(value); }
//     };
//     using Result = std::string;           // what was there before
//     Result Apply(const Command& command) {
//       return std::exchange(value, command.value);
//     }
//     std::string value;
//     auto Fields() { return std::tie(value); }
//   };
//
//   Rsm rsm(peers, me, persister, std::make_unique<Typed<Register>>());
//   Typed<Register>::Answer old = Typed<Register>::Submit(&rsm, {"x"});
//
// Commands, results and the state are encoded by rpc/codec.h.
//
// Thread safety: as StateMachine's; the static functions are safe.

#ifndef RSM_TYPED_H_
#define RSM_TYPED_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/rope.h"
#include "rpc/codec.h"
#include "rsm/rsm.h"
#include "rsm/state_machine.h"

namespace rsm {

// `Machine` is default-constructible, encodable, and has Command, Result and
// `Result Apply(const Command&)`.
template <typename Machine>
class Typed : public StateMachine {
 public:
  using Command = typename Machine::Command;
  using MachineResult = typename Machine::Result;

  explicit Typed(Machine machine = {}) : machine_(std::move(machine)) {}

  // The bytes of a command, and the result in what Apply() made of them. Bytes
  // that are no command have the empty result, which is an error here.
  static std::string Encode(const Command& command) {
    return rpc::Encode(command);
  }
  static absl::StatusOr<MachineResult> Decode(std::string_view result) {
    if (result.empty()) {
      return absl::InvalidArgumentError("the command was malformed");
    }
    return rpc::Decode<MachineResult>(result.substr(1));
  }

  // As Rsm::Submit().
  struct Answer {
    Outcome outcome = Outcome::kNotLeader;
    MachineResult result = {};  // kDone
  };
  static Answer Submit(Rsm* rsm, const Command& command) {
    const rsm::Result result = rsm->Submit(Encode(command));
    if (result.outcome != Outcome::kDone) return {result.outcome, {}};
    return {result.outcome, Decode(result.value).value()};
  }

  // The state.
  Machine& machine() { return machine_; }

  std::string Apply(std::string_view bytes) override {
    const absl::StatusOr<Command> command = rpc::Decode<Command>(bytes);
    if (!command.ok()) return {};
    // A byte in front tells an empty result from none.
    return '=' + rpc::Encode<MachineResult>(machine_.Apply(*command));
  }

  base::Rope Snapshot() override { return rpc::Encode(machine_); }

  absl::Status Restore(const base::Rope& snapshot) override {
    absl::StatusOr<Machine> machine = rpc::Decode<Machine>(snapshot.ToString());
    if (machine.ok()) machine_ = *std::move(machine);
    return machine.status();
  }

 private:
  Machine machine_;
};

}  // namespace rsm

#endif  // RSM_TYPED_H_
