// A client of the key/value service, with the calls of two years.
//
// A Clerk asks one server after the other until one answers as the leader, for
// as long as that takes, and remembers it. A call ends early only with an error
// that says why: it is above the limits, there are no servers, or Close().
//
// Thread safety: one call at a time; Close() from any thread.

#ifndef KVRAFT_CLERK_H_
#define KVRAFT_CLERK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kvraft/messages.h"
#include "rpc/rpc.h"
#include "rsm/clerk.h"

namespace kvraft {

class Clerk {
 public:
  explicit Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers);

  // Until 2024. A write is executed exactly once, in a session that the first
  // one opens. The value is "" if the key does not exist.
  absl::StatusOr<std::string> Get(const std::string& key);
  absl::Status Put(const std::string& key, const std::string& value);
  absl::Status Append(const std::string& key, const std::string& value);

  // Since 2025. A Put names the version that it replaces, 0 for none, and needs
  // no session. kVersion: it was certainly not executed; kMaybe: unknown.
  Reply GetVersioned(const std::string& key);
  Err PutVersioned(const std::string& key, const std::string& value,
                   uint64_t version);

  // The revision of the last answer (messages.h); 0: it has none.
  uint64_t revision() const { return revision_; }

  // Ends a call in progress, and all later ones at once.
  void Close();

 private:
  absl::Status Write(PutAppendArgs args);

  rsm::Closing closing_;
  rsm::GroupClient servers_;
  rsm::ClientSession session_;
  uint64_t revision_ = 0;
};

}  // namespace kvraft

#endif  // KVRAFT_CLERK_H_
