// Unit tests of kvraft/session_store.h: a store that moves in parts.

#include "kvraft/session_store.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "rpc/codec.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"

namespace kvraft {
namespace {

using rsm::Sessions;
using Kind = Command::Kind;

std::string Apply(SessionStore* store, const Command& command,
                  uint64_t session = 0, uint64_t number = 0) {
  const std::string result = store->Apply(Sessions::EncodeCommand(
      session, number, rsm::Typed<Store>::Encode(command)));
  const auto answer = Sessions::Decode(result);
  return rsm::Typed<Store>::Decode(answer->value)->value;
}

class SessionStoreTest : public testing::Test {
 protected:
  SessionStoreTest() {
    const auto opened = Sessions::Decode(store.Apply(Sessions::EncodeOpen()));
    session = *Sessions::DecodeId(opened->value);
    for (int i = 0; i < 20; ++i) {
      const std::string key = "k" + std::to_string(i);
      Apply(&store,
            {Kind::kPut, key, std::string(static_cast<size_t>(i), 'v')});
    }
    Apply(&store, {Kind::kPut, "", "of the empty key"});
    Apply(&store, {Kind::kAppend, "k", "a"}, session, 1);
    store.Freeze();
  }

  // Has `to` put together from parts of that size; returns how many there were.
  int Move(SessionStore* to, size_t bytes) {
    int parts = 0;
    for (Cursor at; parts == 0 || at.entry < store.Read(at).total;) {
      const Part part = store.Read(at, bytes);
      EXPECT_TRUE(to->Add(at, part).ok());
      EXPECT_GT(part.next, at);
      at = part.next;
      ++parts;
    }
    return parts;
  }

  SessionStore store;
  uint64_t session = 0;
};

// A part may end within a value; the whole is the same.
TEST_F(SessionStoreTest, PartsMakeTheWhole) {
  int fewest = 0;
  for (const size_t bytes : {1, 7, 100, 1'000, 100'000}) {
    SessionStore whole;
    fewest = Move(&whole, bytes);
    const auto saved = whole.Save();
    EXPECT_EQ(saved.sessions, store.Save().sessions) << bytes;
    EXPECT_EQ(saved.table, "") << bytes;
  }
  EXPECT_EQ(fewest, 1);
}

// What was executed before the move is not executed again after it.
TEST_F(SessionStoreTest, SessionsMoveToo) {
  SessionStore whole;
  Move(&whole, 50);
  Apply(&whole, {Kind::kAppend, "k", "a"}, session, 1);
  EXPECT_EQ(Apply(&whole, {Kind::kGet, "k"}), "a");
  Apply(&whole, {Kind::kAppend, "k", "b"}, session, 2);
  EXPECT_EQ(Apply(&whole, {Kind::kGet, "k"}), "ab");
}

// Servers read the same parts, in whatever order their tables have the keys.
TEST_F(SessionStoreTest, CopiesHaveTheSameParts) {
  SharedStore copy;
  auto bytes = std::make_shared<SessionStore>();
  ASSERT_TRUE(bytes->Restore(store.Save()).ok());
  copy = *rpc::Decode<SharedStore>(rpc::Encode(bytes));
  for (Cursor at; at.entry < store.Read(at).total;) {
    const Part part = store.Read(at, 30);
    EXPECT_EQ(rpc::Encode(part), rpc::Encode(copy->Read(at, 30)));
    at = part.next;
  }
}

// A restart finds what has come so far.
TEST_F(SessionStoreTest, HalfIsRestored) {
  SessionStore half;
  const Part first = store.Read({}, 200);
  ASSERT_TRUE(half.Add({}, first).ok());
  SessionStore restored;
  ASSERT_TRUE(restored.Restore(half.Save()).ok());
  ASSERT_TRUE(restored.Add(first.next, store.Read(first.next)).ok());
  EXPECT_EQ(restored.Save().sessions, store.Save().sessions);
}

TEST(SessionStore, AnEmptyOneMoves) {
  SessionStore empty;
  empty.Freeze();
  const Part all = empty.Read({});
  EXPECT_EQ(all.total, 1U);
  SessionStore other;
  ASSERT_TRUE(other.Add({}, all).ok());
  EXPECT_EQ(Apply(&other, {Kind::kGet, "k"}), "");
}

TEST(SessionStore, RefusesNonsense) {
  SessionStore store;
  const Part part = {.total = 1, .pieces = {{"", "nonsense", 0}}, .next = {1}};
  EXPECT_FALSE(store.Add({}, part).ok());
}

}  // namespace
}  // namespace kvraft
