// An instance of the Raft under test, in the process that has it: gives it its
// peers, disk and apply channel, and sends what goes out to the tests.

#ifndef TESTS_ISOLATION_HOSTED_RAFT_H_
#define TESTS_ISOLATION_HOSTED_RAFT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "raft/raft.h"
#include "rpc/rpc.h"
#include "tests/isolation/wire.h"

namespace isolation {

// Leads to one peer.
//
// Thread safety: safe. Lock order: mu_ is above the wire's own.
class PeerEnd : public rpc::ClientEnd {
 public:
  PeerEnd(Wire* wire, uint64_t instance, int32_t peer)
      : wire_(wire), instance_(instance), peer_(peer) {}

  // The call's outcome: runs its callback, on the caller's thread.
  void OnAnswer(const Message& answer) EXCLUDES(mu_);

  void Close() override EXCLUDES(mu_);

 protected:
  std::optional<std::string> CallBytes(std::string_view method,
                                       std::string args) override EXCLUDES(mu_);
  void CallBytesAsync(std::string_view method, std::string args,
                      DoneBytes done) override EXCLUDES(mu_);

 private:
  Wire* const wire_;
  const uint64_t instance_;
  const int32_t peer_;

  base::Mutex mu_;
  base::CondVar changed_;
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t calls_ ABSL_GUARDED_BY(mu_) = 0;
  int running_ ABSL_GUARDED_BY(mu_) = 0;  // callbacks
  std::map<uint64_t, DoneBytes> pending_ ABSL_GUARDED_BY(mu_);
};

// Thread safety: safe.
class HostedRaft {
 public:
  // Of a cluster of `servers`.
  HostedRaft(Wire* wire, uint64_t instance, int32_t servers);
  ~HostedRaft();

  // Makes the Raft, which may call its peers at once: OnAnswer() works already.
  void Make(const MakeArgs& args) EXCLUDES(mu_);

  // Each gives the answer's bytes; nothing: there is none.
  std::string Methods() const EXCLUDES(mu_);
  std::string Start(std::string_view command);
  void Snapshot(std::string_view args);
  std::string GetState() const;
  void Handle(const std::string& method, std::string_view args,
              rpc::RespondBytes respond) EXCLUDES(mu_);
  void Kill();

  void OnAnswer(const Message& answer);
  void OnTaken() EXCLUDES(mu_);

 private:
  class Disk;

  std::shared_ptr<raft::Raft> Made() const EXCLUDES(mu_);
  void ForwardLoop();

  Wire* const wire_;
  const uint64_t instance_;
  const std::shared_ptr<raft::ApplyChannel> channel_;
  std::vector<std::shared_ptr<PeerEnd>> peers_;

  mutable base::Mutex mu_;
  base::CondVar changed_;
  std::shared_ptr<raft::Raft> raft_ ABSL_GUARDED_BY(mu_);  // set once
  std::map<std::string, rpc::Service::Handler> handlers_ ABSL_GUARDED_BY(mu_);
  bool is_ending_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t sent_ ABSL_GUARDED_BY(mu_) = 0;  // deliveries
  uint64_t taken_ ABSL_GUARDED_BY(mu_) = 0;

  std::thread forwarder_;
};

}  // namespace isolation

#endif  // TESTS_ISOLATION_HOSTED_RAFT_H_
