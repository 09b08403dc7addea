// Encoded arguments on their way: bytes, the last of which may lie in a rope.
// It is shared, not copied, from the caller to the handler. What lies in a rope
// never changes (base/rope.h), so neither side sees what the other one does.
//
// Thread safety: plain values.

#ifndef RPC_FRAME_H_
#define RPC_FRAME_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/rope.h"

namespace rpc {

// The bytes of `head`, and those of `rest` after them.
struct Frame {
  std::string head;
  base::Rope rest;  // mostly empty

  size_t size() const { return head.size() + rest.size(); }
  std::string ToString() && {
    rest.CopyTo(0, rest.size(), &head);
    return std::move(head);
  }
};

// A frame or a string of another object, which must outlive the view.
struct FrameView {
  // NOLINTBEGIN(google-explicit-constructor): as std::string_view's.
  FrameView(std::string_view bytes) : head(bytes) {}
  FrameView(const std::string& bytes) : head(bytes) {}
  FrameView(const char* bytes) : head(bytes) {}
  FrameView(const Frame& frame) : head(frame.head), rest(&frame.rest) {}
  // NOLINTEND(google-explicit-constructor)

  std::string_view head;
  const base::Rope* rest = nullptr;  // null: there is none
};

}  // namespace rpc

#endif  // RPC_FRAME_H_
