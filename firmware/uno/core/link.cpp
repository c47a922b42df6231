#include "link.hpp"

#include "identity.hpp"
#include "joined.hpp"
#include "ports.hpp"
#include "verbs.hpp"

namespace loadcenter {

namespace {

constexpr uint16_t kTelemetryMs = 1000;
constexpr uint16_t kEventAgainMs = 1000;

// Mixes chance with the count of starts: two starts in a row differ even where the noise does not.
uint16_t draw_session(uint16_t starts) {
  constexpr uint16_t kSpread =
      40503;  // odd, so that each count has its own product (Knuth, 2^16 / golden ratio)
  return static_cast<uint16_t>(session_noise() ^
                               static_cast<uint16_t>(static_cast<uint32_t>(starts) * kSpread));
}

OutletMask mask_of(uint8_t outlet) {
  constexpr OutletMask kAll = static_cast<OutletMask>((1U << kOutlets) - 1);
  return outlet == 0 ? kAll : static_cast<OutletMask>(1U << (outlet - 1));
}

}  // namespace

void Link::begin(uint32_t now_ms, const Records& records) {
  session_ = draw_session(records.counters.starts());
  telemetry_ms_ = static_cast<uint16_t>(now_ms);
  greet_ = true;
}

void Link::poll(Records& records) {
  for (int16_t byte = uart_take(); byte >= 0; byte = uart_take()) {
    const LineReader::Fate fate = reader_.take(static_cast<uint8_t>(byte));
    if (fate == LineReader::Fate::kThrown) ++thrown_;
    if (fate == LineReader::Fate::kFrame) take(reader_.frame(), records);
  }
  if (staging_.kept(records.store)) {
    records.store.load(records.settings);
    applied_ = true;
  }
}

void Link::take(const Frame& frame, Records& records) {
  const bool acting = frame.type == 'C' || frame.type == 'S' || frame.type == 'X';
  if (acting && frame.session != session_) {
    commands_.turn_away(frame.seq, code::kResultOtherBoot);
    return;
  }
  switch (frame.type) {
    case 'A':
      if (frame.session == session_) events_.acknowledge(frame.seq);
      break;
    case 'C':
      take_command(frame, records);
      break;
    case 'Q':
      greet_ = report_ = true;
      break;
    case 'S':
      staging_.take(frame, records.store, commands_);
      break;
    case 'X':
      take_emergency(frame);
      break;
    default:
      ++unknown_;
  }
}

void Link::take_command(const Frame& frame, Records& records) {
  const Commands::Known known = commands_.judge(frame.seq);
  if (known == Commands::Known::kOld) commands_.turn_away(frame.seq, code::kResultRepeated);
  if (known != Commands::Known::kNew) return;
  Command command;
  Energy energy = {};
  const uint8_t verdict = read_command(frame, command, energy);
  if (verdict != code::kResultOk) {
    commands_.end(frame.seq, Status::kRejected, verdict);
  } else if (command.verb == Verb::kEnergy) {
    if (commands_.end(frame.seq, Status::kConfirmed, code::kResultOk)) {
      records.counters.take_larger(command.outlet, energy);
    }
  } else if (commands_.room() && commands_.open(frame.seq)) {
    commands_.push(command);
  }
}

// Acts whatever its number, but once: what an old number can do here is to open outlets.
void Link::take_emergency(const Frame& frame) {
  if (commands_.judge(frame.seq) == Commands::Known::kAnswered) return;
  const uint8_t outlet = static_cast<uint8_t>(frame.number[0]);
  if (frame.number[0] > kOutlets) {
    const bool absent = frame.number[0] == kAbsent;
    commands_.turn_away(frame.seq, absent ? code::kResultMalformed : code::kResultNoSuchOutlet);
    return;
  }
  emergency_ = static_cast<OutletMask>(emergency_ | mask_of(outlet));
  commands_.clear_for(frame.seq);
  commands_.push({static_cast<uint8_t>(frame.seq), Verb::kSwitch, outlet, false, true, Source::kMain, 0});
}

OutletMask Link::take_emergency() {
  const OutletMask outlets = emergency_;
  emergency_ = 0;
  return outlets;
}

bool Link::take_applied() {
  const bool applied = applied_;
  applied_ = false;
  return applied;
}

void Link::pump(uint32_t now_ms, const Records& records) {
  while (uart_room() >= kFieldRoom) {
    if (sending_ == Sending::kNothing) choose(static_cast<uint16_t>(now_ms));
    if (sending_ == Sending::kNothing) return;
    send_field(records);
  }
}

// Chooses what is sent next: a person waits for answers, then the gateway for events, and telemetry comes
// again.
void Link::choose(uint16_t now_ms) {
  const uint16_t told_ms = static_cast<uint16_t>(now_ms - telemetry_ms_);
  const uint16_t sent_ms = static_cast<uint16_t>(now_ms - event_ms_);
  field_ = 0;
  if (staging_.to_say() != Status::kNone) {
    answering_ = {staging_.seq(), staging_.to_say(), staging_.code()};
    sending_ = answering_.status == Status::kConfirmed ? Sending::kTaken : Sending::kAnswer;
    staging_.said();
  } else if (commands_.take_answer(answering_)) {
    sending_ = Sending::kAnswer;
  } else if (greet_) {
    greet_ = false;
    sending_ = Sending::kHello;
  } else if (!events_.empty() && (event_seq_ != events_.oldest() || sent_ms >= kEventAgainMs)) {
    event_seq_ = events_.oldest();
    event_ms_ = now_ms;
    sending_ = Sending::kEvent;
  } else if (report_ || told_ms >= kTelemetryMs) {
    // The next one is due a second after this one was due, so that none is lost to a late pass.
    const bool anew = report_ || told_ms >= 2 * kTelemetryMs;
    telemetry_ms_ = anew ? now_ms : static_cast<uint16_t>(telemetry_ms_ + kTelemetryMs);
    report_ = false;
    sending_ = Sending::kTelemetry;
  }
}

void Link::send_field(const Records& records) {
  if (sending_ == Sending::kEvent && (events_.empty() || events_.oldest() != event_seq_)) {
    // It was acknowledged, or gave way to a newer one, while it went out.
    writer_.spoil();
    sending_ = Sending::kNothing;
    return;
  }
  if (field_ == 0) {
    // The letter is the value; of what is acknowledged, or answered, the number is that of its frame.
    const bool answers = sending_ == Sending::kAnswer || sending_ == Sending::kTaken;
    const uint16_t seq = sending_ == Sending::kEvent ? event_seq_ : answers ? answering_.seq : ++sent_;
    writer_.begin(static_cast<char>(sending_), seq, session_);
  }
  if (next_field(records)) {
    ++field_;
    return;
  }
  writer_.end();
  sending_ = Sending::kNothing;
}

// Writes the next number of the frame that is being sent; false if there is none.
bool Link::next_field(const Records& records) {
  switch (sending_) {
    case Sending::kHello:
      return hello_field(records);
    case Sending::kTelemetry:
      return telemetry_field(records);
    case Sending::kEvent:
      return event_field();
    case Sending::kAnswer:
      return answer_field();
    default:
      return false;
  }
}

}  // namespace loadcenter
