// What servers of a service on Rsm and Sessions have in common. Its Err is the
// one of clerk.h, with kTooLarge.

#ifndef RSM_SERVICE_H_
#define RSM_SERVICE_H_

#include <string>
#include <string_view>
#include <utility>

#include "rpc/rpc.h"
#include "rsm/rsm.h"
#include "rsm/sessions.h"

namespace rsm {

template <typename Err>
Err ErrOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return Err::kOk;
    case Outcome::kNotLeader:
      return Err::kWrongLeader;
    case Outcome::kLost:
      return Err::kLost;
    case Outcome::kTooLarge:
      break;
  }
  return Err::kTooLarge;
}

// What the answer of Sessions says, and the result in it.
template <typename Err>
std::pair<Err, std::string> OpenAnswer(std::string_view encoded) {
  Sessions::Answer answer = Sessions::Decode(encoded).value();
  const bool is_ok = answer.status == Sessions::Status::kOk;
  return {is_ok ? Err::kOk : Err::kSession, std::move(answer.value)};
}

// What became of a request to Sessions, and its result if it was executed.
template <typename Err>
std::pair<Err, std::string> Open(const Result& result) {
  const Err err = ErrOf<Err>(result.outcome);
  if (err != Err::kOk) return {err, ""};
  return OpenAnswer<Err>(result.value);
}

// Answers with a new session.
template <typename Reply>
void OpenSession(Rsm* rsm, rpc::Responder<Reply> respond) {
  rsm->SubmitAsync(Sessions::EncodeOpen(), [respond = std::move(respond)](
                                               const Result& result) mutable {
    const auto [err, id] = Open<decltype(Reply::err)>(result);
    Reply reply{.err = err};
    if (!id.empty()) reply.session = *Sessions::DecodeId(id);
    std::move(respond).Send(reply);
  });
}

}  // namespace rsm

#endif  // RSM_SERVICE_H_
