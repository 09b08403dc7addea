// Exactly-once execution, as tables of commands and what becomes of them.

#include "rsm/sessions.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace rsm {
namespace {

using Status = Sessions::Status;

std::unique_ptr<Sessions> Make(size_t max_sessions = Sessions::kMaxSessions) {
  return std::make_unique<Sessions>(std::make_unique<TextMachine>(),
                                    max_sessions);
}

Sessions::Id Open(Sessions* sessions) {
  const Sessions::Answer answer =
      Sessions::Decode(sessions->Apply(Sessions::EncodeOpen())).value();
  EXPECT_EQ(answer.status, Status::kOk);
  return Sessions::DecodeId(answer.value).value();
}

// "ok a!", "stale ".
std::string Execute(Sessions* sessions, Sessions::Id id, uint64_t number,
                    std::string_view command) {
  const Sessions::Answer answer =
      Sessions::Decode(
          sessions->Apply(Sessions::EncodeCommand(id, number, command)))
          .value();
  static constexpr const char* kNames[] = {"ok", "stale", "expired",
                                           "malformed"};
  return absl::StrCat(kNames[static_cast<size_t>(answer.status)], " ",
                      answer.value);
}

// The state of the machine inside: an older state in front of its table.
std::string Inside(Sessions* sessions) {
  const std::string all = sessions->Snapshot().ToString();
  const auto table_bytes =
      rpc::Decode<uint64_t>(std::string_view(all).substr(all.size() - 8));
  return all.substr(0, all.size() - 8 - *table_bytes);
}

struct Row {
  const char* what;
  Sessions::Id session;
  uint64_t number;
  const char* command;
  const char* answer;
};

// Two sessions, 1 and 2, have been opened.
constexpr Row kRows[] = {
    {"the first of a session", 1, 1, "a", "ok a!"},
    {"the same again", 1, 1, "a", "ok a!"},
    {"other bytes, but the number is what counts", 1, 1, "x", "ok a!"},
    {"another session has numbers of its own", 2, 1, "b", "ok b!"},
    {"the next", 1, 2, "c", "ok c!"},
    {"an older one, late", 1, 1, "a", "stale "},
    {"numbers may be left out", 1, 9, "d", "ok d!"},
    {"and do not come back", 1, 5, "x", "stale "},
    {"the newest once more", 1, 9, "d", "ok d!"},
    {"the other session is as it was", 2, 1, "x", "ok b!"},
    {"never opened", 3, 1, "x", "expired "},
    {"never opened, and far away", ~Sessions::Id{0}, 1, "x", "expired "},
    {"no session", Sessions::kNone, 0, "e", "ok e!"},
    {"no session again", Sessions::kNone, 0, "e", "ok e!"},
    {"no session, with a number", Sessions::kNone, 1, "e", "ok e!"},
    {"a session without a number", 1, 0, "f", "ok f!"},
    {"which leaves the session as it was", 1, 9, "x", "ok d!"},
};

TEST(Sessions, EachNumberIsExecutedOnce) {
  const auto sessions = Make();
  EXPECT_EQ(Open(sessions.get()), 1u);
  EXPECT_EQ(Open(sessions.get()), 2u);
  for (const Row& row : kRows) {
    EXPECT_EQ(Execute(sessions.get(), row.session, row.number, row.command),
              row.answer)
        << row.what;
  }
  EXPECT_EQ(Inside(sessions.get()), "a b c d e e e f ");
}

// Another server that restores a snapshot goes on in the same way, at whatever
// row that was taken.
TEST(Sessions, ASnapshotHasTheTable) {
  auto sessions = Make();
  Open(sessions.get());
  Open(sessions.get());
  for (const Row& row : kRows) {
    auto other = Make();
    ASSERT_TRUE(other->Restore(sessions->Snapshot()).ok());
    EXPECT_EQ(other->Snapshot(), sessions->Snapshot());
    sessions = std::move(other);
    EXPECT_EQ(Execute(sessions.get(), row.session, row.number, row.command),
              row.answer)
        << row.what;
  }
  EXPECT_EQ(Open(sessions.get()), 3u);
}

// What was restored replaces what was there.
TEST(Sessions, RestoreForgetsTheOldTable) {
  const auto sessions = Make();
  const base::Rope empty = sessions->Snapshot();
  Open(sessions.get());
  Execute(sessions.get(), 1, 1, "a");
  ASSERT_TRUE(sessions->Restore(empty).ok());
  EXPECT_EQ(Execute(sessions.get(), 1, 1, "a"), "expired ");
  EXPECT_EQ(Inside(sessions.get()), "");
}

TEST(Sessions, TheOneUsedLongestAgoIsForgotten) {
  const auto sessions = Make(/*max_sessions=*/3);
  for (Sessions::Id id = 1; id <= 3; ++id) {
    EXPECT_EQ(Open(sessions.get()), id);
    Execute(sessions.get(), id, 1, "a");
  }
  // Each of these is a use: executed, repeated, stale.
  Execute(sessions.get(), 1, 2, "b");
  Execute(sessions.get(), 3, 1, "a");
  Execute(sessions.get(), 1, 1, "a");

  EXPECT_EQ(Open(sessions.get()), 4u);
  EXPECT_EQ(Execute(sessions.get(), 2, 1, "a"), "expired ");
  EXPECT_EQ(Open(sessions.get()), 5u);
  EXPECT_EQ(Execute(sessions.get(), 3, 1, "a"), "expired ");
  EXPECT_EQ(Open(sessions.get()), 6u);
  EXPECT_EQ(Execute(sessions.get(), 1, 2, "b"), "expired ");
  EXPECT_EQ(Execute(sessions.get(), 4, 1, "d"), "ok d!");
  EXPECT_EQ(Inside(sessions.get()), "a a a b d ");
}

// An open session that was never used can be forgotten too.
TEST(Sessions, OpeningCountsAsUse) {
  const auto sessions = Make(/*max_sessions=*/2);
  Open(sessions.get());
  Open(sessions.get());
  Open(sessions.get());
  EXPECT_EQ(Execute(sessions.get(), 1, 1, "a"), "expired ");
  EXPECT_EQ(Execute(sessions.get(), 2, 1, "b"), "ok b!");
}

// The numbers of an earlier table are unknown, and are not given.
TEST(Sessions, NumbersBeginAfterTheLastId) {
  constexpr Sessions::Id kLastId = Sessions::Id{7} << 32;
  Sessions sessions(std::make_unique<TextMachine>(), Sessions::kMaxSessions,
                    kLastId);
  EXPECT_EQ(Execute(&sessions, 1, 1, "x"), "expired ");
  EXPECT_EQ(Open(&sessions), kLastId + 1);
  EXPECT_EQ(Execute(&sessions, 1, 1, "x"), "expired ");
  EXPECT_EQ(Execute(&sessions, kLastId + 1, 1, "a"), "ok a!");

  const auto restored = Make();
  ASSERT_TRUE(restored->Restore(sessions.Snapshot()).ok());
  EXPECT_EQ(Open(restored.get()), kLastId + 2);
}

// Servers that executed the same log agree on every byte, one that began from a
// snapshot in the middle too.
TEST(Sessions, ServersAgree) {
  const auto a = Make(/*max_sessions=*/4);
  const auto b = Make(/*max_sessions=*/4);
  auto late = Make(/*max_sessions=*/4);
  uint64_t random = 1;
  for (int i = 0; i < 2000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const uint64_t session = 1 + (random >> 33) % (1 + i / 20);
    const std::string command =
        i % 20 == 0 ? Sessions::EncodeOpen()
                    : Sessions::EncodeCommand(session, 1 + (random >> 50) % 9,
                                              absl::StrCat(i));
    const std::string result = a->Apply(command);
    EXPECT_EQ(b->Apply(command), result);
    EXPECT_EQ(late->Apply(command), result);
    if (i % 50 == 0) {
      late = Make(/*max_sessions=*/4);
      ASSERT_TRUE(late->Restore(a->Snapshot()).ok());
    }
  }
  EXPECT_EQ(a->Snapshot(), b->Snapshot());
  EXPECT_EQ(a->Snapshot(), late->Snapshot());
}

TEST(Sessions, BytesThatAreNoRequestChangeNothing) {
  const auto sessions = Make();
  Open(sessions.get());
  const base::Rope before = sessions->Snapshot();
  const std::string open = Sessions::EncodeOpen();
  const std::string command = Sessions::EncodeCommand(1, 1, "");
  for (const std::string& bytes :
       {std::string(), std::string("x"), open.substr(1), open + "x",
        command.substr(0, command.size() - 1), "\2" + command.substr(1)}) {
    EXPECT_EQ(Sessions::Decode(sessions->Apply(bytes))->status,
              Status::kMalformed)
        << bytes;
  }
  EXPECT_EQ(sessions->Snapshot(), before);
}

TEST(Sessions, BytesThatAreNoSnapshotAreAnError) {
  const auto sessions = Make();
  Open(sessions.get());
  Execute(sessions.get(), 1, 1, "a");
  const std::string whole = sessions->Snapshot().ToString();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Make()->Restore(whole.substr(0, size)).ok()) << size;
  }
  // The machine's own bytes may be wrong as well.
  const std::string table = whole.substr(Inside(sessions.get()).size());
  EXPECT_EQ(Make()->Restore("broken" + table).message(), "it is broken");
}

// A table that names a session twice, or one that was never given.
TEST(Sessions, ATableThatCannotBeIsAnError) {
  struct Session {
    Sessions::Id id;
    uint64_t number;
    std::string value;
    auto Fields() { return std::tie(id, number, value); }
  };
  struct Table {
    Sessions::Id last_id;
    std::vector<Session> sessions;
    auto Fields() { return std::tie(last_id, sessions); }
  };
  const auto restore = [](const Table& table) {
    const std::string bytes = rpc::Encode(table);
    return Make()->Restore(
        absl::StrCat(bytes, rpc::Encode(uint64_t{bytes.size()})));
  };
  EXPECT_TRUE(restore({2, {{1, 1, ""}, {2, 1, ""}}}).ok());
  EXPECT_FALSE(restore({2, {{1, 1, ""}, {1, 1, ""}}}).ok());
  EXPECT_FALSE(restore({2, {{3, 1, ""}}}).ok());
  EXPECT_FALSE(restore({2, {{0, 1, ""}}}).ok());
}

TEST(Sessions, ARequestCanBeReadBack) {
  const std::string bytes = Sessions::EncodeCommand(3, 7, "a command");
  const Sessions::Request request = Sessions::DecodeRequest(bytes).value();
  EXPECT_FALSE(request.is_open);
  EXPECT_EQ(request.session, 3u);
  EXPECT_EQ(request.number, 7u);
  EXPECT_EQ(request.command, "a command");
  const std::string open = Sessions::EncodeOpen();
  EXPECT_TRUE(Sessions::DecodeRequest(open)->is_open);
  EXPECT_FALSE(Sessions::DecodeRequest("short").ok());
  EXPECT_FALSE(Sessions::Decode("").ok());
  EXPECT_FALSE(Sessions::Decode("\4").ok());
}

}  // namespace
}  // namespace rsm
