// What the harness needs of one running Raft server, so that other people's
// Rafts, and those that unit tests play, can take the place of ours.
//
// Thread safety: all methods may be called from any thread at any time, also
// after Kill().

#ifndef TESTS_HARNESS_INSTANCE_H_
#define TESTS_HARNESS_INSTANCE_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/channel.h"
#include "persister/persister.h"
#include "raft/types.h"
#include "rpc/rpc.h"

namespace harness {

class Instance {
 public:
  virtual ~Instance() = default;

  // Takes a command if this server believes that it leads; returns at once.
  virtual raft::StartResult Start(std::string_view command) = 0;
  virtual raft::State GetState() const = 0;

  // Ends it, soon. Threads of the instance may still deliver while this runs.
  virtual void Kill() = 0;

  // The service by which its peers call it.
  virtual rpc::Service MakeService() = 0;
};

using ApplyChannel = base::Channel<raft::ApplyMsg>;

// Makes server `me` of a cluster: ends[j] leads to server j. It resumes from
// the persister, and delivers what is committed on the channel, on which it
// sends nothing before this returns.
using MakeInstance = std::function<std::shared_ptr<Instance>(
    std::vector<std::shared_ptr<rpc::ClientEnd>> ends, raft::ServerId me,
    std::shared_ptr<persister::Persister> persister,
    std::shared_ptr<ApplyChannel> channel)>;

// The Raft of this project.
std::shared_ptr<Instance> MakeRaft(
    std::vector<std::shared_ptr<rpc::ClientEnd>> ends, raft::ServerId me,
    std::shared_ptr<persister::Persister> persister,
    std::shared_ptr<ApplyChannel> channel);

}  // namespace harness

#endif  // TESTS_HARNESS_INSTANCE_H_
