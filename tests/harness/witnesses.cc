#include "tests/harness/witnesses.h"

namespace harness {

using raft::ServerId;

void Witnesses::LifeBegins(ServerId server, int life) const {
  if (recorder_ != nullptr) recorder_->LifeBegins(server, life);
  if (oracle_ != nullptr) oracle_->LifeBegins(server, life);
}

void Witnesses::LifeEnds(ServerId server) const {
  if (recorder_ != nullptr) recorder_->LifeEnds(server);
  if (oracle_ != nullptr) oracle_->LifeEnds(server);
}

void Witnesses::Links(ServerId server, bool connected) const {
  if (recorder_ != nullptr) recorder_->Links(server, connected);
}

void Witnesses::NetworkIs(std::string_view what, bool yes) const {
  if (recorder_ != nullptr) recorder_->NetworkIs(what, yes);
}

// The recorder first: so a violation stands behind what is one.
void Witnesses::Sees(const labrpc::Packet& packet) const {
  if (recorder_ != nullptr) recorder_->Sees(packet);
  if (oracle_ != nullptr) oracle_->Sees(packet);
}

void Witnesses::Saved(ServerId server, int life, std::string_view bytes) const {
  if (recorder_ != nullptr) recorder_->Saved(server, life, bytes);
  if (oracle_ != nullptr) oracle_->Saved(server, life, bytes);
}

void Witnesses::Applied(ServerId server, const raft::ApplyMsg& message) const {
  if (recorder_ != nullptr) recorder_->Applied(server, message);
  if (oracle_ != nullptr) oracle_->Applied(server, message);
}

raft::State Witnesses::GetState(ServerId server, int life,
                                Instance* instance) const {
  const raft::Term floor = oracle_ == nullptr ? 0 : oracle_->TermOf(server);
  const raft::State state = instance->GetState();
  if (recorder_ != nullptr) recorder_->Stated(server, life, state);
  if (oracle_ != nullptr) oracle_->Stated(server, life, floor, state);
  return state;
}

raft::StartResult Witnesses::Start(ServerId server, int life,
                                   Instance* instance,
                                   std::string_view command) const {
  const raft::StartResult result = instance->Start(command);
  if (recorder_ != nullptr) recorder_->Started(server, life, command, result);
  if (oracle_ != nullptr) oracle_->Started(server, life, result);
  return result;
}

}  // namespace harness
