#include "decision.hpp"

namespace loadcenter {

namespace {

static_assert(kOutlets > 4 || sizeof(void*) > 2 || sizeof(Decision) <= 420, "its share of the RAM of a UNO");

constexpr uint16_t kSecondMs = 1000;
constexpr Curve kBusCurve = Curve::kVi;

// One place for all: an AVR shifts by one bit at a time.
__attribute__((noinline)) OutletMask bit(uint8_t i) { return static_cast<OutletMask>(1U << i); }

void set_bit(OutletMask& mask, uint8_t i, bool on) {
  if (on) mask = static_cast<OutletMask>(mask | bit(i));
}

void tell_outlet(EventCode code, uint8_t i, Cause cause) {
  begin_event(code, static_cast<uint8_t>(i + 1), 0, cause);
}

void tell_small(EventCode code, uint8_t i, Cause cause, uint8_t number) {
  tell_outlet(code, i, cause);
  put_small(number);
  end_event();
}

// What an outlet shall be after start-up. A locked outlet keeps its state under every policy.
void restore(OutletState& outlet, PowerOn policy) {
  if (outlet.latched != Trip::kNone) {
    outlet.wanted = false;
    outlet.wanted_by = Cause::kProtection;
    return;
  }
  if (outlet.locked || (policy == PowerOn::kLastState && !outlet.wanted)) return;
  outlet.wanted = policy != PowerOn::kAlwaysOff;
  outlet.wanted_by = Cause::kRestore;
}

}  // namespace

// ---- protection

void Decision::keep_time() {
  uint8_t seconds = 0;
  for (; step_now.now_ms - second_ms_ >= kSecondMs; second_ms_ += kSecondMs) {
    if (seconds < kSecondsMost) ++seconds;
  }
  if (seconds == 0) return;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = outlet_[i];
    if (outlet.guard.faulty) continue;
    warm(outlet.guard, current_ma_[i], seconds);
    if (!outlet.closed || current_ma_[i] <= kCarriesMa) continue;
    outlet.draw_ma = current_ma_[i];
    outlet.draw_w = power_w_[i];
  }
}

void Decision::protect_outlets() {
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = outlet_[i];
    const OutletSeen seen = {i, outlet.closed, outlet.latched, current_ma_[i], power_w_[i]};
    bool shed = false;
    const Trip found = watch(outlet.guard, seen, arbitrate(outlet).cause, shed);
    if (shed) outlet.shed = Shed::kLimit;
    if (found != Trip::kNone) trip(i, found);
  }
}

// What a trip of this kind has compared.
void Decision::put_measured(uint8_t i, Trip trip) const {
  if (trip == Trip::kOverpower) return put_w(power_w_[i]);
  if (trip == Trip::kInstantaneous) return put(step_now.inputs->acted.peak_ma[i]);
  put_ma(trip == Trip::kBusTotal ? total_.current_ma : current_ma_[i]);
}

void Decision::trip(uint8_t i, Trip trip) {
  OutletState& outlet = outlet_[i];
  outlet.latched = trip;
  outlet.wanted = false;
  outlet.wanted_by = Cause::kProtection;
  if (outlet.closed) outlet.changed_ms = step_now.now_ms;
  outlet.closed = false;
  outlet.end_intentions();
  const bool failed = trip == Trip::kBreakerFailure;
  tell_outlet(failed ? EventCode::kBreakerFailure : EventCode::kTrip, i, Cause::kProtection);
  put_small(static_cast<uint8_t>(trip));
  put_measured(i, trip);
  end_event();
  end_order(i, Status::kRejected, Result::kLatched);
}

void Decision::protect_bus() {
  const bool was_over = bus_over_;
  bus_over_ = total_.current_ma > kBusRatingMa;
  if (!was_over && bus_curve_ == 0) return;
  if (!advance(bus_curve_, total_.current_ma, kBusCurve, kBusRatingMa, kBusTmsPermille)) return;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlet_[i].closed) trip(i, Trip::kBusTotal);
  }
  bus_over_ = false;
}

bool Decision::overcurrent() const {
  if (bus_over_) return true;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = outlet_[i];
    if (outlet.latched != Trip::kNone) {
      if (outlet.latched == Trip::kBusTotal || current_ma_[i] > kCarriesMa) return true;
    } else if (in_overcurrent(outlet.guard, settings_of(i))) {
      return true;
    }
  }
  return false;
}

bool Decision::blocked() const {
  for (const OutletState& outlet : outlet_) {
    if (outlet.latched == Trip::kBreakerFailure) return true;
  }
  return false;
}

// ---- budget and transfer

void Decision::put_total() const {
  put_ma(total_.current_ma);
  put_w(total_.power_w);
}

void Decision::keep_budget() {
  if (!step_now.inputs->live || transfer_.mode() != Mode::kClosed) {
    shedding_.wait();
    return;
  }
  const Source source = transfer_.position();
  uint8_t i = kNoOutlet;
  const ShedOutcome outcome = shedding_.judge(total_, source, outlet_, current_ma_, i);
  if (outcome == ShedOutcome::kShed) {
    outlet_[i].draw_ma = current_ma_[i];
    shed_outlet(i, total_);
  } else if (outcome != ShedOutcome::kNone) {
    begin_event(static_cast<EventCode>(outcome), 0, told(source), Cause::kNone);
    put_total();
    end_event();
  }
  i = shedding_.first_to_restore(total_, source, outlet_);
  if (i == kNoOutlet) return;
  outlet_[i].shed = Shed::kNot;
  outlet_[i].returning = true;
  shedding_.note_change(true);
}

void Decision::shed_outlet(uint8_t i, const Load& load) {
  OutletState& outlet = outlet_[i];
  outlet.shed = Shed::kBudget;
  outlet.returning = false;
  begin_event(EventCode::kShed, static_cast<uint8_t>(i + 1), told(transfer_.position()), Cause::kShed);
  put_small(0);
  put_ma(load.current_ma);
  put_w(load.power_w);
  put_ma(outlet.draw_ma);
  end_event();
}

void Decision::switch_source() {
  const bool moved_before = transfer_.moving();
  const Source target_before = transfer_.target();
  const Finish finish = transfer_.step(overcurrent(), blocked());
  if (transfer_.moving() && (!moved_before || transfer_.target() != target_before)) {
    shed_for(transfer_.target());
  }
  if (transfer_.just_connected()) {
    for (OutletState& outlet : outlet_) {
      if (outlet.closed) outlet.guard.mask = 1;
    }
  }
  if (finish == Finish::kNot) return;
  end_order(kTransferSlot, finish == Finish::kOk ? Status::kConfirmed : Status::kRejected,
            static_cast<Result>(finish));
}

// Sheds what `source` cannot carry, by the last known draws, before it is connected.
void Decision::shed_for(Source source) {
  const OutletMask mask = step_now.inputs->acted.swung ? shed_before_ : plan(outlet_, source);
  if (mask == 0) return;
  const Load drawn = drawn_by(outlet_);
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = outlet_[i];
    if ((mask & bit(i)) != 0 && outlet.closed && outlet.shed == Shed::kNot) shed_outlet(i, drawn);
  }
  shedding_.note_change(false);
}

void Decision::watch_bus() {
  // With a sign: just after the start the time lies ahead.
  const int32_t dead_ms = static_cast<int32_t>(step_now.now_ms - bus_dead_.ms);
  if (step_now.inputs->live) {
    if (outage_ != 0) {
      begin_event(EventCode::kOutageEnd);
      put_because(outage_);
      put(dead_ms);
      end_event();
    }
    bus_dead_.known = false;
    outage_ = 0;
    return;
  }
  if (!bus_dead_.known) return bus_dead_.set();
  if (outage_ != 0 || dead_ms < kOutageMs) return;
  begin_event(EventCode::kOutage, 0, told(transfer_.position()), Cause::kNone);
  put_because(transfer_.lost(transfer_.position()));
  for (const SourceInput& source : step_now.inputs->source) put(source.voltage_mv);
  outage_ = end_event();
  for (OutletState& outlet : outlet_) {
    if (!outlet.closed) continue;
    note_opening(outlet.guard, false);
    outlet.closed = false;
    outlet.changed_ms = step_now.now_ms;
    outlet.dropped = true;
  }
}

// ---- orders

Result Decision::refusal_of_outlet(const OutletState& outlet, const Command& order) const {
  const bool latched = outlet.latched != Trip::kNone;
  if (order.verb == Verb::kResetTrip) return latched ? Result::kOk : Result::kAlready;
  if (order.verb == Verb::kLock) return outlet.locked == order.on ? Result::kAlready : Result::kOk;
  const bool off = order.verb == Verb::kSwitch && !order.on;
  if (latched && !off) return Result::kLatched;
  if (outlet.locked && !order.emergency) return Result::kLocked;  // an emergency is above a lock
  if (off) {
    const bool is_off = !outlet.closed && arbitrate(outlet).cause == Cause::kPersonOff;
    return is_off && !order.emergency ? Result::kAlready : Result::kOk;
  }
  if (order.verb == Verb::kCycle) return Result::kOk;
  if (outlet.closed) return Result::kAlready;
  return fits(total_, transfer_.position(), outlet) ? Result::kOk : Result::kNoHeadroom;
}

Result Decision::refusal(const Command& order) const {
  if (order.verb == Verb::kClearLockout) return transfer_.locked_out() ? Result::kOk : Result::kAlready;
  if (order.verb == Verb::kTransfer) {
    if (order.source == transfer_.position()) return Result::kAlready;
    if (transfer_.locked_out()) return Result::kLockout;
    if (transfer_.grade(order.source) != Grade::kGood) return Result::kSourceNotGood;
    return overcurrent() ? Result::kInOvercurrent : Result::kOk;
  }
  if (order.outlet < 1 || order.outlet > kOutlets) return Result::kNoSuchOutlet;
  return refusal_of_outlet(outlet_[order.outlet - 1], order);
}

// An emergency of all outlets is one for each of them, under the same key: the first that ends answers.
void Decision::give(Command& order) {
  const bool all = order.emergency && order.outlet == 0;
  do {
    order.outlet = static_cast<uint8_t>(order.outlet + all);
    const Result refused = refusal(order);
    if (refused != Result::kOk) {
      take_answer(order.key, Status::kRejected, refused);
      continue;
    }
    take_answer(order.key, Status::kAccepted, Result::kOk);
    if (carry_out(order)) take_answer(order.key, Status::kConfirmed, Result::kOk);
  } while (all && order.outlet < kOutlets);
}

bool Decision::carry_out(const Command& order) {
  const uint8_t i = static_cast<uint8_t>(order.outlet - 1);
  OutletState& outlet = outlet_[i < kOutlets ? i : 0];  // those that need none do not look at it
  switch (order.verb) {
    case Verb::kTransfer:
      supersede(kTransferSlot);
      transfer_.request(order.source);
      wait_for(kTransferSlot, order, true);
      return false;
    case Verb::kClearLockout:
      begin_event(EventCode::kLockoutEnd, 0, 0, Cause::kManual);
      end_event();
      transfer_.clear_lockout();
      return true;
    case Verb::kResetTrip:
      tell_small(EventCode::kTripReset, i, Cause::kPersonOff, static_cast<uint8_t>(outlet.latched));
      outlet.latched = Trip::kNone;
      outlet.draw_ma = outlet.draw_w = 0;  // of a fault: no measure of what will be drawn
      want(i, false);
      return true;
    case Verb::kLock:
      tell_small(EventCode::kLocked, i, Cause::kLock, order.on);
      outlet.locked = order.on;
      if (order.on && outlet.pausing) {
        // It is locked as it is now, in the pause of its power cycle: off.
        supersede(i);
        want(i, false);
      }
      outlet.pausing = false;
      return true;
    default:
      break;
  }
  const bool on = order.verb == Verb::kCycle || order.on;
  supersede(i);
  if (!on && !outlet.closed) {
    // No relay will move, yet a person has decided something: it belongs into the log.
    tell_small(EventCode::kSwitched, i, Cause::kPersonOff, 0);
  }
  want(i, on);
  outlet.end_intentions();
  outlet.pausing = order.verb == Verb::kCycle;
  outlet.resume_ms = step_now.now_ms + order.off_ms;
  wait_for(i, order, on);
  return false;
}

void Decision::want(uint8_t i, bool on) {
  outlet_[i].wanted = on;
  outlet_[i].wanted_by = on ? Cause::kPersonOn : Cause::kPersonOff;
}

void Decision::supersede(uint8_t slot) { end_order(slot, Status::kRejected, Result::kSuperseded); }

void Decision::wait_for(uint8_t slot, const Command& order, bool wants_on) {
  awaiting_[slot] = {order.key, wants_on, 1};
}

void Decision::end_order(uint8_t slot, Status status, Result code) {
  if (awaiting_[slot].since == 0) return;
  awaiting_[slot].since = 0;
  take_answer(awaiting_[slot].key, status, code);
}

// Answers the order whose effect is seen now, or is not seen after its time.
void Decision::confirm(uint8_t i) {
  const Awaiting& waiting = awaiting_[i];
  const OutletState& outlet = outlet_[i];
  if (waiting.since == 0 || outlet.pausing || outlet.closed != waiting.wants_on) return;
  const uint32_t unchanged_ms = step_now.now_ms - outlet.changed_ms;
  uint16_t lasted_ms = static_cast<uint16_t>(waiting.since - 1);
  if (unchanged_ms < lasted_ms) lasted_ms = static_cast<uint16_t>(unchanged_ms);
  if (lasted_ms < static_cast<uint16_t>(kSeenMs)) return;
  if (waiting.wants_on || current_ma_[i] <= kCarriesMa) {
    end_order(i, Status::kConfirmed, Result::kOk);
  } else if (lasted_ms >= static_cast<uint16_t>(kUnseenMs)) {
    end_order(i, Status::kRejected, Result::kNotConfirmed);
  }
}

// ---- arbitration

void Decision::open_unwanted() {
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlet_[i].closed && !arbitrate(outlet_[i]).closed) drive(i, false);
  }
}

// Returns the outlet that waits to be closed and has the highest priority, the first one among equals.
uint8_t Decision::next_to_close() const {
  uint8_t first = kNoOutlet;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlet_[i].closed || !arbitrate(outlet_[i]).closed) continue;
    if (first == kNoOutlet || settings_of(i).priority < settings_of(first).priority) first = i;
  }
  return first;
}

void Decision::close_in_turn() {
  const uint16_t sequence_ms = step_now.settings->sequence_ms;
  if (sequence_ms != 0 && closed_ != 0 && !past(closed_, sequence_ms)) return;
  do {
    const uint8_t i = next_to_close();
    if (i == kNoOutlet) return;
    closed_ = 1;
    const bool kept = settings_of(i).protected_ || outlet_[i].locked;  // never shed
    if (kept || fits(total_, transfer_.position(), outlet_[i])) {
      drive(i, true);
    } else {
      shed_outlet(i, total_);
    }
  } while (sequence_ms == 0);
}

void Decision::drive(uint8_t i, bool closed) {
  OutletState& outlet = outlet_[i];
  tell_drive(i, closed);
  if (closed) {
    note_closing(outlet.guard);
    outlet.returning = false;
  } else if (note_opening(outlet.guard,
                          step_now.now_ms - outlet.changed_ms >= static_cast<uint32_t>(kBarrenMs))) {
    tell_outlet(EventCode::kSuspectedOpen, i, Cause::kNone);
    end_event();
  }
  outlet.closed = closed;
  outlet.changed_ms = step_now.now_ms;
  outlet.dropped = false;
}

// Tells that an outlet is driven, unless another event tells it: the end of an outage, or the shed.
void Decision::tell_drive(uint8_t i, bool closed) const {
  const OutletState& outlet = outlet_[i];
  const Cause cause = !closed && outlet.pausing ? Cause::kPersonOff : arbitrate(outlet).cause;
  if (closed && outlet.returning) {
    tell_outlet(EventCode::kRestored, i, cause);
    put_total();
  } else if ((closed && outlet.dropped) || (!closed && outlet.shed != Shed::kNot)) {
    return;
  } else {
    return tell_small(EventCode::kSwitched, i, cause, closed);
  }
  end_event();
}

void Decision::finish() {
  drives_ = {transfer_.position(), transfer_.isolator_closed(), 0};
  standing_ = {transfer_.may_leave(overcurrent(), blocked()), plan(outlet_, other(transfer_.position())),
               static_cast<uint16_t>(transfer_.fresh() ? kAtOnceInrushPermille : kAtOncePermille), 0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = outlet_[i];
    set_bit(drives_.outlets, i, outlet.closed);
    set_bit(standing_.masked, i, outlet.closed && outlet.guard.masked());
    set_bit(standing_.quiet, i, outlet.closed && outlet.guard.may_mask());
  }
  stepped_ms_ = step_now.now_ms;
}

// ---- the decision itself

void Decision::start(const KeptOutlet* kept, const Settings& settings, uint32_t now_ms) {
  *this = Decision();
  restart_events();
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = outlet_[i];
    outlet.wanted = kept[i].wanted;
    outlet.locked = kept[i].locked;
    outlet.wanted_by = static_cast<Cause>(kept[i].cause);
    outlet.latched = static_cast<Trip>(kept[i].trip);
    outlet.guard.heat_ppm = kept[i].heat_stage * (kThermalTripPpm / 4);
    outlet.changed_ms = now_ms;
    restore(outlet, settings.outlet[i].power_on);
  }
  transfer_.start();
  bus_dead_ = {now_ms + static_cast<uint32_t>(kStartGraceMs - kOutageMs), true};
  stepped_ms_ = now_ms;
  second_ms_ = now_ms;
}

void Decision::step(const Inputs& inputs, const Settings& settings, Command* orders, uint8_t count,
                    uint32_t now_ms) {
  const uint32_t passed_ms = now_ms - stepped_ms_;
  step_now = {&inputs, &settings, now_ms,
              static_cast<uint8_t>(passed_ms > UINT8_MAX ? UINT8_MAX : passed_ms)};
  run(closed_, closed_ != 0);
  for (Awaiting& waiting : awaiting_) run(waiting.since, waiting.since != 0);
  shed_before_ = standing_.shed;
  total_ = {0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = outlet_[i];
    const int32_t current_ma = inputs.current_ma[i];
    current_ma_[i] = static_cast<uint16_t>(current_ma > UINT16_MAX ? UINT16_MAX
                                           : current_ma < 0        ? 0
                                                                   : current_ma);
    // No outlet carries 65 kW; what flows back, or is not known, counts as none.
    power_w_[i] =
        inputs.power_mw[i] < 0 ? 0 : static_cast<uint16_t>(static_cast<uint32_t>(inputs.power_mw[i]) / 1000);
    if (!outlet.guard.faulty) {
      total_.add(current_ma_[i], power_w_[i]);
    } else if (outlet.closed) {
      total_.add(outlet.draw_ma, outlet.draw_w);
    }
  }
  keep_time();
  protect_outlets();
  protect_bus();
  keep_budget();
  switch_source();
  watch_bus();
  for (uint8_t i = 0; i < count; ++i) {
    give(orders[i]);
    open_unwanted();  // so that the next order finds the outlet as this one has left it
  }
  for (OutletState& outlet : outlet_) {
    // Compared with a sign: the end of a pause lies ahead.
    if (static_cast<int32_t>(now_ms - outlet.resume_ms) >= 0) outlet.pausing = false;
  }
  open_unwanted();
  if (inputs.live && transfer_.mode() == Mode::kClosed) close_in_turn();
  for (uint8_t i = 0; i < kOutlets; ++i) confirm(i);
  finish();
}

KeptOutlet Decision::kept(uint8_t i) const {
  const OutletState& outlet = outlet_[i];
  return {outlet.wanted, outlet.locked, outlet.guard.heat_stage(), static_cast<uint8_t>(outlet.wanted_by),
          static_cast<uint8_t>(outlet.latched)};
}

}  // namespace loadcenter
