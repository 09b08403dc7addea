// Those who watch a cluster: the oracle, which judges, and the recorder, which
// writes down for `make trace`. Either may be absent.
//
// A cluster tells them of all that happens to its servers; what each of these
// calls means stands in tests/oracle/oracle.h.
//
// Thread safety: safe. A plain value; copies tell the same two.

#ifndef TESTS_HARNESS_WITNESSES_H_
#define TESTS_HARNESS_WITNESSES_H_

#include <memory>
#include <string_view>
#include <utility>

#include "labrpc/packet.h"
#include "raft/types.h"
#include "tests/harness/instance.h"
#include "tests/harness/recorder.h"
#include "tests/oracle/oracle.h"

namespace harness {

class Witnesses {
 public:
  // Either may be null. The recorder outlives all copies.
  Witnesses(std::shared_ptr<oracle::Oracle> oracle, Recorder* recorder)
      : oracle_(std::move(oracle)), recorder_(recorder) {}

  bool any() const { return oracle_ != nullptr || recorder_ != nullptr; }
  Recorder* recorder() const { return recorder_; }

  void LifeBegins(raft::ServerId server, int life) const;
  void LifeEnds(raft::ServerId server) const;
  void Links(raft::ServerId server, bool connected) const;
  void NetworkIs(std::string_view what, bool yes) const;
  void Sees(const labrpc::Packet& packet) const;
  void Saved(raft::ServerId server, int life, std::string_view bytes) const;
  void Applied(raft::ServerId server, const raft::ApplyMsg& message) const;

  // Ask that instance, and tell what it said.
  raft::State GetState(raft::ServerId server, int life,
                       Instance* instance) const;
  raft::StartResult Start(raft::ServerId server, int life, Instance* instance,
                          std::string_view command) const;

 private:
  std::shared_ptr<oracle::Oracle> oracle_;
  Recorder* recorder_;
};

}  // namespace harness

#endif  // TESTS_HARNESS_WITNESSES_H_
