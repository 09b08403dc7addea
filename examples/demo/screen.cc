#include "examples/demo/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/logging.h"

namespace demo {
namespace {

using raft::Index;

// Wrapping is off too: a line too long for a window made narrower must not
// push the ones below it down.
constexpr char kTake[] = "\x1b[?25l\x1b[?7l";
constexpr char kGiveBack[] = "\x1b[?7h\x1b[?25h";

// Select Graphic Rendition codes.
constexpr char kPlain[] = "";
constexpr char kBold[] = "1";
constexpr char kDim[] = "2";
constexpr char kRed[] = "1;31";
constexpr char kGreen[] = "1;32";
constexpr char kYellow[] = "33";

constexpr size_t kWidth = Screen::kColumns - 1;
constexpr size_t kLogColumns = 32;

// Safe in a signal handler. A terminal that has gone away takes no text.
void Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// Ctrl-Z. The next picture hides the cursor again.
void OnStop(int) {
  const int error = errno;
  Write(kGiveBack);
  raise(SIGSTOP);
  errno = error;
}

// The attribute, not [[noreturn]]: glog has it in the type of the function.
__attribute__((noreturn)) void OnFailedCheck() {
  Write(kGiveBack);
  std::abort();
}

winsize Size() {
  winsize size = {};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  return size;
}

// The picture is complete without colors.
std::string Ink(const char* code, const std::string& text) {
  const char* const no_color = std::getenv("NO_COLOR");
  const bool color = no_color == nullptr || *no_color == '\0';
  if (!color || *code == '\0') return text;
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

// The entries that are shown, the same ones of every server, so that those of
// one index are aligned.
struct Window {
  explicit Window(const View& view) {
    raft::Term newest = 0;
    for (const ServerView& server : view.servers()) {
      if (!server.up) continue;
      last = std::max(last, Index{server.log.size()});
      newest = std::max(newest, server.term);
      if (server.commit >= best.commit) best = server;
    }
    width = static_cast<int>(absl::StrCat(newest).size());
    const Index room = kLogColumns / static_cast<size_t>(width + 1);
    first = last > room ? last - room + 1 : 1;
  }

  Index first = 1;
  Index last = 0;   // of the longest log
  int width = 1;    // of one entry
  ServerView best;  // has the highest commit index
};

// Red: committed is something else. Yellow: not committed, as far as this
// server knows. What a snapshot covers is committed.
std::string Entry(const ServerView& server, Index i, const Window& window) {
  if (i > server.log.size()) {
    return Ink(kDim, absl::StrFormat("%*s", window.width, "."));
  }
  if (i <= server.discarded) {
    return Ink(kDim, absl::StrFormat("%*s", window.width, "="));
  }
  const raft::Term term = server.log[i - 1];
  const bool conflicts = i > window.best.discarded && i <= window.best.commit &&
                         term != window.best.log[i - 1];
  return Ink(conflicts            ? kRed
             : i <= server.commit ? kPlain
                                  : kYellow,
             absl::StrFormat("%*d", window.width, term));
}

std::string Row(const ServerView& server, const Window& window) {
  if (!server.up) {
    return absl::StrFormat("%s %-9s %5s%5s%7s%8s  %s", Ink(kRed, " crashed"),
                           "-", "-", "-", "-", "-",
                           Ink(kDim, absl::StrFormat("on its disk: %d entries",
                                                     server.log.size())));
  }
  // A leader that is cut off leads no other server.
  const char* const color = server.role == "follower"            ? kPlain
                            : server.Leads() && server.connected ? kGreen
                                                                 : kYellow;
  std::string row = absl::StrFormat(
      "%s%s %5d%5d%7d%8d ",
      server.connected ? " up     " : Ink(kRed, " cut off"),
      Ink(color, absl::StrFormat(" %-9s", server.role)), server.term,
      server.log.size(), server.commit, server.applied);
  for (Index i = window.first - 1; i <= window.last; ++i) {
    if (i >= window.first) row += Entry(server, i, window);
    row += i == server.commit && i > 0 ? "|" : " ";
  }
  return row;
}

// One that waits for long is yellow.
std::string ClientRow(int number, const ClientView& client, double now) {
  const double waits = client.waiting ? now - client.called : 0;
  const std::string text = absl::StrFormat(
      "%3d done  %s%s", client.done, client.call,
      waits < kLongWait ? client.answer
                        : absl::StrFormat(" waits for %.1f s", waits));
  return Ink(kBold, absl::StrFormat(" C%d", number)) +
         Ink(waits < kLongWait ? kPlain : kYellow, text.substr(0, kWidth - 3));
}

// One group: what its servers are, and where each shard is on its way.
std::string GroupRow(int number, const GroupView& group, size_t shards) {
  const auto up = std::count_if(group.up.begin(), group.up.end(),
                                [](const auto& each) { return each.second; });
  std::string row = absl::StrFormat(
      " %-11s %d up  %-11s",
      number == ShardView::kCtrlers ? "controller"
                                    : absl::StrCat("group ", number),
      up,
      group.leader == raft::kNobody
          ? "no leader"
          : absl::StrCat("S", group.leader, " leads T", group.term));
  if (number == ShardView::kCtrlers) return row;
  absl::StrAppend(&row, absl::StrFormat("%7d  ", group.config));
  for (int shard = 0; shard < static_cast<int>(shards); ++shard) {
    absl::StrAppend(&row, " ",
                    group.served.contains(shard)       ? Ink(kGreen, "#")
                    : group.to_confirm.contains(shard) ? Ink(kGreen, "+")
                    : group.coming.contains(shard)     ? Ink(kYellow, ">")
                    : group.leaving.contains(shard)    ? Ink(kYellow, "<")
                                                       : Ink(kDim, "."),
                    " ");
  }
  return row;
}

using Line = std::function<void(const char* code, const std::string& text)>;

void DrawServers(const View& view, const Line& line) {
  const Window window(view);
  line(kDim, absl::StrCat(
                 "    state   role       term  log commit applied  log entries",
                 window.last == 0
                     ? ""
                     : absl::StrCat(" ", window.first, "-", window.last)));
  int server = 0;
  for (const ServerView& each : view.servers()) {
    line(kPlain, Ink(kBold, " " + Name(server++)) + Row(each, window));
  }
  line(kDim,
       "    a number is an entry's term; = is in a snapshot; | ends what is "
       "committed");
}

void DrawGroups(const ShardView& view, const Line& line) {
  std::string numbers;
  for (size_t i = 0; i < view.owners().size(); ++i) {
    numbers += absl::StrFormat(" %d ", i);
  }
  line(kDim,
       absl::StrCat("             servers            config   ", numbers));
  for (const auto& [number, group] : view.groups()) {
    line(kPlain, GroupRow(number, group, view.owners().size()));
  }
  line(
      kDim,
      "    # is served here, + too, and to be confirmed; > is coming; < a copy "
      "is left");
}

}  // namespace

bool Screen::CanShow() {
  const char* const type = std::getenv("TERM");
  if (isatty(STDOUT_FILENO) == 0 || type == nullptr) return false;
  if (*type == '\0' || std::string_view(type) == "dumb") return false;
  const winsize size = Size();
  return size.ws_col >= kColumns && size.ws_row >= kLines;
}

Screen::Screen() {
  google::InstallFailureFunction(&OnFailedCheck);
  std::signal(SIGTSTP, &OnStop);
  Write(absl::StrCat(std::string(Size().ws_row, '\n'), kTake));
}

Screen::~Screen() {
  std::signal(SIGTSTP, SIG_DFL);
  Write(kGiveBack);
}

// One write for the whole picture, and no clearing before: nothing flickers.
// Each line is placed: a window made lower must not scroll.
void Screen::Draw(double now, const std::string& run, const Act& act,
                  const View& view,
                  const std::deque<std::string>& newest) const {
  std::string picture = kTake;
  int row = 0;
  const auto line = [&](const char* code, const std::string& text) {
    absl::StrAppend(&picture, "\x1b[", ++row, ";1H", Ink(code, text), "\x1b[K");
  };
  const std::string title =
      view.shards().IsThere()  ? "Raft, live: a sharded key/value service"
      : view.clients().empty() ? "Raft, live: five servers keep one log"
                               : "Raft, live: a key/value service";
  const std::string corner = absl::StrFormat("%s  %5.1fs", run, now);
  line(kPlain, Ink(kBold, title) +
                   absl::StrFormat("%*s", kWidth - title.size(), corner));
  line(kPlain, "");
  line(kBold, act.title);
  line(kPlain, absl::StrCat("   ", act.look));
  line(kPlain, absl::StrCat("   ", act.look_too));
  const std::string situation =
      view.shards().IsThere()
          ? absl::StrCat("Configuration ", view.shards().config(), ".")
          : view.Situation();
  line(kBold, ("   " + situation).substr(0, kWidth));
  line(kPlain, "");
  if (view.shards().IsThere()) {
    DrawGroups(view.shards(), line);
  } else {
    DrawServers(view, line);
  }
  for (const auto& [client, seen] : view.clients()) {
    line(kPlain, ClientRow(client, seen, now));
  }
  line(kPlain, "");
  const size_t room = static_cast<size_t>(kLines - 1 - row);
  for (size_t i = newest.size() - std::min(room, newest.size());
       i < newest.size(); ++i) {
    line(kPlain, (" " + newest[i]).substr(0, kWidth));
  }
  Write(absl::StrCat(picture, "\x1b[", row + 1, ";1H\x1b[J"));
}

}  // namespace demo
