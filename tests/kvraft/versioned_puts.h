// What clients of the versioned key/value service do again and again, in the
// course's tests of 2025: of one group, and of many (tests/shardkv1/).
//
// `Client` has GetVersioned() and PutVersioned() as harness::KvClient.
//
// Thread safety: as the client's.

#ifndef TESTS_KVRAFT_VERSIONED_PUTS_H_
#define TESTS_KVRAFT_VERSIONED_PUTS_H_

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "kvraft/messages.h"
#include "tests/harness/failure.h"
#include "tests/kvraft/pace.h"

namespace tests {

// Puts that were executed, and that may have been.
struct Puts {
  uint64_t ok = 0;
  uint64_t maybe = 0;
};

inline std::string PutValue(int client, uint64_t version) {
  return nlohmann::ordered_json{{"Id", client}, {"V", version}}.dump();
}

// Whether the value is of another client and of another version than that.
inline bool IsOther(const std::string& value, int client, uint64_t version) {
  const auto json = nlohmann::json::parse(value, nullptr, false);
  return json.is_discarded() || (json.value("Id", -1) != client &&
                                 json.value("V", uint64_t{0}) != version);
}

// Puts a value that replaces `*version`, or what the key has by then; counts
// it, and leaves the key's version. Attempts begin in rounds, if there is a
// time for one. The course's OnePut.
template <typename Client>
void PutOnce(Client* client, int number, const std::string& key,
             std::optional<std::chrono::nanoseconds> round, uint64_t* version,
             Puts* puts, harness::Place place) {
  using kvraft::Err;
  while (true) {
    if (round.has_value()) AwaitRound(*round);
    const Err err =
        client->PutVersioned(key, PutValue(number, *version), *version, place);
    if (err != Err::kOk && err != Err::kVersion && err != Err::kMaybe) {
      harness::Fail(harness::Kind::kSafety,
                    absl::StrCat("Wrong error ", Name(err)), place);
    }
    const kvraft::Reply reply = client->GetVersioned(key, place);
    if (err == Err::kOk && reply.version == *version + 1 &&
        IsOther(reply.value, number, *version)) {
      harness::Fail(harness::Kind::kSafety,
                    absl::StrCat("Wrong value ", reply.value), place);
    }
    *version = reply.version;
    if (err == Err::kOk) ++puts->ok;
    if (err == Err::kMaybe) ++puts->maybe;
    if (err != Err::kVersion) return;
  }
}

// Gets the key, and fails unless it has that value and version.
template <typename Client>
void CheckGet(Client* client, const std::string& key, const std::string& value,
              uint64_t version, harness::Place place = harness::Place::Here()) {
  const kvraft::Reply reply = client->GetVersioned(key, place);
  if (reply.err != kvraft::Err::kOk) {
    harness::Fail(
        harness::Kind::kSafety,
        absl::StrCat("Get(", key, ") returns error = ", Name(reply.err)),
        place);
  }
  if (reply.value == value && reply.version == version) return;
  harness::Fail(
      harness::Kind::kSafety,
      absl::StrCat("Get(", key, ") returns (", reply.value, ", ", reply.version,
                   ") != (", value, ", ", version, ")"),
      place);
}

}  // namespace tests

#endif  // TESTS_KVRAFT_VERSIONED_PUTS_H_
