#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "porcupine/read_history.h"

namespace porcupine {
namespace {

// One of EDN's forms: a collection, or anything else as its text.
struct Form {
  char kind = 'a';  // '[' for vectors, lists and sets, '{' for maps, else 'a'
  std::string text;
  std::vector<Form> items;

  // The value of a keyword in a map.
  const Form* Find(std::string_view keyword) const {
    for (size_t i = 0; kind == '{' && i + 1 < items.size(); i += 2) {
      if (items[i].text == keyword) return &items[i + 1];
    }
    return nullptr;
  }
};

class Parser {
 public:
  explicit Parser(std::string text) : text_(std::move(text)) {}

  // The next form; false at the end, or if there is none: see fault().
  bool Next(Form* form) { return !AtEnd() && Parse(form, 0); }

  size_t line() const { return line_; }
  const std::string& fault() const { return fault_; }

 private:
  static constexpr int kMaxDepth = 64;

  bool AtEnd() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ';') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ',' || std::isspace(static_cast<unsigned char>(c))) {
        line_ += c == '\n' ? 1 : 0;
        ++at_;
      } else {
        return false;
      }
    }
    return true;
  }

  bool Fail(const std::string& fault) {
    fault_ = fault;
    return false;
  }

  bool Parse(Form* form, int depth) {
    if (depth > kMaxDepth) return Fail("forms are nested too deeply");
    if (AtEnd()) return Fail("the file ends within a form");
    const char c = text_[at_];
    if (c == '#') return ParseTagged(form, depth);
    if (c == '[' || c == '(') return ParseItems(form, '[', depth);
    if (c == '{') return ParseItems(form, '{', depth);
    if (c == '"') return ParseString(form);
    return ParseAtom(form);
  }

  // A set, or a form with a tag, which says nothing here.
  bool ParseTagged(Form* form, int depth) {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '{') {
      return ParseItems(form, '[', depth);
    }
    Form tag;
    return ParseAtom(&tag) && Parse(form, depth + 1);
  }

  bool ParseItems(Form* form, char kind, int depth) {
    const char close = text_[at_] == '(' ? ')' : text_[at_] == '[' ? ']' : '}';
    ++at_;
    form->kind = kind;
    while (!AtEnd() && text_[at_] != close) {
      form->items.emplace_back();
      if (!Parse(&form->items.back(), depth + 1)) return false;
    }
    if (at_ >= text_.size()) return Fail("the file ends within a form");
    ++at_;
    return true;
  }

  // With its quotes, so that "1" is not 1.
  bool ParseString(Form* form) {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') ++at_;
      ++at_;
    }
    if (at_ >= text_.size()) return Fail("the file ends within a string");
    form->text = text_.substr(begin, ++at_ - begin);
    return true;
  }

  bool ParseAtom(Form* form) {
    const size_t end = text_.find_first_of(" \t\r\n,;[](){}\"", at_);
    form->text = text_.substr(at_, end - at_);
    if (form->text.empty()) {
      return Fail(
          absl::StrCat("'", text_.substr(at_, 1), "' does not belong here"));
    }
    at_ += form->text.size();
    return true;
  }

  const std::string text_;
  size_t at_ = 0;
  size_t line_ = 1;
  std::string fault_;
};

// nil is the value of a register that was never written.
std::string TextOf(const Form& form) {
  if (form.kind == 'a') return form.text == "nil" ? "" : form.text;
  std::string text(1, form.kind);
  for (const Form& item : form.items) absl::StrAppend(&text, TextOf(item), " ");
  return text;
}

// Pairs events to operations.
class Events {
 public:
  // A fault, or "".
  std::string Add(const Form& event) {
    const Form* type = event.Find(":type");
    const Form* process = event.Find(":process");
    const Form* f = event.Find(":f");
    if (type == nullptr || process == nullptr || f == nullptr) {
      return "an event is a map with :type, :process, :f and :value";
    }
    ++time_;
    int64_t client = 0;
    if (!absl::SimpleAtoi(process->text, &client)) return "";  // the nemesis
    const Form nil{.kind = 'a', .text = "nil", .items = {}};
    const Form* value = event.Find(":value");
    if (value == nullptr) value = &nil;
    if (type->text == ":invoke") return Invoke(client, f->text, *value);
    const auto open = open_.find(client);
    if (open == open_.end()) {
      return absl::StrCat("process ", client,
                          " has invoked nothing that could "
                          "be ",
                          type->text);
    }
    const size_t place = open->second;
    open_.erase(open);
    return Complete(type->text, *value, place);
  }

  History Finish() {
    History history;
    for (size_t i = 0; i < history_.size(); ++i) {
      if (failed_.count(i) == 0) history.push_back(std::move(history_[i]));
    }
    return history;
  }

 private:
  std::string Invoke(int64_t client, const std::string& f, const Form& value) {
    if (open_.count(client) > 0) {
      return absl::StrCat("process ", client,
                          " invokes a second operation "
                          "before its first one has ended");
    }
    Record record;
    record.client = client;
    record.call = time_;
    if (f == ":read") {
      record.kind = Kind::kGet;
    } else if (f == ":write") {
      record.kind = Kind::kPut;
    } else if (f == ":cas") {
      record.kind = Kind::kCas;
    } else {
      return absl::StrCat("unknown operation ", f,
                          "; known are :read, :write and :cas of registers");
    }
    std::string fault = SetValue(value, &record);
    if (!fault.empty()) return fault;
    open_[client] = history_.size();
    history_.push_back(std::move(record));
    return "";
  }

  std::string Complete(const std::string& type, const Form& value,
                       size_t place) {
    Record& record = history_[place];
    if (type == ":info") return "";  // pending
    if (type == ":fail") {
      failed_.insert(place);
      return "";
    }
    if (type != ":ok") {
      return absl::StrCat("unknown type ", type,
                          "; known are :invoke, :ok, :fail and :info");
    }
    record.returned = time_;
    return record.kind == Kind::kGet ? SetValue(value, &record) : "";
  }

  // A value is that of the one register, or [key value].
  static std::string SetValue(const Form& value, Record* record) {
    const Form* inner = &value;
    const bool is_pair = value.kind == '[' && value.items.size() == 2;
    const bool is_cas = record->kind == Kind::kCas;
    if (is_pair && (!is_cas || value.items[1].kind == '[')) {
      record->key = TextOf(value.items[0]);
      inner = &value.items[1];
    }
    if (!is_cas) {
      (record->kind == Kind::kGet ? record->result : record->argument) =
          TextOf(*inner);
      return "";
    }
    if (inner->kind != '[' || inner->items.size() != 2) {
      return "the value of a :cas is [expected new]";
    }
    record->result = TextOf(inner->items[0]);
    record->argument = TextOf(inner->items[1]);
    return "";
  }

  History history_;
  std::map<int64_t, size_t> open_;
  std::set<size_t> failed_;
  int64_t time_ = 0;
};

}  // namespace

absl::StatusOr<History> ReadEdn(std::istream& in) {
  std::string text;
  std::string buffer(1 << 16, '\0');
  const auto block = static_cast<std::streamsize>(buffer.size());
  while (in.read(buffer.data(), block) || in.gcount() > 0) {
    text.append(buffer, 0, in.gcount());
    if (text.size() > kMaxFileBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "more than ", kMaxFileBytes, " bytes; check parts of the history"));
    }
  }
  Parser parser(std::move(text));
  Events events;
  const auto bad = [&](const std::string& fault) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", parser.line(), ": ", fault));
  };
  Form form;
  while (parser.Next(&form)) {
    // One by one, or all of them in one vector.
    const std::vector<Form> one = {form};
    for (const Form& event : form.kind == '[' ? form.items : one) {
      const std::string fault = events.Add(event);
      if (!fault.empty()) return bad(fault);
    }
    form = {};
  }
  if (!parser.fault().empty()) return bad(parser.fault());
  History history = events.Finish();
  const absl::Status valid = Validate(history);
  if (!valid.ok()) return valid;
  return history;
}

}  // namespace porcupine
