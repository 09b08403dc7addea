// The terminal on standard output, drawn upon in place with ANSI codes.
//
// It draws on the ordinary screen, not the alternate one: the last picture and
// whatever a failed CHECK says stay readable when the program has ended.
//
// Thread safety: one Terminal at a time, used by one thread at a time.
// Always true: the cursor is visible again when it has been destroyed, when the
// process has been stopped by Ctrl-Z, and when a CHECK has failed.

#ifndef EXAMPLES_DEMO_TERMINAL_H_
#define EXAMPLES_DEMO_TERMINAL_H_

#include <string>
#include <vector>

namespace tests {

class Terminal {
 public:
  // Whether standard output is a terminal that understands ANSI codes and has
  // room for a picture of that size.
  static bool CanShow(int columns, int lines);

  // Scrolls what stood on the screen out of sight, and hides the cursor.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Draws the lines from the top of the screen on, over the ones drawn before.
  // The cursor stays below them.
  void Draw(const std::vector<std::string>& lines);
};

}  // namespace tests

#endif  // EXAMPLES_DEMO_TERMINAL_H_
