#include "tests/harness/kv_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/logging.h"

#if __has_include("kvraft/replicated_store.h")
#include "kvraft/replicated_store.h"
#include "rsm/sessions.h"
#include "rsm/typed.h"
#endif

namespace harness {

#if __has_include("kvraft/replicated_store.h")

bool CanReadLog() { return true; }

namespace {

using CommandKind = kvraft::Command::Kind;
using porcupine::Kind;

Kind KindOf(CommandKind kind) {
  switch (kind) {
    case CommandKind::kGet:
      return Kind::kGet;
    case CommandKind::kPut:
      return Kind::kPut;
    case CommandKind::kAppend:
      return Kind::kAppend;
    case CommandKind::kPutVersion:
      break;
  }
  return Kind::kVersionedPut;
}

}  // namespace

// An entry that opens a session, or whose session is forgotten, executes
// nothing; one that repeats a call is found by its revision.
KvExecution ReadExecution(std::string_view command, std::string_view result) {
  const auto request = rsm::Sessions::DecodeRequest(command);
  const auto answer = rsm::Sessions::Decode(result);
  if (!request.ok() || request->is_open || !answer.ok()) return {};
  if (answer->status != rsm::Sessions::Status::kOk) return {};
  auto decoded = rpc::Decode<kvraft::Command>(request->command);
  const auto reply = rsm::Typed<kvraft::Store>::Decode(answer->value);
  if (!decoded.ok() || !reply.ok()) return {};
  const bool is_write =
      decoded->kind != CommandKind::kGet && reply->err == kvraft::Err::kOk;
  return {.revision = reply->revision,
          .is_write = is_write,
          .call = {KindOf(decoded->kind), std::move(decoded->key),
                   std::move(decoded->value), decoded->version},
          .session = request->session,
          .number = request->number};
}

std::string ShowKvCommand(std::string_view command) {
  const auto request = rsm::Sessions::DecodeRequest(command);
  if (!request.ok()) return "";
  if (request->is_open) return "open session";
  const auto decoded = rpc::Decode<kvraft::Command>(request->command);
  if (!decoded.ok()) return "";
  const Kind kind = KindOf(decoded->kind);
  std::string text =
      absl::StrCat(porcupine::NameOf(kind), "(\"", decoded->key, "\"");
  if (kind != Kind::kGet) absl::StrAppend(&text, ", \"", decoded->value, "\"");
  if (kind == Kind::kVersionedPut) {
    absl::StrAppend(&text, ", version ", decoded->version);
  }
  return text + ")";
}

#else

bool CanReadLog() { return false; }

KvExecution ReadExecution(std::string_view, std::string_view) {
  LOG(FATAL) << "this kvraft has no kvraft/replicated_store.h";
}

std::string ShowKvCommand(std::string_view) { return ""; }

#endif

}  // namespace harness
