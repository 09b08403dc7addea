#include "kvraft/clerk.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace kvraft {
namespace {

absl::Status ToStatus(Err err) {
  switch (err) {
    case Err::kOk:
    case Err::kNoKey:
      return absl::OkStatus();
    case Err::kTooLarge:
      return absl::InvalidArgumentError(
          absl::StrCat("too large: a key may have ", kMaxKeyBytes,
                       " bytes, and a key and its value 1 MiB together"));
    case Err::kNoServers:
      return absl::FailedPreconditionError("the Clerk has no servers");
    case Err::kClosed:
      return absl::CancelledError("the Clerk is closed");
    default:
      return absl::UnknownError(
          absl::StrCat("executed once or not at all: ", Name(err)));
  }
}

}  // namespace

Clerk::Clerk(std::vector<std::shared_ptr<rpc::ClientEnd>> servers)
    : servers_(std::move(servers), &closing_) {}

void Clerk::Close() { closing_.Close(); }

Reply Clerk::GetVersioned(const std::string& key) {
  bool maybe = false;
  Reply reply = servers_.Ask(kGet, {key}, &maybe);
  revision_ = reply.revision;
  return reply;
}

absl::StatusOr<std::string> Clerk::Get(const std::string& key) {
  Reply reply = GetVersioned(key);
  if (absl::Status error = ToStatus(reply.err); !error.ok()) return error;
  return std::move(reply.value);
}

// "Another version" may be what an earlier attempt of this Put has made.
Err Clerk::PutVersioned(const std::string& key, const std::string& value,
                        uint64_t version) {
  bool maybe = false;
  const Reply reply = servers_.Ask(kPut, {key, value, version}, &maybe);
  revision_ = reply.revision;
  return reply.err == Err::kVersion && maybe ? Err::kMaybe : reply.err;
}

absl::Status Clerk::Put(const std::string& key, const std::string& value) {
  return Write({.key = key, .value = value});
}

absl::Status Clerk::Append(const std::string& key, const std::string& value) {
  return Write({.key = key, .value = value, .append = true});
}

absl::Status Clerk::Write(PutAppendArgs args) {
  const Reply reply = session_.Execute(
      [this] {
        bool ignored = false;
        return servers_.Ask(kOpenSession, {}, &ignored);
      },
      [this, &args](uint64_t session, uint64_t number, bool* maybe) {
        args.session = session;
        args.number = number;
        return servers_.Ask(kPutAppend, args, maybe);
      });
  revision_ = reply.revision;
  return ToStatus(reply.err == Err::kSession ? Err::kMaybe : reply.err);
}

}  // namespace kvraft
