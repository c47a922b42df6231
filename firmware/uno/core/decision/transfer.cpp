#include "transfer.hpp"

namespace loadcenter {

#ifdef LOADCENTER_COVERAGE
uint16_t rows_used = 0;
uint16_t rungs_used = 0;
#endif

namespace {

// What the transfer switch does in one step.
struct Choice {
  bool made;
  Trigger trigger;
  bool has_target;
  Source target;
  Cause cause;
};

constexpr Choice kNothing = {false, Trigger::kElapsed, false, Source::kMain, Cause::kNone};

constexpr Choice choice(Trigger trigger) { return {true, trigger, false, Source::kMain, Cause::kNone}; }

constexpr Choice choice(Trigger trigger, Source target, Cause cause) {
  return {true, trigger, true, target, cause};
}

Grade grade_of(const TransferState& state, Source source) { return state.sense[index(source)].grade; }

// Returns the row of the table; its number is kTransferRows where there is none.
uint8_t row_of(Mode mode, Trigger trigger) {
  uint8_t row = 0;
  for (; row < kTransferRows; ++row) {
    const TransferRow& entry = kTransferTable[row];
    if (flash_u8(&entry.mode) == static_cast<uint8_t>(mode) &&
        flash_u8(&entry.trigger) == static_cast<uint8_t>(trigger)) {
      break;
    }
  }
  return row;
}

Trigger planned(const Settings& settings) {
  return settings.transfer_mode == TransferMode::kFast ? Trigger::kLeave : Trigger::kPlan;
}

bool leave_waits(const TransferState& state, uint32_t now_ms) {
  return state.lockout.known && state.left.known && !state.left.past(now_ms, kLeaveGapMs);
}

Choice choose_isolated(const TransferState& state, const Settings& settings) {
  const Source order[kSources] = {settings.preferred, other(settings.preferred)};
  for (const Source source : order) {
    const Grade grade = grade_of(state, source);
    // The source whose overvoltage opened the isolator must prove itself for longer.
    const bool strict = state.overvoltage && source == state.position;
    if (grade == Grade::kGood || (grade == Grade::kUsable && !strict)) {
      return choice(Trigger::kConnect, source, state.overvoltage ? Cause::kOvervoltage : Cause::kStartUp);
    }
  }
  return kNothing;
}

Choice choose_leaving(const TransferState& state, const Feed& feed, const Settings& settings,
                      const Nominal& nominal, uint32_t now_ms) {
  const Departure& departure = state.sense[index(state.position)].departure;
  const Source target = other(state.position);
  if (grade_of(state, target) == Grade::kBad || feed.overcurrent) {
    // A fault is not carried to the other source; an overvoltage need not wait for it to end.
    const bool due = departure.over() && now_ms - departure.at_ms >= kIsolateMs;
    return due ? choice(Trigger::kIsolate) : kNothing;
  }
  if (leave_waits(state, now_ms)) return kNothing;
  const int32_t voltage_mv = feed.inputs->source[index(state.position)].voltage_mv;
  const bool dead = voltage_mv * 1000 <= nominal.mv * kResidualPermille;
  return choice(dead ? Trigger::kLeave : planned(settings), target,
                departure.over() ? Cause::kOvervoltage : Cause::kSourceLost);
}

bool return_due(const TransferState& state, const Settings& settings, uint32_t now_ms) {
  const Sense& preferred = state.sense[index(settings.preferred)];
  return settings.auto_retransfer && state.position != settings.preferred && !state.held &&
         preferred.grade == Grade::kGood &&
         preferred.good.past(now_ms, static_cast<uint32_t>(settings.retransfer_delay_s) * 1000);
}

Choice choose_closed(const TransferState& state, const Feed& feed, const Settings& settings,
                     const Nominal& nominal, uint32_t now_ms) {
  const Acted& acted = feed.inputs->acted;
  if (acted.swung || acted.opened) {  // done already: the next steps go on from there
    return choice(acted.swung ? Trigger::kLeave : Trigger::kPlan, other(state.position), Cause::kSourceLost);
  }
  if (grade_of(state, state.position) == Grade::kBad) {
    return choose_leaving(state, feed, settings, nominal, now_ms);
  }
  if (feed.overcurrent || state.lockout.known) return kNothing;
  if (state.requested) {
    const bool good = grade_of(state, state.request) == Grade::kGood && state.request != state.position;
    return good ? choice(planned(settings), state.request, Cause::kManual) : kNothing;
  }
  if (!return_due(state, settings, now_ms)) return kNothing;
  return choice(planned(settings), settings.preferred, Cause::kRetransfer);
}

Choice choose_under_way(const TransferState& state, uint32_t now_ms) {
  const Source target = state.move.under_way ? state.move.target : state.position;
  if (grade_of(state, target) == Grade::kBad) {
    const bool fallback = grade_of(state, other(target)) != Grade::kBad;
    if (fallback && row_of(state.mode, Trigger::kRetarget) != kTransferRows) {
      return choice(Trigger::kRetarget, other(target), Cause::kNone);
    }
    if (state.sense[index(target)].departure.over() && !fallback) return choice(Trigger::kIsolate);
  }
  return now_ms - state.since_ms >= lasts_ms(state.mode) ? choice(Trigger::kElapsed) : kNothing;
}

Choice choose(const TransferState& state, const Feed& feed, const Settings& settings, const Nominal& nominal,
              uint32_t now_ms) {
  if (feed.blocked) return state.mode == Mode::kIsolated ? kNothing : choice(Trigger::kIsolate);
  if (state.mode == Mode::kIsolated) return choose_isolated(state, settings);
  if (state.mode == Mode::kClosed) return choose_closed(state, feed, settings, nominal, now_ms);
  return choose_under_way(state, now_ms);
}

void begin_move(TransferState& state, const Choice& chosen, const Inputs& inputs, uint32_t now_ms) {
  const bool left = chosen.cause == Cause::kSourceLost || chosen.cause == Cause::kOvervoltage;
  const Departure& departure = state.sense[index(state.position)].departure;
  Move& move = state.move;
  move.under_way = true;
  move.origin = state.position;
  move.target = chosen.target;
  move.wanted = chosen.target;
  move.cause = chosen.cause;
  move.decided_ms = now_ms;
  move.detection_us = left && departure.known ? departure.detection_us : 0;
  move.because = left ? state.lost[index(state.position)] : Position{0, false};
  move.moved.forget();
  for (uint8_t source = 0; source < kSources; ++source) {
    move.before_mv[source] = inputs.source[source].voltage_mv;
  }
  move.phase_mdeg = inputs.phase_mdeg;
  state.held = chosen.cause == Cause::kManual;
  if (left) state.left.set(now_ms);
  const bool counts = chosen.cause == Cause::kRetransfer || chosen.cause == Cause::kManual;
  // Full, it is about to be locked out: the oldest no longer matters.
  if (counts && state.counted < kCountedMost) state.counted_ms[state.counted++] = now_ms;
}

enum class Seen : uint8_t { kConfirmed, kContradicted, kUnverified };

Seen seen(const TransferState& state, const Inputs& inputs) {
  if (inputs.live) return Seen::kConfirmed;
  const bool dead = grade_of(state, state.position) == Grade::kBad;
  return dead ? Seen::kUnverified : Seen::kContradicted;
}

Position tell_transfer(const Move& move, const Inputs& inputs, Seen result, Journal& journal) {
  const uint32_t moved_ms = move.moved.known ? move.moved.ms : move.decided_ms;
  journal.begin(EventCode::kTransfer, 0, told(move.target), move.cause).because(move.because);
  journal.number(static_cast<int32_t>(result)).number(static_cast<int32_t>(move.detection_us));
  journal.number(static_cast<int32_t>(move.detection_us + (moved_ms - move.decided_ms) * 1000));
  journal.number(move.before_mv[0]).number(move.before_mv[1]);
  journal.number(inputs.source[0].voltage_mv).number(inputs.source[1].voltage_mv);
  journal.number(move.phase_mdeg);
  return journal.end();
}

void lock_out(TransferState& state, const Settings& settings, uint32_t now_ms, Position because,
              Journal& journal) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < state.counted; ++i) {
    if (now_ms - state.counted_ms[i] < static_cast<uint32_t>(kHourMs)) {
      state.counted_ms[kept++] = state.counted_ms[i];
    }
  }
  state.counted = kept;
  if (kept < settings.max_transfers_per_hour || state.lockout.known) return;
  journal.begin(EventCode::kTransferLockout, 0, 0, Cause::kNone).because(because);
  journal.number(kept).number(settings.max_transfers_per_hour).end();
  state.lockout.set(now_ms);
}

Finished settle(TransferState& state, const Inputs& inputs, const Settings& settings, uint32_t now_ms,
                Journal& journal) {
  Move& move = state.move;
  const Seen result = seen(state, inputs);
  Position position = {0, false};
  if (move.origin != move.target) position = tell_transfer(move, inputs, result, journal);
  Finished finished = {false, Result::kOk};
  if (state.requested && state.request == move.wanted && move.cause == Cause::kManual) {
    finished.known = true;
    if (move.target != move.wanted) {
      finished.code = Result::kSourceNotGood;
    } else if (result != Seen::kConfirmed) {
      finished.code = Result::kNotConfirmed;
    }
    state.requested = false;
  }
  const bool arrived = move.target == move.wanted;  // else nobody has chosen the source that it came back to
  state.held = state.held && arrived && state.position != settings.preferred;
  move.under_way = false;
  state.overvoltage = false;
  lock_out(state, settings, now_ms, position, journal);
  return finished;
}

Finished apply(TransferState& state, const Choice& chosen, const Feed& feed, const Settings& settings,
               uint32_t now_ms, Journal& journal) {
  const uint8_t row = row_of(state.mode, chosen.trigger);
  Finished finished = {false, Result::kOk};
  if (row == kTransferRows) return finished;  // no choice makes it; refused, as the table says
#ifdef LOADCENTER_COVERAGE
  rows_used = static_cast<uint16_t>(rows_used | 1U << row);
#endif
  if (chosen.has_target && chosen.trigger == Trigger::kRetarget) state.move.target = chosen.target;
  if (chosen.has_target && chosen.trigger != Trigger::kRetarget) {
    begin_move(state, chosen, *feed.inputs, now_ms);
  }
  state.mode = static_cast<Mode>(flash_u8(&kTransferTable[row].next));
  state.since_ms = now_ms;
  if (state.mode == Mode::kSwinging || state.mode == Mode::kClosing) state.connected.set(now_ms);
  const Effect effect = static_cast<Effect>(flash_u8(&kTransferTable[row].effect));
  if (effect == Effect::kMove) {
    state.position = state.move.target;
    state.move.moved.set(now_ms);
  }
  if (effect == Effect::kSettle) finished = settle(state, *feed.inputs, settings, now_ms, journal);
  if (chosen.trigger == Trigger::kIsolate) {
    finished = {state.requested, Result::kSourceNotGood};
    state.move.under_way = false;
    state.requested = false;
    state.overvoltage = !feed.blocked;
  }
  return finished;
}

Finished drop_request(TransferState& state) {
  state.requested = false;
  if (state.request == state.position) return {true, Result::kOk};
  if (state.lockout.known) return {true, Result::kLockout};
  const bool good = grade_of(state, state.request) == Grade::kGood;
  return {true, good ? Result::kInOvercurrent : Result::kSourceNotGood};
}

void put_compared(Journal& journal, const Departure& departure, const Compared& compared) {
  journal.number(departure.rung).number(compared.measured).number(compared.limit);
  journal.number(rung_row(departure.rung).dwell_ms);
}

Position tell_loss(const TransferState& state, Source source, const Compared& compared, Journal& journal) {
  const Departure& departure = state.sense[index(source)].departure;
  const Way way = departure.way();
  Position because = {0, false};
#ifdef LOADCENTER_COVERAGE
  rungs_used = static_cast<uint16_t>(rungs_used | 1U << departure.rung);
#endif
  if ((way == Way::kOver || way == Way::kUnder) && source == state.position && state.isolator_closed()) {
    const EventCode code = way == Way::kOver ? EventCode::kOvervoltage : EventCode::kUndervoltage;
    journal.begin(code, 0, told(source), Cause::kNone);
    put_compared(journal, departure, compared);
    because = journal.end();
  }
  journal.begin(EventCode::kSourceLost, 0, told(source), Cause::kNone).because(because);
  put_compared(journal, departure, compared);
  return journal.end();
}

void note_grade(TransferState& state, Source source, Grade before, const Compared& compared,
                Journal& journal) {
  const Sense& sense = state.sense[index(source)];
  Position& lost = state.lost[index(source)];
  if (sense.grade == before) return;
  if (sense.grade == Grade::kBad && sense.departure.known) {
    lost = tell_loss(state, source, compared, journal);
  } else if (sense.grade == Grade::kGood && lost.known) {
    journal.begin(EventCode::kSourceRestored, 0, told(source), Cause::kNone).because(lost).end();
    lost.known = false;
  }
}

void note_mismatch(TransferState& state, const Inputs& inputs, const Nominal& nominal, Journal& journal) {
  if (state.mismatch || state.connected.known) return;
  for (uint8_t source = 0; source < kSources; ++source) {
    const Departure& departure = state.sense[source].departure;
    const int32_t measured = inputs.source[source].frequency_mhz;
    if (!departure.known || departure.way() != Way::kFrequency || measured == kUnknown) continue;
    const int32_t off = measured > nominal.mhz ? measured - nominal.mhz : nominal.mhz - measured;
    if (off < kMismatchMhz) continue;
    journal.begin(EventCode::kNominalMismatch, 0, static_cast<uint8_t>(source + 1), Cause::kNone);
    journal.number(measured).number(nominal.mhz).end();
    state.mismatch = true;
    return;
  }
}

void expire_lockout(TransferState& state, uint32_t now_ms, Journal& journal) {
  if (!state.lockout.past(now_ms, static_cast<uint32_t>(kHourMs))) return;
  journal.begin(EventCode::kLockoutEnd, 0, 0, Cause::kNone);
  journal.number(static_cast<int32_t>(now_ms - state.lockout.ms)).end();
  clear_lockout(state);
}

void note_redundancy(TransferState& state, uint32_t now_ms, Journal& journal) {
  if (state.mode != Mode::kClosed) return;
  const Source idle = other(state.position);
  const bool redundant = grade_of(state, idle) != Grade::kBad;
  if (state.redundancy_known && redundant == state.redundant) return;
  if (!redundant && now_ms - state.started_ms < static_cast<uint32_t>(kRedundancyGraceMs)) return;
  if (!redundant) {
    journal.begin(EventCode::kRedundancyLost, 0, told(idle), Cause::kNone);
    journal.because(state.lost[index(idle)]).end();
  } else if (state.redundancy_known) {
    journal.begin(EventCode::kRedundancyRestored, 0, told(idle), Cause::kNone).end();
  }
  state.redundancy_known = true;
  state.redundant = redundant;
}

}  // namespace

void start_transfer(TransferState& state, uint32_t now_ms) {
  state = TransferState();
  state.started_ms = now_ms;
  state.since_ms = now_ms;
}

Finished step_transfer(TransferState& state, const Feed& feed, const Settings& settings,
                       const Nominal& nominal, uint32_t now_ms, Journal& journal) {
  const Inputs& inputs = *feed.inputs;
  const Grade before[kSources] = {state.sense[0].grade, state.sense[1].grade};
  Compared compared[kSources] = {};
  for (uint8_t source = 0; source < kSources; ++source) {
    qualify(state.sense[source], inputs.source[source], nominal, now_ms, compared[source]);
  }
  note_grade(state, Source::kMain, before[0], compared[0], journal);
  note_grade(state, Source::kBackup, before[1], compared[1], journal);
  note_mismatch(state, inputs, nominal, journal);
  expire_lockout(state, now_ms, journal);
  const Choice chosen = choose(state, feed, settings, nominal, now_ms);
  Finished finished = {false, Result::kOk};
  if (chosen.made) finished = apply(state, chosen, feed, settings, now_ms, journal);
  if (state.requested && !chosen.made && state.mode == Mode::kClosed) finished = drop_request(state);
  note_redundancy(state, now_ms, journal);
  return finished;
}

bool may_leave(const TransferState& state, const Feed& feed, uint32_t now_ms) {
  return state.mode == Mode::kClosed && grade_of(state, other(state.position)) != Grade::kBad &&
         !feed.overcurrent && !feed.blocked && !leave_waits(state, now_ms);
}

uint16_t at_once_permille(const TransferState& state, uint32_t now_ms) {
  const bool fresh = state.connected.known && !state.connected.past(now_ms, kAtOnceInrushMs);
  return static_cast<uint16_t>(fresh ? kAtOnceInrushPermille : kAtOncePermille);
}

void clear_lockout(TransferState& state) {
  state.lockout.forget();
  state.counted = 0;
}

}  // namespace loadcenter
