#include "staging.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

const char kVersion[] LOADCENTER_FLASH = "version";
const char kBegin[] LOADCENTER_FLASH = "begin";
const char kEnd[] LOADCENTER_FLASH = "end";

constexpr uint32_t kVersionMax = INT32_MAX;

}  // namespace

// Reads what a frame asks for. It asks for one thing: a second one makes it malformed.
Staging::Ask Staging::read(Frame frame, uint32_t& version, StoredValue& stored) const {
  Ask ask = Ask::kNothing;
  bool versioned = false;
  Field field;
  while (next_field(frame, field)) {
    Ask found = Ask::kNothing;
    if (field.of.length == 0 && same(field.key, kVersion)) {
      uint32_t value = 0;
      versioned = to_number(field.value, value) && value <= kVersionMax;
      version = value;
    } else if (field.of.length == 0 && same(field.key, kBegin)) {
      found = Ask::kBegin;
    } else if (field.of.length == 0 && same(field.key, kEnd)) {
      found = Ask::kEnd;
    } else {
      const Check check = check_setting(field, stored);
      if (check == Check::kUnknown) continue;
      found = check == Check::kTaken ? Ask::kValue : Ask::kRefused;
    }
    if (found != Ask::kNothing && ask != Ask::kNothing) return Ask::kMalformed;
    if (found != Ask::kNothing) ask = found;
  }
  return versioned ? ask : Ask::kMalformed;
}

void Staging::take(const Frame& frame, SettingsStore& store, Commands& commands) {
  if (frame.seq == seq_ && seq_ != 0) {
    say_ = said_ != Status::kNone;  // once more, if the work is done
    return;
  }
  if (!commands.is_new(frame.seq)) {
    commands.turn_away(frame.seq, code::kResultRepeated);
    return;
  }
  if (store.busy()) return;  // not taken: it will be sent again
  commands.note(frame.seq);
  seq_ = frame.seq;
  said_ = Status::kNone;
  refused_at_ = kNowhere;
  uint32_t version = 0;
  StoredValue stored = {kNowhere, 0, 0};
  const Ask ask = read(frame, version, stored);
  if (ask == Ask::kBegin) {
    version_ = version;
    open_ = true;
    store.begin();
    work(Work::kValue);
    return;
  }
  const bool fits = open_ && version == version_;
  if (fits && ask == Ask::kValue) {
    store.put(stored);
    work(Work::kValue);
  } else if (fits && ask == Ask::kNothing) {
    say(Status::kConfirmed, code::kResultOk);  // only names that this firmware does not know
  } else if (fits && ask == Ask::kEnd) {
    open_ = false;
    store.commit(version);
    work(Work::kCommit);
  } else {
    open_ = false;
    if (ask == Ask::kRefused) refused_at_ = stored.at;
    say(Status::kRejected, code::kResultMalformed);
  }
}

bool Staging::kept(const SettingsStore& store) {
  if (work_ == Work::kNone || store.busy()) return false;
  const bool ended = work_ == Work::kCommit;
  work_ = Work::kNone;
  const bool good = !ended || store.committed();
  say(good ? Status::kConfirmed : Status::kRejected, good ? code::kResultOk : code::kResultNotConfirmed);
  return ended && good;
}

void Staging::say(Status status, uint8_t code) {
  said_ = status;
  code_ = code;
  say_ = true;
}

}  // namespace loadcenter
