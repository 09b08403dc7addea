#include "base/flags.h"

#include <random>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace base {
namespace {

bool IsHelp(const std::string& argument) {
  return argument == "--help" || argument == "-help" || argument == "-h";
}

absl::Status SetFlag(const std::string& argument) {
  const size_t begin = argument.starts_with("--") ? 2 : 1;
  const size_t equals = argument.find('=');
  const bool has_value = equals != std::string::npos;
  const std::string name = argument.substr(begin, equals - begin);
  absl::CommandLineFlag* const flag = absl::FindCommandLineFlag(name);
  // Abseil's own flags are found too; they do nothing here.
  if (flag == nullptr || absl::StrContains(flag->Filename(), "absl/flags/")) {
    return FlagError(absl::StrCat("unknown option ", argument));
  }
  if (!has_value && !flag->IsOfType<bool>()) {
    return FlagError(absl::StrCat("option ", argument,
                                  " needs a value, as in --", name, "=..."));
  }
  const std::string value = has_value ? argument.substr(equals + 1) : "true";
  std::string error;
  if (flag->ParseFrom(value, &error)) return absl::OkStatus();
  return FlagError(absl::StrCat("option ", argument, " has a bad value"));
}

}  // namespace

absl::StatusOr<CommandLine> ParseFlags(int argc, char** argv,
                                       const FlagOptions& options) {
  CommandLine command_line;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (IsHelp(argument)) {
      command_line.help = true;
    } else if (!options.foreign_prefix.empty() &&
               argument.starts_with(options.foreign_prefix)) {
      command_line.foreign = true;
    } else if (!argument.starts_with("-")) {
      return FlagError(absl::StrCat("unexpected argument \"", argument, "\"",
                                    options.stray_hint));
    } else if (absl::Status set = SetFlag(argument); !set.ok()) {
      return set;
    }
  }
  return command_line;
}

absl::Status FlagError(const std::string& problem) {
  return absl::InvalidArgumentError(
      absl::StrCat(problem, "; --help shows the options"));
}

absl::StatusOr<uint64_t> ParseSeed(const std::string& text) {
  // 32 bits: easier to type again, and enough runs to choose from.
  if (text.empty()) return std::random_device{}();
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  uint64_t seed = 0;
  if (digits && absl::SimpleAtoi(text, &seed)) return seed;
  return FlagError(absl::StrCat("bad seed \"", text,
                                "\": give a whole number from 0 to 2^64-1"));
}

}  // namespace base
