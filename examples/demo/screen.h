// The demo's picture on the terminal, drawn in place with ANSI codes: title,
// what is going on, the table of servers, the newest sentences. It stays
// readable when the program has ended.
//
// Thread safety: one Screen at a time, used by one thread.
// Always true: the cursor is visible again when the Screen is destroyed, when
// the process is stopped by Ctrl-Z, and when a CHECK has failed.

#ifndef EXAMPLES_DEMO_SCREEN_H_
#define EXAMPLES_DEMO_SCREEN_H_

#include <deque>
#include <string>

#include "examples/demo/view.h"

namespace demo {

// One act of the story, and what to look at.
struct Act {
  const char* title = "";
  const char* look = "";
  const char* look_too = "";
};

class Screen {
 public:
  // The picture, and the line below it for the cursor.
  static constexpr int kColumns = 80;
  static constexpr int kLines = 24;

  // Whether standard output is a terminal that has room for the picture and
  // knows ANSI codes.
  static bool CanShow();

  // Scrolls what is on the screen out of sight, and hides the cursor.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // `now` is the time of the events; `run` stands with it in the upper right.
  void Draw(double now, const std::string& run, const Act& act,
            const View& view, const std::deque<std::string>& newest) const;
};

}  // namespace demo

#endif  // EXAMPLES_DEMO_SCREEN_H_
