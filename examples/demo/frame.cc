#include "examples/demo/frame.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "examples/demo/sentences.h"

namespace tests {
namespace {

// Select Graphic Rendition codes.
constexpr char kPlain[] = "";
constexpr char kBold[] = "1";
constexpr char kDim[] = "2";
constexpr char kRed[] = "1;31";
constexpr char kGreen[] = "1;32";
constexpr char kYellow[] = "33";

constexpr size_t kLogColumns = 32;

// The entries that are shown, the same ones of every server: so that entries
// of one index stand below each other.
struct Window {
  raft::Index first = 1;
  raft::Index last = 0;  // of the longest log
  size_t width = 2;      // of one entry, with the mark behind it
  ServerView truth;      // who has committed most, knows best
};

class Painter {
 public:
  Painter(const Frame& frame, bool colour) : frame_(frame), colour_(colour) {}

  std::vector<std::string> Paint() {
    Head();
    Table();
    Events();
    return std::move(lines_);
  }

 private:
  void Head() {
    const Act& act = frame_.journal.act;
    const std::string title = "Raft, live: five servers keep one log";
    const std::string run =
        absl::StrFormat("seed %d  %5.1fs", frame_.seed, frame_.elapsed.count());
    const auto gap = static_cast<size_t>(kFrameColumns) - title.size();
    Line(Ink(kBold, title) + absl::StrFormat("%*s", gap, run));
    Line("");
    Line(Ink(kBold, absl::StrFormat("%d. %s", act.number, act.title)));
    Line("   " + act.look);
    Line("   " + act.look_too);
    Line("   " + Ink(kBold, Clip(DescribeSituation(frame_.view), 3)));
    Line("");
  }

  void Table() {
    const Window window = ChooseWindow();
    Line(Ink(kDim, absl::StrFormat(
                       "    state   role       term  log commit applied  %s",
                       HeadOfLog(window))));
    for (size_t i = 0; i < frame_.view.size(); ++i) Row(i, window);
    Line(Ink(kDim,
             "    a number is an entry: the term it was made in; "
             "| ends what is committed"));
    Line("");
  }

  static std::string HeadOfLog(const Window& window) {
    if (window.last == 0) return "log entries";
    return absl::StrCat("log entries ", window.first, "-", window.last);
  }

  void Row(size_t i, const Window& window) {
    const ServerView& server = frame_.view[i];
    const std::string name = Name(static_cast<raft::ServerId>(i));
    if (server.link == Link::kCrashed) {
      Line(Ink(kBold, " " + name) + Ink(kRed, " crashed") +
           absl::StrFormat(" %-9s %5s%5s%7s%8s  ", "-", "-", "-", "-", "-") +
           Ink(kDim,
               absl::StrCat("on its disk: ", server.disk_bytes, " bytes")));
      return;
    }
    Line(Ink(kBold, " " + name) + LinkCell(server.link) + RoleCell(server) +
         absl::StrFormat(" %5d%5d%7d%8d ", server.term, server.log.size(),
                         server.commit, server.applied) +
         LogCells(server, window));
  }

  std::string LinkCell(Link link) const {
    return link == Link::kCutOff ? Ink(kRed, " cut off") : " up     ";
  }

  std::string RoleCell(const ServerView& server) const {
    switch (server.role) {
      case raft::Role::kLeader:
        // One that nobody hears is a leader only in its own eyes.
        return Ink(server.link == Link::kUp ? kGreen : kYellow, " leader   ");
      case raft::Role::kCandidate:
        return Ink(kYellow, " candidate");
      case raft::Role::kFollower:
        break;
    }
    return " follower ";
  }

  Window ChooseWindow() const {
    Window window;
    raft::Term newest = 0;
    for (const ServerView& server : frame_.view) {
      if (server.link == Link::kCrashed) continue;
      window.last = std::max(window.last, raft::Index{server.log.size()});
      newest = std::max(newest, server.term);
      if (server.commit >= window.truth.commit) window.truth = server;
    }
    window.width = absl::StrCat(newest).size() + 1;
    const size_t room = kLogColumns / window.width;
    window.first = window.last > room ? window.last - room + 1 : 1;
    return window;
  }

  std::string LogCells(const ServerView& server, const Window& window) const {
    const bool mark_first =
        server.commit > 0 && server.commit + 1 == window.first;
    std::string cells = mark_first ? "|" : " ";
    for (raft::Index i = window.first; i <= window.last; ++i) {
      const bool has = i <= server.log.size();
      const std::string entry = absl::StrFormat(
          "%*s", window.width - 1, has ? absl::StrCat(server.log[i - 1]) : ".");
      absl::StrAppend(&cells, Ink(EntryColour(server, window, i), entry),
                      i == server.commit ? "|" : " ");
    }
    return cells;
  }

  // Red: committed is something else. Yellow: not committed, as far as this
  // server knows.
  static const char* EntryColour(const ServerView& server, const Window& window,
                                 raft::Index i) {
    if (i > server.log.size()) return kDim;
    const ServerView& truth = window.truth;
    if (i <= truth.commit && server.log[i - 1] != truth.log[i - 1]) return kRed;
    return i <= server.commit ? kPlain : kYellow;
  }

  void Events() {
    for (const Event& event : frame_.journal.newest) {
      Line(" " + Clip(ToLine(event), 1));
    }
  }

  // Shortens a text to what fits behind an indentation.
  static std::string Clip(std::string text, size_t indentation) {
    text.resize(std::min(text.size(), kFrameColumns - indentation));
    return text;
  }

  void Line(std::string line) { lines_.push_back(std::move(line)); }

  std::string Ink(const char* code, const std::string& text) const {
    if (!colour_ || *code == '\0') return text;
    return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
  }

  const Frame& frame_;
  const bool colour_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> Render(const Frame& frame, bool colour) {
  return Painter(frame, colour).Paint();
}

}  // namespace tests
