#include "staging.hpp"

#include "ports.hpp"

namespace loadcenter {

namespace {

// Numbers of settings that ask for something else.
constexpr uint32_t kBeginNumber = 0;
constexpr uint32_t kEndNumber = 255;

constexpr uint32_t kVersionMax = INT32_MAX;

}  // namespace

// Reads what a frame asks for.
Staging::Ask Staging::read(const Frame& frame, StoredValue& stored) {
  if (frame.number[0] > kVersionMax || frame.count < 2) return Ask::kMalformed;
  if (frame.number[1] == kBeginNumber) return Ask::kBegin;
  if (frame.number[1] == kEndNumber) return Ask::kEnd;
  switch (check_setting(frame.number[1], frame.number[2], frame.number[3], stored)) {
    case Check::kTaken:
      return Ask::kValue;
    case Check::kUnknown:
      return Ask::kNothing;
    default:
      return Ask::kMalformed;
  }
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
  const uint32_t version = frame.number[0];
  StoredValue stored;
  const Ask ask = read(frame, stored);
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
    say(Status::kConfirmed, code::kResultOk);  // only numbers that this firmware does not know
  } else if (fits && ask == Ask::kEnd) {
    open_ = false;
    store.commit(version);
    work(Work::kCommit);
  } else {
    open_ = false;
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
