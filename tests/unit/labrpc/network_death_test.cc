// What ends the process: bugs of callers and services, with the course's words.

#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "tests/unit/labrpc/network_fixture.h"

namespace tests {
namespace {

class NetworkDeathTest : public NetworkTest {};

TEST_F(NetworkDeathTest, TwoEndsOfOneName) {
  EXPECT_DEATH(network_->MakeEnd("end"), "MakeEnd: end already exists");
}

TEST_F(NetworkDeathTest, UnknownEnds) {
  EXPECT_DEATH(network_->DeleteEnd("e"), "DeleteEnd: e does not exist");
  EXPECT_DEATH(network_->Enable("e", true), "Enable: e does not exist");
  EXPECT_DEATH(network_->Connect("e", "s"), "Connect: e does not exist");
}

TEST_F(NetworkDeathTest, UnknownService) {
  server_->AddService(rpc::Service("Other"));
  EXPECT_DEATH(end_->Call(rpc::Method<int, int>{"Raft.Vote"}, 1),
               "labrpc.Server.dispatch\\(\\): unknown service Raft in "
               "Raft.Vote; expecting one of \\[Other Test\\]");
}

TEST_F(NetworkDeathTest, UnknownMethod) {
  EXPECT_DEATH(end_->Call(rpc::Method<int, int>{"Test.Vote"}, 1),
               "labrpc.Service.dispatch\\(\\): unknown method Vote in "
               "Test.Vote; expecting one of \\[Echo Wait\\]");
}

TEST_F(NetworkDeathTest, ReplyOfAnotherType) {
  EXPECT_DEATH(end_->Call(rpc::Method<std::string, int>{"Test.Echo"}, "x"),
               "ClientEnd.Call\\(\\): decode reply: ");
}

TEST_F(NetworkDeathTest, ArgumentsOfAnotherType) {
  EXPECT_DEATH(end_->Call(rpc::Method<int, std::string>{"Test.Echo"}, 1),
               "decode arguments");
}

TEST_F(NetworkDeathTest, ArgumentsOfAnotherTypeForALaterAnswer) {
  rpc::Service service("Later");
  service.HandleAsync(
      rpc::Method<std::string, int>{"Later.Ask"},
      [](const std::string&, const rpc::Responder<int>&) { FAIL(); });
  server_->AddService(std::move(service));
  EXPECT_DEATH(end_->Call(rpc::Method<int, int>{"Later.Ask"}, 1),
               "Later.Ask: decode arguments");
}

TEST_F(NetworkDeathTest, CloseFromACallbackOfTheEnd) {
  EXPECT_DEATH(
      {
        end_->CallAsync(kEcho, "x",
                        [this](Outcomes::Outcome) { end_->Close(); });
        gate_.Pass();
      },
      "would wait for the callback that calls it");
}

TEST_F(NetworkDeathTest, CleanupFromACallback) {
  EXPECT_DEATH(
      {
        end_->CallAsync(kEcho, "x",
                        [this](Outcomes::Outcome) { network_->Cleanup(); });
        gate_.Pass();
      },
      "cannot shut down the network");
}

TEST_F(NetworkDeathTest, ObserverDuringTraffic) {
  end_->Call(kEcho, "x");
  EXPECT_DEATH(network_->SetObserver(log_.Observer()), "before the first call");
  EXPECT_DEATH(network_->SetTap(
                   [](const labrpc::Packet&) { return labrpc::Ruling::kPass; }),
               "the tap must be set before the first call");
}

TEST_F(NetworkDeathTest, ServerThatIsNone) {
  EXPECT_DEATH(network_->AddServer("none", nullptr),
               "AddServer: none needs a server");
}

}  // namespace
}  // namespace tests
