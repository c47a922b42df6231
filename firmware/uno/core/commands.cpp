#include "commands.hpp"

namespace loadcenter {

namespace {

bool is_newer(uint16_t seq, uint16_t than) {
  return static_cast<int16_t>(static_cast<uint16_t>(seq - than)) > 0;
}

constexpr uint8_t kStatusBits = 3;

Status status_of(uint8_t bits) { return static_cast<Status>(bits & kStatusBits); }
bool is_ended(uint8_t bits) { return status_of(bits) >= Status::kConfirmed; }

}  // namespace

Commands::Entry* Commands::find(uint16_t seq) {
  for (Entry& entry : kept_) {
    if (entry.status != 0 && entry.seq == seq) return &entry;
  }
  return nullptr;
}

// Returns the entry that may be given up: a free one, else the oldest whose end has been sent.
Commands::Entry* Commands::oldest_ended() {
  Entry* oldest = nullptr;
  for (Entry& entry : kept_) {
    if (entry.status == 0) return &entry;
    const bool ended = is_ended(entry.status) && (entry.status & kToSend) == 0;
    if (ended && (oldest == nullptr || is_newer(oldest->seq, entry.seq))) oldest = &entry;
  }
  return oldest;
}

void Commands::keep(Entry& entry, uint16_t seq, Status status, uint8_t code) {
  const uint8_t to_send = status == Status::kNone ? 0 : kToSend;
  entry = {seq, static_cast<uint8_t>(kUsed | to_send | static_cast<uint8_t>(status)), code};
}

Commands::Known Commands::judge(uint16_t seq) {
  Entry* entry = find(seq);
  if (entry == nullptr) return is_newer(seq, last_) ? Known::kNew : Known::kOld;
  if (status_of(entry->status) != Status::kNone) entry->status |= kToSend;
  return Known::kAnswered;
}

bool Commands::is_new(uint16_t seq) const { return is_newer(seq, last_); }

bool Commands::open(uint16_t seq) { return end(seq, Status::kNone, 0); }

bool Commands::end(uint16_t seq, Status status, uint8_t code) {
  Entry* entry = oldest_ended();
  if (entry == nullptr) return false;
  keep(*entry, seq, status, code);
  last_ = seq;
  return true;
}

void Commands::push(const Command& command) { queue_[queued_++] = command; }

bool Commands::pop(Command& command) {
  if (queued_ == 0) return false;
  command = queue_[0];
  --queued_;
  for (uint8_t i = 0; i < queued_; ++i) queue_[i] = queue_[i + 1];
  return true;
}

void Commands::clear_for(uint16_t seq) {
  Command superseded;
  while (pop(superseded)) answer(superseded.key, Status::kRejected, code::kResultSuperseded);
  if (is_newer(seq, last_)) last_ = seq;
  Entry* entry = find(seq);
  if (entry == nullptr) entry = oldest_ended();
  // With all under way, an order of a person gives way to the emergency: it ends unanswered.
  if (entry == nullptr) entry = &kept_[0];
  keep(*entry, seq, Status::kNone, 0);
}

void Commands::answer(uint8_t key, Status status, uint8_t code) {
  for (Entry& entry : kept_) {
    if (entry.status != 0 && !is_ended(entry.status) && static_cast<uint8_t>(entry.seq) == key) {
      keep(entry, entry.seq, status, code);
      return;
    }
  }
}

bool Commands::take_answer(Answer& answer) {
  if (stray_.status != Status::kNone) {
    answer = stray_;
    stray_.status = Status::kNone;
    return true;
  }
  for (Entry& entry : kept_) {
    if ((entry.status & kToSend) == 0) continue;
    entry.status = static_cast<uint8_t>(entry.status & ~kToSend);
    answer = {entry.seq, status_of(entry.status), entry.code};
    return true;
  }
  return false;
}

}  // namespace loadcenter
