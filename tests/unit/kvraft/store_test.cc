// Unit tests of kvraft/replicated_store.h: the store, command by command.

#include <string>

#include "gtest/gtest.h"
#include "kvraft/replicated_store.h"
#include "rpc/codec.h"

namespace kvraft {
namespace {

using Kind = Command::Kind;

// One command after the other, and the replies that are expected.
TEST(Store, Commands) {
  struct Step {
    Command command;
    Err err;
    std::string value;  // of the reply
    uint64_t version;
  };
  const Step steps[] = {
      {{Kind::kGet, "k"}, Err::kNoKey, "", 0},
      {{Kind::kPutVersion, "k", "a", 1}, Err::kNoKey, "", 0},
      {{Kind::kPutVersion, "k", "a", 0}, Err::kOk, "", 1},
      {{Kind::kPutVersion, "k", "b", 0}, Err::kVersion, "", 1},
      {{Kind::kPutVersion, "k", "b", 2}, Err::kVersion, "", 1},
      {{Kind::kGet, "k"}, Err::kOk, "a", 1},
      {{Kind::kPutVersion, "k", "b", 1}, Err::kOk, "", 2},
      {{Kind::kAppend, "k", "c"}, Err::kOk, "", 3},
      {{Kind::kGet, "k"}, Err::kOk, "bc", 3},
      {{Kind::kPut, "k", "d"}, Err::kOk, "", 4},
      {{Kind::kGet, "k"}, Err::kOk, "d", 4},
      {{Kind::kAppend, "new", "e"}, Err::kOk, "", 1},
      {{Kind::kGet, "new"}, Err::kOk, "e", 1},
      {{Kind::kPut, "", ""}, Err::kOk, "", 1},
      {{Kind::kGet, ""}, Err::kOk, "", 1},
  };
  Store store;
  uint64_t revision = 0;
  for (const Step& step : steps) {
    const Reply reply = store.Apply(step.command);
    SCOPED_TRACE(++revision);
    EXPECT_EQ(reply.err, step.err);
    EXPECT_EQ(reply.value, step.value);
    EXPECT_EQ(reply.version, step.version);
    EXPECT_EQ(reply.revision, revision);
  }
}

TEST(Store, EqualStatesAreEqualBytes) {
  Store one;
  one.Apply({Kind::kPut, "a", "1"});
  one.Apply({Kind::kPut, "b", "2"});
  Store other;
  other.Apply({Kind::kPut, "b", "2"});
  other.Apply({Kind::kPut, "a", "1"});
  EXPECT_EQ(rpc::Encode(one), rpc::Encode(other));

  const absl::StatusOr<Store> decoded = rpc::Decode<Store>(rpc::Encode(one));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(rpc::Encode(*decoded), rpc::Encode(one));
}

TEST(Messages, EachErrHasItsName) {
  EXPECT_STREQ(Name(static_cast<Err>(200)), "ErrUnknown");  // from outside
  EXPECT_STREQ(Name(Err::kOk), "OK");
  EXPECT_STREQ(Name(Err::kNoKey), "ErrNoKey");
  EXPECT_STREQ(Name(Err::kVersion), "ErrVersion");
  EXPECT_STREQ(Name(Err::kWrongLeader), "ErrWrongLeader");
  EXPECT_STREQ(Name(Err::kLost), "ErrLost");
  EXPECT_STREQ(Name(Err::kTooLarge), "ErrTooLarge");
  EXPECT_STREQ(Name(Err::kSession), "ErrSession");
  EXPECT_STREQ(Name(Err::kMaybe), "ErrMaybe");
  EXPECT_STREQ(Name(Err::kNoServers), "ErrNoServers");
  EXPECT_STREQ(Name(Err::kClosed), "ErrClosed");
}

}  // namespace
}  // namespace kvraft
