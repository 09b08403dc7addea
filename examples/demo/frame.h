// Draws the demo's picture as lines of text: title, what is going on, the table
// of servers, the newest events.
//
// Thread safety: a pure function.
// Always true: at most kFrameLines lines of at most kFrameColumns characters,
// so that the picture fits a terminal of 80 x 24.

#ifndef EXAMPLES_DEMO_FRAME_H_
#define EXAMPLES_DEMO_FRAME_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "examples/demo/journal.h"
#include "examples/demo/view.h"

namespace tests {

inline constexpr int kFrameColumns = 79;
inline constexpr int kFrameLines = 23;

struct Frame {
  uint64_t seed = 0;
  std::chrono::duration<double> elapsed{0};
  Journal::Excerpt journal;
  ClusterView view;
};

// `colour`: with ANSI colours; the picture is complete without them.
std::vector<std::string> Render(const Frame& frame, bool colour);

}  // namespace tests

#endif  // EXAMPLES_DEMO_FRAME_H_
