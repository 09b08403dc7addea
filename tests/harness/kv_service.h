// The key/value service under test, as its tests see it: in this process
// (kv_service.cc), or in others (tests/isolation/).

#ifndef TESTS_HARNESS_KV_SERVICE_H_
#define TESTS_HARNESS_KV_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kvraft/messages.h"
#include "persister/persister.h"
#include "raft/types.h"
#include "rsm/rsm.h"
#include "tests/harness/server_group.h"

namespace harness {

// As kvraft::Clerk, call for call.
class KvClerk {
 public:
  virtual ~KvClerk() = default;

  virtual absl::StatusOr<std::string> Get(const std::string& key) = 0;
  virtual absl::Status Put(const std::string& key,
                           const std::string& value) = 0;
  virtual absl::Status Append(const std::string& key,
                              const std::string& value) = 0;
  virtual kvraft::Reply GetVersioned(const std::string& key) = 0;
  virtual kvraft::Err PutVersioned(const std::string& key,
                                   const std::string& value,
                                   uint64_t version) = 0;
  virtual uint64_t revision() const = 0;
  virtual void Close() = 0;
};

std::unique_ptr<KvClerk> MakeKvClerk(Ends servers);

// Whether a Clerk knows nothing but what it was told itself: each is in a
// process of its own.
bool ClerksShareNothing();

// What runs on machine `me`, as kvraft::Server is made.
Node MakeKvServer(Ends ends, raft::ServerId me,
                  std::shared_ptr<persister::Persister> disk,
                  rsm::Options options);

}  // namespace harness

#endif  // TESTS_HARNESS_KV_SERVICE_H_
