#ifndef RAFT_RAFT_H_
#define RAFT_RAFT_H_

#include <memory>
#include <string_view>
#include <vector>

#include "base/channel.h"
#include "base/rpc.h"
#include "persister/persister.h"
#include "raft/messages.h"
#include "raft/types.h"

namespace raft {

using ApplyChannel = base::Channel<ApplyMsg>;

class Raft {
 public:
  ~Raft();
  StartResult Start(std::string_view command);
  State GetState() const;
  void Kill();
  RequestVoteReply RequestVote(const RequestVoteArgs& args);
  AppendEntriesReply AppendEntries(const AppendEntriesArgs& args);
};

std::shared_ptr<Raft> Make(std::vector<std::shared_ptr<base::ClientEnd>> peers, ServerId me,
                           std::shared_ptr<persister::Persister> persister,
                           std::shared_ptr<ApplyChannel> apply_channel);

base::Service MakeService(std::shared_ptr<Raft> raft);

}  // namespace raft

#endif  // RAFT_RAFT_H_
