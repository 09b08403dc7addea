// Machines of structs.

#include "rsm/typed.h"

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "tests/unit/rsm/rsm_fixture.h"

namespace rsm {
namespace {

struct Register {
  struct Command {
    std::string value;
    auto Fields() { return std::tie(value); }
  };
  using Result = std::string;  // what was there before
  Result Apply(const Command& command) {
    return std::exchange(value, command.value);
  }

  std::string value;
  auto Fields() { return std::tie(value); }
};
using TypedRegister = Typed<Register>;

// Whose results have no bytes.
struct Bell {
  struct Command {
    auto Fields() { return std::tie(); }
  };
  struct Result {
    auto Fields() { return std::tie(); }
  };
  Result Apply(const Command& /*command*/) {
    ++rings;
    return {};
  }

  uint64_t rings = 0;
  auto Fields() { return std::tie(rings); }
};

TEST(Typed, EncodesCommandsAndResults) {
  TypedRegister machine;
  EXPECT_EQ(
      *TypedRegister::Decode(machine.Apply(TypedRegister::Encode({"first"}))),
      "");
  EXPECT_EQ(
      *TypedRegister::Decode(machine.Apply(TypedRegister::Encode({"second"}))),
      "first");
}

TEST(Typed, SnapshotAndRestore) {
  TypedRegister machine;
  machine.Apply(TypedRegister::Encode({"first"}));
  TypedRegister other;
  EXPECT_TRUE(other.Restore(machine.Snapshot()).ok());
  EXPECT_EQ(
      *TypedRegister::Decode(other.Apply(TypedRegister::Encode({"second"}))),
      "first");
  EXPECT_FALSE(other.Restore("no state").ok());
  EXPECT_EQ(other.Snapshot(), base::Rope(rpc::Encode(std::string("second"))));
}

TEST(Typed, BytesThatAreNoCommandChangeNothing) {
  Typed<Bell> machine;
  const std::string rung = machine.Apply(Typed<Bell>::Encode({}));
  EXPECT_TRUE(Typed<Bell>::Decode(rung).ok());
  const std::string malformed = machine.Apply("no command");
  EXPECT_EQ(Typed<Bell>::Decode(malformed).status().message(),
            "the command was malformed");
  EXPECT_EQ(machine.Snapshot(), base::Rope(rpc::Encode(uint64_t{1})));
}

TEST(Typed, Submit) {
  RsmFixture f({}, std::make_unique<TypedRegister>());
  EXPECT_EQ(TypedRegister::Submit(f.rsm.get(), {"a"}).outcome,
            Outcome::kNotLeader);

  f.raft->Lead(1, 2);
  std::thread raft;
  f.raft->WhenStarted([&](raft::StartResult) {
    raft = std::thread([&] {
      f.raft->Deliver({CommandAt(1, 1, TypedRegister::Encode({"first"})),
                       CommandAt(2, 1, TypedRegister::Encode({"second"}))});
    });
  });
  const TypedRegister::Answer answer =
      TypedRegister::Submit(f.rsm.get(), {"second"});
  raft.join();
  EXPECT_EQ(answer.outcome, Outcome::kDone);
  EXPECT_EQ(answer.result, "first");
}

}  // namespace
}  // namespace rsm
