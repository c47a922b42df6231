#include "transfer.hpp"

namespace loadcenter {

#ifdef LOADCENTER_COVERAGE
uint16_t rows_used = 0;
uint16_t rungs_used = 0;
#endif

namespace {

constexpr uint8_t kRedundancyUnknown = 2;

// Returns the row of the table, kTransferRows where there is none.
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

Trigger planned() {
  return step_now.settings->transfer_mode == TransferMode::kFast ? Trigger::kLeave : Trigger::kPlan;
}

const SourceInput& input_of(Source source) { return step_now.inputs->source[index(source)]; }

void tell_loss(EventCode code, Source source, uint8_t rung, Position because) {
  begin_event(code, 0, told(source), Cause::kNone);
  put_because(because);
  put_small(rung);
  put(measured_by(rung, input_of(source)));
}

}  // namespace

void Transfer::start() {
  *this = Transfer();
  redundant_ = kRedundancyUnknown;
  started_ = 1;
  mode_age_ = 1;
  for (Sense& sense : sense_) sense.rung = kNoRung;
}

bool Transfer::leave_waits() const {
  return lockout_.known && left_ != 0 && !past(left_, static_cast<uint16_t>(kLeaveGapMs));
}

Transfer::Choice Transfer::choose_isolated() const {
  Source source = step_now.settings->preferred;
  for (uint8_t tries = 0; tries < kSources; ++tries) {
    // The source whose overvoltage opened the isolator must prove itself for longer.
    const bool strict = overvoltage_ && source == position_;
    if (grade(source) == Grade::kGood || (usable(source) && !strict)) {
      return {true, Trigger::kConnect, source, overvoltage_ ? Cause::kOvervoltage : Cause::kStartUp};
    }
    source = other(source);
  }
  return {};
}

Transfer::Choice Transfer::choose_leaving(bool overcurrent) const {
  const Sense& active = sense_[index(position_)];
  const Source target = other(position_);
  if (!usable(target) || overcurrent) {
    // A fault is not carried to the other source; an overvoltage need not wait for it to end.
    const bool due = active.over() && past(active.left, static_cast<uint16_t>(kIsolateMs));
    return {due, Trigger::kIsolate, target, Cause::kNone};
  }
  if (leave_waits()) return {};
  return {true, dead(input_of(position_).voltage_mv) ? Trigger::kLeave : planned(), target,
          active.over() ? Cause::kOvervoltage : Cause::kSourceLost};
}

bool Transfer::return_due() const {
  const Settings& settings = *step_now.settings;
  const Sense& preferred = sense_[index(settings.preferred)];
  return settings.auto_retransfer && position_ != settings.preferred && !held_ &&
         preferred.grade == Grade::kGood &&
         preferred.good.past(static_cast<uint32_t>(settings.retransfer_delay_s) * 1000);
}

Transfer::Choice Transfer::choose_closed(bool overcurrent) const {
  const Acted& acted = step_now.inputs->acted;
  if (acted.swung || acted.opened) {  // done already: the next steps go on from there
    return {true, acted.swung ? Trigger::kLeave : Trigger::kPlan, other(position_), Cause::kSourceLost};
  }
  if (!usable(position_)) return choose_leaving(overcurrent);
  if (overcurrent || lockout_.known) return {};
  if (requested_) {
    const bool good = grade(request_) == Grade::kGood && request_ != position_;
    return {good, planned(), request_, Cause::kManual};
  }
  return {return_due(), planned(), step_now.settings->preferred, Cause::kRetransfer};
}

Transfer::Choice Transfer::choose_under_way() const {
  const Source target = move_.under_way ? move_.target : position_;
  if (!usable(target)) {
    const bool fallback = usable(other(target));
    if (fallback && row_of(mode_, Trigger::kRetarget) != kTransferRows) {
      return {true, Trigger::kRetarget, other(target), Cause::kNone};
    }
    if (sense_[index(target)].over() && !fallback) return {true, Trigger::kIsolate, target, Cause::kNone};
  }
  return {past(mode_age_, lasts_ms(mode_)), Trigger::kElapsed, target, Cause::kNone};
}

Transfer::Choice Transfer::choose(bool overcurrent, bool blocked) const {
  if (blocked) return {mode_ != Mode::kIsolated, Trigger::kIsolate, position_, Cause::kNone};
  if (mode_ == Mode::kIsolated) return choose_isolated();
  if (mode_ == Mode::kClosed) return choose_closed(overcurrent);
  return choose_under_way();
}

void Transfer::begin(const Choice& chosen) {
  const bool left = chosen.cause == Cause::kSourceLost || chosen.cause == Cause::kOvervoltage;
  const Sense& active = sense_[index(position_)];
  move_.under_way = true;
  move_.origin = position_;
  move_.target = chosen.target;
  move_.wanted = chosen.target;
  move_.cause = chosen.cause;
  move_.decided = 1;
  move_.moved_ms = 0;
  move_.detection_us = left && active.rung != kNoRung ? active.detection_us : 0;
  move_.because = left ? lost_[index(position_)] : 0;
  for (uint8_t source = 0; source < kSources; ++source) {
    move_.before_mv[source] = step_now.inputs->source[source].voltage_mv;
  }
#if LOADCENTER_DIAGNOSTICS
  move_.phase_mdeg = step_now.inputs->phase_mdeg;
#endif
  held_ = chosen.cause == Cause::kManual;
  if (left) left_ = 1;
  const bool counts = chosen.cause == Cause::kRetransfer || held_;
  // Full, it is about to be locked out: the oldest no longer matters.
  if (counts && counted_ < kCountedMost) counted_ms_[counted_++] = step_now.now_ms;
}

void Transfer::lock_out(Position because) {
  uint8_t kept = 0;
  for (uint8_t i = 0; i < counted_; ++i) {
    if (step_now.now_ms - counted_ms_[i] < static_cast<uint32_t>(kHourMs))
      counted_ms_[kept++] = counted_ms_[i];
  }
  counted_ = kept;
  if (kept < step_now.settings->max_transfers_per_hour || lockout_.known) return;
  begin_event(EventCode::kTransferLockout);
  put_because(because);
  put_small(kept);
  end_event();
  lockout_.set();
}

Finish Transfer::settle() {
  // How it was seen at the bus-live input: confirmed, contradicted, unverified.
  const uint8_t seen = step_now.inputs->live ? 0 : usable(position_) ? 1 : 2;
  const bool arrived = move_.target == move_.wanted;
  Position position = 0;
  if (move_.origin != move_.target) {
    begin_event(EventCode::kTransfer, 0, told(move_.target), move_.cause);
    put_because(move_.because);
    put_small(seen);
    put(static_cast<int32_t>(move_.detection_us));
    put(static_cast<int32_t>(move_.detection_us + static_cast<uint32_t>(move_.moved_ms) * 1000));
    for (const int32_t before_mv : move_.before_mv) put(before_mv);
    for (const SourceInput& now : step_now.inputs->source) put(now.voltage_mv);
#if LOADCENTER_DIAGNOSTICS
    put(move_.phase_mdeg);
#endif
    position = end_event();
  }
  Finish finish = Finish::kNot;
  if (requested_ && request_ == move_.wanted && move_.cause == Cause::kManual) {
    requested_ = false;
    finish = !arrived ? Finish::kSourceNotGood : seen == 0 ? Finish::kOk : Finish::kNotConfirmed;
  }
  // Else nobody has chosen the source that it came back to.
  held_ = held_ && arrived && position_ != step_now.settings->preferred;
  move_.under_way = false;
  overvoltage_ = false;
  lock_out(position);
  return finish;
}

Finish Transfer::apply(const Choice& chosen, bool blocked) {
  const uint8_t row = row_of(mode_, chosen.trigger);
  if (row == kTransferRows) return Finish::kNot;  // refused, as the table says; no choice makes it
#ifdef LOADCENTER_COVERAGE
  rows_used = static_cast<uint16_t>(rows_used | 1U << row);
#endif
  if (chosen.trigger == Trigger::kRetarget) {
    move_.target = chosen.target;
  } else if (chosen.cause != Cause::kNone) {
    begin(chosen);
  }
  mode_ = static_cast<Mode>(flash_u8(&kTransferTable[row].next));
  mode_age_ = 1;
  if (mode_ == Mode::kSwinging || mode_ == Mode::kClosing) connected_ = 1;
  const Effect effect = static_cast<Effect>(flash_u8(&kTransferTable[row].effect));
  if (effect == Effect::kSettle) return settle();
  if (effect == Effect::kMove) {
    position_ = move_.target;
    move_.moved_ms = static_cast<uint16_t>(move_.decided - 1);
  }
  if (chosen.trigger != Trigger::kIsolate) return Finish::kNot;
  const Finish finish = requested_ ? Finish::kSourceNotGood : Finish::kNot;
  move_.under_way = false;
  requested_ = false;
  overvoltage_ = !blocked;
  return finish;
}

Finish Transfer::drop_request() {
  requested_ = false;
  if (request_ == position_) return Finish::kOk;
  if (lockout_.known) return Finish::kLockout;
  return grade(request_) == Grade::kGood ? Finish::kInOvercurrent : Finish::kSourceNotGood;
}

void Transfer::note_grade(Source source, Grade before) {
  const Sense& sense = sense_[index(source)];
  Position& lost = lost_[index(source)];
  if (sense.grade == before) return;
  if (sense.grade == Grade::kBad && sense.rung != kNoRung) {
    const Way way = rung_row(sense.rung).way;
#ifdef LOADCENTER_COVERAGE
    rungs_used = static_cast<uint16_t>(rungs_used | 1U << sense.rung);
#endif
    Position because = 0;
    if ((way == Way::kOver || way == Way::kUnder) && source == position_ && isolator_closed()) {
      tell_loss(way == Way::kOver ? EventCode::kOvervoltage : EventCode::kUndervoltage, source, sense.rung,
                0);
      because = end_event();
    }
    tell_loss(EventCode::kSourceLost, source, sense.rung, because);
    lost = end_event();
  } else if (sense.grade == Grade::kGood && lost != 0) {
    begin_event(EventCode::kSourceRestored, 0, told(source), Cause::kNone);
    put_because(lost);
    end_event();
    lost = 0;
  }
}

void Transfer::note_mismatch() {
  if (!board::kDiagnostics || mismatch_ || connected_ != 0) return;
  for (uint8_t source = 0; source < kSources; ++source) {
    const Sense& sense = sense_[source];
    const int32_t mhz = step_now.inputs->source[source].frequency_mhz;
    if (sense.rung == kNoRung || rung_row(sense.rung).way != Way::kFrequency || mhz == kUnknown) continue;
    const int32_t off = mhz > board::kNominalMhz ? mhz - board::kNominalMhz : board::kNominalMhz - mhz;
    if (off < kMismatchMhz) continue;
    begin_event(EventCode::kNominalMismatch, 0, static_cast<uint8_t>(source + 1), Cause::kNone);
    put(mhz);
    end_event();
    mismatch_ = true;
    return;
  }
}

void Transfer::note_redundancy() {
  if (!board::kDiagnostics || mode_ != Mode::kClosed) return;
  const Source idle = other(position_);
  const uint8_t redundant = usable(idle);
  if (redundant == redundant_) return;
  if (redundant == 0) {
    if (!past(started_, static_cast<uint16_t>(kRedundancyGraceMs))) return;
    begin_event(EventCode::kRedundancyLost, 0, told(idle), Cause::kNone);
    put_because(lost(idle));
    end_event();
  } else if (redundant_ != kRedundancyUnknown) {
    begin_event(EventCode::kRedundancyRestored, 0, told(idle), Cause::kNone);
    end_event();
  }
  redundant_ = redundant;
}

Finish Transfer::step(bool overcurrent, bool blocked) {
  run(started_, true);
  run(mode_age_, true);
  run(connected_, connected_ != 0);
  run(left_, left_ != 0);
  run(move_.decided, move_.under_way);
  const Grade before[kSources] = {grade(Source::kMain), grade(Source::kBackup)};
  for (uint8_t source = 0; source < kSources; ++source) {
    qualify(sense_[source], step_now.inputs->source[source]);
  }
  note_grade(Source::kMain, before[0]);
  note_grade(Source::kBackup, before[1]);
  note_mismatch();
  if (lockout_.past(static_cast<uint32_t>(kHourMs))) {
    begin_event(EventCode::kLockoutEnd);
    end_event();
    clear_lockout();
  }
  const Choice chosen = choose(overcurrent, blocked);
  Finish finish = Finish::kNot;
  if (chosen.made) {
    finish = apply(chosen, blocked);
  } else if (requested_ && mode_ == Mode::kClosed) {
    finish = drop_request();
  }
  note_redundancy();
  return finish;
}

bool Transfer::may_leave(bool overcurrent, bool blocked) const {
  return mode_ == Mode::kClosed && usable(other(position_)) && !overcurrent && !blocked && !leave_waits();
}

bool Transfer::fresh() const {
  return connected_ != 0 && !past(connected_, static_cast<uint16_t>(kAtOnceInrushMs));
}

void Transfer::request(Source source) {
  request_ = source;
  requested_ = true;
}

void Transfer::clear_lockout() {
  lockout_.known = false;
  counted_ = 0;
}

}  // namespace loadcenter
