#include "decision.hpp"

namespace loadcenter {

namespace {

constexpr uint8_t kTransferSlot = kOutlets;
constexpr uint32_t kSecondMs = 1000;
constexpr Curve kBusCurve = Curve::kVi;

constexpr OutletMask bit(uint8_t index) { return static_cast<OutletMask>(1U << index); }

// What an outlet shall be after start-up. A locked outlet keeps its state under every policy.
void restore(OutletState& outlet, PowerOn policy) {
  if (outlet.latch.held()) {
    outlet.wanted = false;
    outlet.wanted_by = Cause::kProtection;
    return;
  }
  if (outlet.locked) return;
  switch (policy) {
    case PowerOn::kLastState:
      if (outlet.wanted) outlet.wanted_by = Cause::kRestore;
      return;
    case PowerOn::kAlwaysOn:
    case PowerOn::kAlwaysOff:
      outlet.wanted = policy == PowerOn::kAlwaysOn;
      outlet.wanted_by = Cause::kRestore;
      return;
  }
}

}  // namespace

// One step under way.
struct Decision::Step {
  DecisionState& state;
  const Inputs& inputs;
  const Settings& settings;
  const Nominal& nominal;
  uint32_t now_ms;
  Journal journal;
  Load total;
  OutletMask shed_before;

  Step(DecisionState& of, const Inputs& measured, const Settings& in_force, const Nominal& supply, uint32_t now,
       Outcome& outcome)
      : state(of),
        inputs(measured),
        settings(in_force),
        nominal(supply),
        now_ms(now),
        journal(outcome, of.emitted, now),
        total(total_of(of.outlet, measured)),
        shed_before(of.standing.shed) {}

  int32_t current_ma(uint8_t i) const { return inputs.current_ma[i]; }
  Headroom headroom() const { return {total, budget_of(settings, state.transfer.position)}; }

  void keep_time();
  void protect_outlets();
  void trip(uint8_t i, const Latch& latch);
  void protect_bus();
  bool overcurrent() const;
  Feed feed() const;
  void keep_budget();
  void tell(EventCode code, const Headroom& room);
  void shed_outlet(uint8_t i, const Headroom& room, int32_t draw_ma);
  void switch_source();
  void shed_for(Source source);
  void watch_bus();
  void tell_outage();

  void give(const Command& order);
  Result refusal(const Command& order) const;
  Result refusal_of_outlet(const OutletState& outlet, const Command& order) const;
  void switch_outlet(uint8_t i, const Command& order);
  void cycle_outlet(uint8_t i, const Command& order);
  void reset_trip(uint8_t i);
  void lock(uint8_t i, const Command& order);
  void supersede(uint8_t slot);
  void wait_for(uint8_t slot, const Command& order);
  void confirm(uint8_t i);

  void open_unwanted();
  void close_in_turn();
  void drive(uint8_t i, bool closed);
  void tell_drive(uint8_t i, bool closed);
  void finish();
};

// ---- protection

void Decision::Step::keep_time() {
  const uint32_t passed = (now_ms - state.second_ms) / kSecondMs;
  if (passed == 0) return;
  state.second_ms += passed * kSecondMs;
  const uint8_t seconds = static_cast<uint8_t>(passed > kSecondsMost ? kSecondsMost : passed);
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = state.outlet[i];
    if (outlet.guard.faulty) continue;
    warm(outlet.guard, current_ma(i), seconds);
    outlet.heat_stage = outlet.guard.heat_stage();
    if (!outlet.closed || current_ma(i) <= kCarriesMa) continue;
    outlet.draw_ma = current_ma(i);
    outlet.draw_mw = inputs.power_mw[i];
  }
}

void Decision::Step::protect_outlets() {
  const uint32_t step_ms = now_ms - state.stepped_ms;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = state.outlet[i];
    const bool failed = outlet.latch.trip == Trip::kBreakerFailure;
    const bool opened = outlet.closed && (inputs.acted.tripped & bit(i)) != 0;
    const OutletSeen seen = {static_cast<uint8_t>(i + 1),
                             outlet.closed,
                             outlet.latch.held(),
                             failed,
                             current_ma(i),
                             inputs.power_mw[i],
                             (inputs.sensor_fault & bit(i)) != 0,
                             opened,
                             inputs.acted.peak_ma[i],
                             (inputs.acted.masked & bit(i)) != 0,
                             arbitrate(outlet).cause};
    const Watched watched =
        watch(outlet.guard, seen, settings.outlet[i], settings.idmt_reset_s, step_ms, now_ms, journal);
    if (watched.shed) outlet.shed = Shed::kLimit;
    if (watched.latch.held()) trip(i, watched.latch);
  }
}

void Decision::Step::trip(uint8_t i, const Latch& latch) {
  OutletState& outlet = state.outlet[i];
  outlet.latch = latch;
  outlet.wanted = false;
  outlet.wanted_by = Cause::kProtection;
  if (outlet.closed) outlet.changed_ms = now_ms;
  outlet.closed = false;
  outlet.resume.forget();
  outlet.dropped = false;
  outlet.shed = Shed::kNot;
  outlet.returning = false;
  const EventCode code =
      latch.trip == Trip::kBreakerFailure ? EventCode::kBreakerFailure : EventCode::kTrip;
  journal.begin(code, static_cast<uint8_t>(i + 1), 0, Cause::kProtection);
  latch.put(journal);
  journal.end();
  Awaiting& waiting = state.awaiting[i];
  if (!waiting.waits) return;
  waiting.waits = false;
  journal.outcome().answer(waiting.key, Status::kRejected, Result::kLatched);
}

void Decision::Step::protect_bus() {
  const bool over = total.current_ma > kBusRatingMa;
  if (!over && state.bus_curve == 0 && !state.bus_over.known) return;
  if (over) state.bus_over.set_first(now_ms);
  if (!over) state.bus_over.forget();
  constexpr uint16_t tms = static_cast<uint16_t>(kBusTmsPermille);
  state.bus_curve = advanced(state.bus_curve, total.current_ma, kBusCurve, kBusRatingMa, tms,
                             settings.idmt_reset_s, now_ms - state.stepped_ms);
  if (!state.bus_over.known || state.bus_curve < trips_at(tms)) return;
  const Latch latch = {Trip::kBusTotal, total.current_ma, kBusRatingMa,
                       static_cast<int32_t>(now_ms - state.bus_over.ms)};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (state.outlet[i].closed) trip(i, latch);
  }
  state.bus_over.forget();
}

bool Decision::Step::overcurrent() const {
  if (state.bus_over.known) return true;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = state.outlet[i];
    if (outlet.latch.held()) {
      if (outlet.latch.trip == Trip::kBusTotal || current_ma(i) > kCarriesMa) return true;
    } else if (in_overcurrent(outlet.guard, settings.outlet[i])) {
      return true;
    }
  }
  return false;
}

Feed Decision::Step::feed() const {
  bool blocked = false;
  for (const OutletState& outlet : state.outlet) {
    blocked = blocked || outlet.latch.trip == Trip::kBreakerFailure;
  }
  return {&inputs, overcurrent(), blocked};
}

// ---- budget and transfer

void Decision::Step::tell(EventCode code, const Headroom& room) {
  journal.begin(code, 0, told(state.transfer.position), Cause::kNone);
  room.put(journal);
  journal.end();
}

void Decision::Step::keep_budget() {
  if (!inputs.live || state.transfer.mode != Mode::kClosed) return;
  const Headroom room = headroom();
  const ShedVerdict verdict =
      judge(state.shedding, room, state.outlet, inputs.current_ma, settings, now_ms);
  if (verdict.within) tell(EventCode::kWithinBudget, room);
  if (verdict.exhausted) tell(EventCode::kOverBudget, room);
  if (verdict.futile) tell(EventCode::kShedFutile, room);
  if (verdict.shed != kNoOutlet) shed_outlet(verdict.shed, room, current_ma(verdict.shed));
  const uint8_t i = first_to_restore(state.shedding, room, state.outlet, settings, now_ms);
  if (i == kNoOutlet) return;
  state.outlet[i].shed = Shed::kNot;
  state.outlet[i].returning = true;
  state.shedding.changed.set(now_ms);
  state.shedding.restored = true;
}

void Decision::Step::shed_outlet(uint8_t i, const Headroom& room, int32_t draw_ma) {
  OutletState& outlet = state.outlet[i];
  outlet.shed = Shed::kBudget;
  outlet.draw_ma = draw_ma;
  outlet.returning = false;
  journal.begin(EventCode::kShed, static_cast<uint8_t>(i + 1), told(state.transfer.position), Cause::kShed);
  journal.number(0);
  room.put(journal);
  journal.number(draw_ma).number(kUnknown).number(kUnknown).end();
}

void Decision::Step::switch_source() {
  TransferState& transfer = state.transfer;
  const bool moved_before = transfer.move.under_way;
  const Source target_before = transfer.move.target;
  const Moment connected_before = transfer.connected;
  const Finished finished = step_transfer(transfer, feed(), settings, nominal, now_ms, journal);
  if (transfer.move.under_way && (!moved_before || transfer.move.target != target_before)) {
    shed_for(transfer.move.target);
  }
  const bool connected = transfer.connected.known &&
                         (!connected_before.known || connected_before.ms != transfer.connected.ms);
  if (connected) {
    for (OutletState& outlet : state.outlet) {
      if (outlet.closed) outlet.guard.mask.set(now_ms);
    }
  }
  Awaiting& waiting = state.awaiting[kTransferSlot];
  if (!finished.known || !waiting.waits) return;
  waiting.waits = false;
  const Status status = finished.code == Result::kOk ? Status::kConfirmed : Status::kRejected;
  journal.outcome().answer(waiting.key, status, finished.code);
}

// Sheds what `source` cannot carry, by the last known draws, before it is connected.
void Decision::Step::shed_for(Source source) {
  const OutletMask mask = inputs.acted.swung ? shed_before : plan(state.outlet, settings, source);
  if (mask == 0) return;
  const Load budget = budget_of(settings, source);
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = state.outlet[i];
    if ((mask & bit(i)) == 0 || !outlet.closed || outlet.shed != Shed::kNot) continue;
    shed_outlet(i, {drawn_by(state.outlet), budget}, outlet.draw_ma);
  }
  state.shedding.changed.set(now_ms);
  state.shedding.restored = false;
}

void Decision::Step::watch_bus() {
  if (inputs.live) {
    if (state.outage.known && state.bus_dead.known) {
      journal.begin(EventCode::kOutageEnd, 0, 0, Cause::kNone).because(state.outage);
      journal.number(static_cast<int32_t>(now_ms - state.bus_dead.ms)).end();
    }
    state.bus_dead.forget();
    state.outage.known = false;
    return;
  }
  if (!state.bus_dead.known) {
    state.bus_dead.set(now_ms);
    return;
  }
  // Compared with a sign: just after the start the time lies ahead.
  const int32_t dead_ms = static_cast<int32_t>(now_ms - state.bus_dead.ms);
  if (state.outage.known || dead_ms < kOutageMs) return;
  tell_outage();
  for (OutletState& outlet : state.outlet) {
    if (!outlet.closed) continue;
    note_opening(outlet.guard, 0);
    outlet.closed = false;
    outlet.changed_ms = now_ms;
    outlet.dropped = true;
  }
}

void Decision::Step::tell_outage() {
  const TransferState& transfer = state.transfer;
  journal.begin(EventCode::kOutage, 0, told(transfer.position), Cause::kNone);
  journal.because(transfer.lost[index(transfer.position)]);
  journal.number(inputs.source[0].voltage_mv).number(inputs.source[1].voltage_mv);
  state.outage = journal.number(transfer.isolator_closed()).end();
}

// ---- orders

Result Decision::Step::refusal_of_outlet(const OutletState& outlet, const Command& order) const {
  const bool held = outlet.latch.held();
  switch (order.verb) {
    case Verb::kSwitch:
      if (!order.on) {
        // An emergency is above a lock.
        if (outlet.locked && !order.emergency) return Result::kLocked;
        const bool off = !outlet.closed && arbitrate(outlet).cause == Cause::kPersonOff;
        return off ? Result::kAlready : Result::kOk;
      }
      if (held) return Result::kLatched;
      if (outlet.locked) return Result::kLocked;
      if (outlet.closed) return Result::kAlready;
      return headroom().fits(outlet.draw_ma, outlet.draw_mw) ? Result::kOk : Result::kNoHeadroom;
    case Verb::kCycle:
      if (held) return Result::kLatched;
      return outlet.locked ? Result::kLocked : Result::kOk;
    case Verb::kLock:
      return outlet.locked == order.on ? Result::kAlready : Result::kOk;
    case Verb::kResetTrip:
      return held ? Result::kOk : Result::kAlready;
    default:
      return Result::kNotSupported;
  }
}

Result Decision::Step::refusal(const Command& order) const {
  const TransferState& transfer = state.transfer;
  if (order.verb == Verb::kClearLockout) return transfer.lockout.known ? Result::kOk : Result::kAlready;
  if (order.verb == Verb::kTransfer) {
    if (order.source == transfer.position) return Result::kAlready;
    if (transfer.lockout.known) return Result::kLockout;
    if (transfer.sense[index(order.source)].grade != Grade::kGood) return Result::kSourceNotGood;
    return overcurrent() ? Result::kInOvercurrent : Result::kOk;
  }
  if (order.outlet < 1 || order.outlet > kOutlets) return Result::kNoSuchOutlet;
  return refusal_of_outlet(state.outlet[order.outlet - 1], order);
}

void Decision::Step::give(const Command& order) {
  const Result refused = refusal(order);
  if (refused != Result::kOk) {
    journal.outcome().answer(order.key, Status::kRejected, refused);
    return;
  }
  journal.outcome().answer(order.key, Status::kAccepted, Result::kOk);
  const uint8_t i = static_cast<uint8_t>(order.outlet - 1);
  switch (order.verb) {
    case Verb::kSwitch:
      switch_outlet(i, order);
      return;
    case Verb::kCycle:
      cycle_outlet(i, order);
      return;
    case Verb::kTransfer:
      supersede(kTransferSlot);
      state.transfer.requested = true;
      state.transfer.request = order.source;
      wait_for(kTransferSlot, order);
      return;
    case Verb::kResetTrip:
      reset_trip(i);
      break;
    case Verb::kLock:
      lock(i, order);
      break;
    case Verb::kClearLockout:
      journal.begin(EventCode::kLockoutEnd, 0, 0, Cause::kManual);
      journal.number(static_cast<int32_t>(now_ms - state.transfer.lockout.ms)).end();
      clear_lockout(state.transfer);
      break;
    case Verb::kEnergy:  // the records take it; `refusal` has turned it away
      break;
  }
  journal.outcome().answer(order.key, Status::kConfirmed, Result::kOk);
}

void Decision::Step::switch_outlet(uint8_t i, const Command& order) {
  supersede(i);
  OutletState& outlet = state.outlet[i];
  const Cause cause = order.on ? Cause::kPersonOn : Cause::kPersonOff;
  if (!order.on && !outlet.closed) {
    // No relay will move, yet a person has decided something: it belongs into the log.
    journal.begin(EventCode::kSwitched, order.outlet, 0, cause).number(0).number(kUnknown).end();
  }
  outlet.wanted = order.on;
  outlet.wanted_by = cause;
  outlet.resume.forget();
  outlet.dropped = false;
  outlet.shed = Shed::kNot;
  outlet.returning = false;
  wait_for(i, order);
}

void Decision::Step::cycle_outlet(uint8_t i, const Command& order) {
  supersede(i);
  OutletState& outlet = state.outlet[i];
  outlet.wanted = true;
  outlet.wanted_by = Cause::kPersonOn;
  outlet.resume.set(now_ms + order.off_ms);
  outlet.dropped = false;
  outlet.shed = Shed::kNot;
  outlet.returning = false;
  wait_for(i, order);
}

void Decision::Step::reset_trip(uint8_t i) {
  OutletState& outlet = state.outlet[i];
  journal.begin(EventCode::kTripReset, static_cast<uint8_t>(i + 1), 0, Cause::kPersonOff);
  outlet.latch.put(journal);
  journal.end();
  outlet.latch.trip = Trip::kNone;
  outlet.wanted = false;
  outlet.wanted_by = Cause::kPersonOff;
}

void Decision::Step::lock(uint8_t i, const Command& order) {
  OutletState& outlet = state.outlet[i];
  journal.begin(EventCode::kLocked, order.outlet, 0, Cause::kLock).number(order.on).end();
  if (order.on && outlet.resume.known) {
    // The outlet is locked as it is now, in the pause of its power cycle: off.
    supersede(i);
    outlet.wanted = false;
    outlet.wanted_by = Cause::kPersonOff;
  }
  outlet.locked = order.on;
  outlet.resume.forget();
}

void Decision::Step::supersede(uint8_t slot) {
  Awaiting& waiting = state.awaiting[slot];
  if (!waiting.waits) return;
  waiting.waits = false;
  journal.outcome().answer(waiting.key, Status::kRejected, Result::kSuperseded);
}

void Decision::Step::wait_for(uint8_t slot, const Command& order) {
  state.awaiting[slot] = {true, order.key, order.verb, order.on, now_ms};
}

// Answers the order whose effect is seen now, or is not seen after its time.
void Decision::Step::confirm(uint8_t i) {
  Awaiting& waiting = state.awaiting[i];
  const OutletState& outlet = state.outlet[i];
  if (!waiting.waits || outlet.resume.known) return;
  const uint32_t changed_ms = now_ms - outlet.changed_ms;
  const uint32_t waited_ms = now_ms - waiting.since_ms;
  const int32_t lasted_ms = static_cast<int32_t>(changed_ms < waited_ms ? changed_ms : waited_ms);
  const bool wants_on = waiting.verb == Verb::kCycle || waiting.on;
  if (outlet.closed != wants_on || lasted_ms < kSeenMs) return;
  if (wants_on || current_ma(i) <= kCarriesMa) {
    journal.outcome().answer(waiting.key, Status::kConfirmed, Result::kOk);
  } else if (lasted_ms >= kUnseenMs) {
    journal.outcome().answer(waiting.key, Status::kRejected, Result::kNotConfirmed);
  } else {
    return;
  }
  waiting.waits = false;
}

// ---- arbitration

void Decision::Step::open_unwanted() {
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (state.outlet[i].closed && !arbitrate(state.outlet[i]).closed) drive(i, false);
  }
}

void Decision::Step::close_in_turn() {
  OutletMask waiting = 0;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (!state.outlet[i].closed && arbitrate(state.outlet[i]).closed) {
      waiting = static_cast<OutletMask>(waiting | bit(i));
    }
  }
  const bool at_once = settings.sequence_ms == 0;
  if (waiting == 0 || (!at_once && state.closed.known && !state.closed.past(now_ms, settings.sequence_ms))) {
    return;
  }
  state.closed.set(now_ms);
  while (waiting != 0) {
    uint8_t first = kNoOutlet;
    for (uint8_t i = 0; i < kOutlets; ++i) {
      if ((waiting & bit(i)) == 0) continue;
      if (first == kNoOutlet || settings.outlet[i].priority < settings.outlet[first].priority) first = i;
    }
    waiting = static_cast<OutletMask>(waiting & ~bit(first));
    const OutletState& outlet = state.outlet[first];
    if (headroom().fits(outlet.draw_ma, outlet.draw_mw)) {
      drive(first, true);
    } else {
      shed_outlet(first, headroom(), outlet.draw_ma);
    }
    if (!at_once) return;
  }
}

void Decision::Step::drive(uint8_t i, bool closed) {
  OutletState& outlet = state.outlet[i];
  tell_drive(i, closed);
  if (closed) {
    note_closing(outlet.guard, now_ms);
  } else if (note_opening(outlet.guard, now_ms - outlet.changed_ms)) {
    journal.begin(EventCode::kSuspectedOpen, static_cast<uint8_t>(i + 1), 0, Cause::kNone);
    journal.number(outlet.guard.barren).end();
  }
  outlet.closed = closed;
  outlet.changed_ms = now_ms;
  outlet.dropped = false;
  outlet.returning = outlet.returning && !closed;
}

// Tells that an outlet is driven, unless another event tells it: the end of an outage, or the shed.
void Decision::Step::tell_drive(uint8_t i, bool closed) {
  const OutletState& outlet = state.outlet[i];
  const uint8_t number = static_cast<uint8_t>(i + 1);
  const Cause cause = arbitrate(outlet).cause;
  if (closed && outlet.returning) {
    journal.begin(EventCode::kRestored, number, 0, cause);
    headroom().put(journal);
    journal.end();
    return;
  }
  if ((closed && outlet.dropped) || (!closed && outlet.shed != Shed::kNot)) return;
  const bool pause = !closed && outlet.resume.known;
  journal.begin(EventCode::kSwitched, number, 0, pause ? Cause::kPersonOff : cause).number(closed);
  journal.number(pause ? static_cast<int32_t>(outlet.resume.ms - now_ms) : kUnknown).end();
}

void Decision::Step::finish() {
  const TransferState& transfer = state.transfer;
  state.drives = {transfer.position, transfer.isolator_closed(), 0};
  state.standing = {may_leave(transfer, feed(), now_ms), plan(state.outlet, settings, other(transfer.position)),
                    at_once_permille(transfer, now_ms), 0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletState& outlet = state.outlet[i];
    if (!outlet.closed) continue;
    state.drives.outlets = static_cast<OutletMask>(state.drives.outlets | bit(i));
    if (outlet.guard.masked(now_ms)) {
      state.standing.masked = static_cast<OutletMask>(state.standing.masked | bit(i));
    }
    if (outlet.guard.may_mask(now_ms)) {
      state.standing.quiet = static_cast<OutletMask>(state.standing.quiet | bit(i));
    }
  }
  state.stepped_ms = now_ms;
}

// ---- the decision itself

void Decision::start(const KeptOutlet* kept, const Settings& settings, const Nominal& nominal,
                     uint32_t now_ms) {
  state_ = DecisionState();
  nominal_ = nominal;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    OutletState& outlet = state_.outlet[i];
    const KeptOutlet& known = kept[i];
    outlet.wanted = known.wanted;
    outlet.locked = known.locked;
    outlet.wanted_by = static_cast<Cause>(known.cause);
    outlet.latch = {static_cast<Trip>(known.trip), known.measured, known.limit,
                    static_cast<int32_t>(known.limit_ms)};
    outlet.heat_stage = known.heat_stage;
    outlet.guard.heat_ppm = known.heat_stage * (kThermalTripPpm / 4);
    outlet.changed_ms = now_ms;
    restore(outlet, settings.outlet[i].power_on);
  }
  start_transfer(state_.transfer, now_ms);
  state_.bus_dead.set(now_ms + static_cast<uint32_t>(kStartGraceMs - kOutageMs));
  state_.stepped_ms = now_ms;
  state_.second_ms = now_ms;
  state_.standing.at_once_permille = static_cast<uint16_t>(kAtOncePermille);
}

void Decision::step(const Inputs& inputs, const Settings& settings, const Command* orders, uint8_t count,
                    uint32_t now_ms, Outcome& outcome) {
  Step step(state_, inputs, settings, nominal_, now_ms, outcome);
  step.keep_time();
  step.protect_outlets();
  step.protect_bus();
  step.keep_budget();
  step.switch_source();
  step.watch_bus();
  for (uint8_t i = 0; i < count; ++i) {
    step.give(orders[i]);
    step.open_unwanted();  // so that the next order finds the outlet as this one has left it
  }
  for (OutletState& outlet : state_.outlet) {
    // Compared with a sign: the end of a pause lies ahead.
    if (outlet.resume.known && static_cast<int32_t>(now_ms - outlet.resume.ms) >= 0) outlet.resume.forget();
  }
  step.open_unwanted();
  if (inputs.live && state_.transfer.mode == Mode::kClosed) step.close_in_turn();
  for (uint8_t i = 0; i < kOutlets; ++i) step.confirm(i);
  step.finish();
}

KeptOutlet Decision::kept(uint8_t index) const {
  const OutletState& outlet = state_.outlet[index];
  return {outlet.wanted,
          outlet.locked,
          outlet.heat_stage,
          static_cast<uint8_t>(outlet.wanted_by),
          static_cast<uint8_t>(outlet.latch.trip),
          outlet.latch.measured,
          outlet.latch.limit,
          static_cast<uint32_t>(outlet.latch.limit_ms)};
}

}  // namespace loadcenter
