#include "base/symbolize.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "absl/debugging/symbolize.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace base {
namespace {

// All addresses stand in one argument of the shell, which takes 128 KiB. Frames
// beyond these have names only.
constexpr size_t kMaxAddresses = 8000;

// The address in the program's file, or 0 for one in a library.
uintptr_t FileAddress(uintptr_t pc) {
  Dl_info at = {};
  Dl_info here = {};
  if (dladdr(reinterpret_cast<void*>(pc), &at) == 0) return 0;
  dladdr(reinterpret_cast<void*>(&FunctionName), &here);
  if (at.dli_fbase != here.dli_fbase) return 0;
  const auto* header = static_cast<const ElfW(Ehdr)*>(at.dli_fbase);
  const auto base = reinterpret_cast<uintptr_t>(at.dli_fbase);
  return header->e_type == ET_DYN ? pc - base : pc;
}

// -i: the places of inlined functions too; -a: the address before its places.
std::string Command(const std::vector<uintptr_t>& addresses) {
  std::string command =
      absl::StrCat("timeout 15 addr2line -a -i -e /proc/", getpid(), "/exe");
  for (const uintptr_t address : addresses) {
    absl::StrAppendFormat(&command, " %x", address);
  }
  return command + " 2>&-";
}

bool IsLibraryHeader(absl::string_view path) {
  return absl::StrContains(path, "/c++/") || absl::StrContains(path, "/bits/");
}

absl::string_view FileAndLine(absl::string_view path) {
  path.remove_prefix(std::min(path.size(), path.rfind('/') + 1));
  return path;
}

// addr2line prints "path:line", sometimes with a remark after it, or question
// marks. Returns what is known, or nothing.
absl::string_view KnownPlace(absl::string_view line) {
  line = line.substr(0, line.find('\n'));
  line = line.substr(0, line.rfind(" (discriminator "));
  return line.find('?') == absl::string_view::npos ? line : "";
}

}  // namespace

std::string FunctionName(uintptr_t pc) {
  // Does nothing from the second time on.
  absl::InitializeSymbolizer("/proc/self/exe");
  char name[512];
  const bool known =
      absl::Symbolize(reinterpret_cast<void*>(pc), name, sizeof(name));
  return known ? name : "(unknown function)";
}

Symbolizer::Symbolizer(const std::vector<Stack>& stacks) { LookUp(stacks); }

void Symbolizer::LookUp(const std::vector<Stack>& stacks) {
  std::vector<uintptr_t> addresses;
  for (const Stack& stack : stacks) {
    std::ranges::transform(stack, std::back_inserter(addresses), FileAddress);
  }
  std::ranges::sort(addresses);
  addresses.erase(std::unique(addresses.begin(), addresses.end()),
                  addresses.end());
  std::erase(addresses, 0);
  addresses.resize(std::min(addresses.size(), kMaxAddresses));
  if (addresses.empty()) return;
  FILE* const output = popen(Command(addresses).c_str(), "r");
  if (output == nullptr) return;
  uintptr_t address = 0;
  char line[4096];
  while (std::fgets(line, sizeof(line), output) != nullptr) {
    const absl::string_view place = KnownPlace(line);
    if (absl::StartsWith(line, "0x")) {
      address = std::strtoull(line, nullptr, 16);
    } else if (!place.empty()) {
      paths_[address].emplace_back(place);
    }
  }
  pclose(output);
}

Symbolizer::Place Symbolizer::PlaceAt(uintptr_t pc) const {
  const auto found = paths_.find(FileAddress(pc));
  if (found == paths_.end()) return {};
  const std::vector<std::string>& paths = found->second;
  Place place;
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    if (IsLibraryHeader(*path)) continue;
    absl::StrAppend(&place.text, place.text.empty() ? "" : " > ",
                    FileAndLine(*path));
  }
  if (!place.text.empty()) return place;
  // The outermost one belongs to the function whose name is printed.
  return {std::string(FileAndLine(paths.back())), true};
}

std::string Symbolizer::Text(const Stack& stack) const {
  std::vector<std::string> lines;
  bool program_further_out = false;
  for (auto pc = stack.rbegin(); pc != stack.rend(); ++pc) {
    const Place place = PlaceAt(*pc);
    if (place.in_library_header && program_further_out) continue;
    program_further_out |= !place.text.empty() && !place.in_library_header;
    const char* const space = place.text.empty() ? "" : " ";
    lines.push_back(
        absl::StrCat("  ", FunctionName(*pc), space, place.text, "\n"));
  }
  std::ranges::reverse(lines);
  return absl::StrJoin(lines, "");
}

}  // namespace base
