#include "tests/isolation/remote.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "tests/isolation/raw_bytes.h"

namespace isolation {

Remote::Remote(RaftProcess* process, Ends peers,
               std::shared_ptr<persister::Persister> disk, MakeEnd make_end)
    : process_(process),
      disk_(std::move(disk)),
      make_end_(std::move(make_end)),
      peers_(std::move(peers)) {
  if (disk_ != nullptr) saved_ = disk_->ReadRaftState();
}

Remote::~Remote() {
  Tell({.kind = Kind::kForget});
  process_->Remove(id_);
}

std::vector<std::string> Remote::Make(const std::shared_ptr<Remote>& me,
                                      MakeArgs args, base::Random* random) {
  id_ = process_->Add(me);
  {
    base::MutexLock lock(&mu_);
    args.peers = static_cast<int32_t>(peers_.size());
  }
  if (random != nullptr) args.seed = random->Below(~uint64_t{0});
  if (disk_ != nullptr) {
    args.raft_state = saved_.ToString();
    args.snapshot = disk_->ReadSnapshot().ToString();
  }
  const std::optional<std::string> methods =
      Ask(Kind::kMake, "", rpc::Encode(args));
  return absl::StrSplit(methods.value_or(""), '\n', absl::SkipEmpty());
}

std::optional<std::string> Remote::Ask(Kind kind, std::string_view name,
                                       std::string_view bytes) const {
  return process_->Ask({.kind = kind,
                        .instance = id_,
                        .name = std::string(name),
                        .bytes = std::string(bytes)});
}

void Remote::AskAsync(Kind kind, std::string_view name, std::string_view bytes,
                      RaftProcess::Done done) const {
  process_->AskAsync({.kind = kind,
                      .instance = id_,
                      .name = std::string(name),
                      .bytes = std::string(bytes)},
                     std::move(done));
}

void Remote::Answer(std::string_view method, const RawBytes& args,
                    rpc::Responder<RawBytes> respond) const {
  AskAsync(
      Kind::kHandle, method, args.bytes,
      [respond = std::move(respond)](std::optional<std::string> reply) mutable {
        if (reply.has_value()) std::move(respond).Send({*std::move(reply)});
      });
}

void Remote::Tell(Message message) const {
  message.instance = id_;
  process_->Tell(message);
}

void Remote::ClosePeers() {
  Ends peers;
  {
    base::MutexLock lock(&mu_);
    is_closed_ = true;
    peers = peers_;
  }
  for (const auto& peer : peers) {
    if (peer != nullptr) peer->Close();
  }
}

void Remote::OnMessage(Message message) {
  switch (message.kind) {
    case Kind::kCall:
      return OnCall(std::move(message));
    case Kind::kSave:
      return OnSave(message);
    case Kind::kApply:
      return OnApply(std::move(message));
    case Kind::kEnd:
      return OnEnd(message);
    default:
      LOG(FATAL) << "the process under test says what only the tests may say";
  }
}

void Remote::OnCall(Message message) {
  const int32_t peer = message.number;
  std::shared_ptr<rpc::ClientEnd> end;
  {
    base::MutexLock lock(&mu_);
    CHECK(peer >= 0 && peer < static_cast<int32_t>(peers_.size()))
        << "the process under test calls peer " << peer;
    end = peers_[static_cast<size_t>(peer)];
  }
  const auto answer = [process = process_, id = id_, call = message.call,
                       peer](std::optional<RawBytes> reply) {
    process->Tell(
        {.kind = Kind::kAnswer,
         .call = call,
         .instance = id,
         .number = reply.has_value() ? 1 : 0,
         .name = std::to_string(peer),
         .bytes = reply.has_value() ? std::move(reply->bytes) : std::string()});
  };
  process_->AfterDelay(
      [answer, end = std::move(end), call = std::move(message)]() mutable {
        end->CallAsync(RawMethod{call.name}, RawBytes{std::move(call.bytes)},
                       answer);
      });
}

void Remote::OnSave(const Message& message) {
  CHECK(disk_ != nullptr) << "the process under test saves without a disk";
  auto args = DecodeOrDie<SaveArgs>(message.bytes);
  CHECK(args.kept <= saved_.size())
      << "the process under test keeps what it never saved";
  saved_.Truncate(args.kept);
  saved_.Append(args.added);
  if (args.has_snapshot) {
    disk_->Save(saved_, args.snapshot);
  } else {
    disk_->SaveRaftState(saved_);
  }
}

void Remote::OnEnd(const Message& message) {
  CHECK(make_end_ != nullptr) << "the process under test makes an end";
  std::shared_ptr<rpc::ClientEnd> end = make_end_(message.name);
  bool is_closed = false;
  {
    base::MutexLock lock(&mu_);
    CHECK(static_cast<size_t>(message.number) == peers_.size() &&
          peers_.size() < kMostPeers)
        << "the process under test makes end " << message.number;
    peers_.push_back(end);
    is_closed = is_closed_;
  }
  if (is_closed) end->Close();
}

void Remote::OnApply(Message&& /*message*/) {
  LOG(FATAL) << "the process under test delivers, and is no Raft";
}

}  // namespace isolation
