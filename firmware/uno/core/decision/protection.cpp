#include "protection.hpp"

namespace loadcenter {

namespace {

constexpr uint16_t kQuietMa = kOutletRatingMa / 4;

void tell(EventCode code, const OutletSeen& seen, Cause cause) {
  begin_event(code, static_cast<uint8_t>(seen.index + 1), 0, cause);
}

void tell_load(EventCode code, const OutletSeen& seen) {
  tell(code, seen, Cause::kNone);
  put_ma(seen.current_ma);
  put_w(seen.power_w);
  end_event();
}

void forget_times(Guard& guard) {
  guard.over = 0;
  guard.quiet = 0;
  guard.warned = false;
  guard.picked_up = false;
}

void note_sensor(Guard& guard, const OutletSeen& seen, bool faulty) {
  if (faulty == guard.faulty) return;
  tell(faulty ? EventCode::kSensorFault : EventCode::kSensorRestored, seen, Cause::kNone);
  end_event();
  guard.faulty = faulty;
  guard.over = 0;
  guard.picked_up = false;
}

bool below(uint16_t value, uint16_t limit) {
  return static_cast<uint32_t>(value) * 100 <= static_cast<uint32_t>(limit) * kClearedPct;
}

bool well_below(const OutletSeen& seen, const OutletSettings& settings) {
  return below(seen.current_ma, settings.limit_ma) && below(seen.power_w, settings.limit_w);
}

// The person's own limit.
Trip limit(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, bool& shed) {
  const bool over_current = seen.current_ma > settings.limit_ma;
  const bool over = over_current || seen.power_w > settings.limit_w;
  run(guard.over, over);
  if (!over && guard.warned && well_below(seen, settings)) {
    guard.warned = false;
    tell_load(EventCode::kLimitCleared, seen);
  }
  if (!over || guard.warned || !past(guard.over, settings.limit_ms)) return Trip::kNone;
  switch (settings.limit_action) {
    case LimitAction::kWarn:
      guard.warned = true;
      tell_load(EventCode::kLimitExceeded, seen);
      return Trip::kNone;
    case LimitAction::kShed:
      forget_times(guard);
      tell(EventCode::kShed, seen, Cause::kShed);
      put_small(1);
      put_ma(seen.current_ma);
      put_w(seen.power_w);
      end_event();
      shed = true;
      return Trip::kNone;
    case LimitAction::kTrip:
      break;
  }
  return over_current ? Trip::kOvercurrent : Trip::kOverpower;
}

#if LOADCENTER_DIAGNOSTICS
void note_drawing(Guard& guard, bool drawing) {
  guard.drew = guard.drew || drawing;
  guard.drew_now = guard.drew_now || drawing;
}
#else
void note_drawing(Guard&, bool) {}
#endif

Trip watch_closed(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, bool& shed) {
  note_drawing(guard, seen.current_ma > kCarriesMa);
  guard.stuck = 0;
  guard.welded = false;
  run(guard.quiet, seen.current_ma < kQuietMa);
  guard.picked_up = seen.current_ma > settings.curve_ma;
  // The step that first sees it counts as well: the current has flowed for about a step of the cycle it is
  // measured over.
  if ((guard.picked_up || guard.curve != 0) &&
      advance(guard.curve, seen.current_ma, settings.curve, settings.curve_ma, settings.curve_tms_permille)) {
    return Trip::kInverseTime;
  }
  if (guard.heat_ppm >= kThermalTripPpm) return Trip::kThermal;
  return limit(guard, seen, settings, shed);
}

Trip watch_open(Guard& guard, const OutletSeen& seen, const OutletSettings& settings, Cause cause) {
  forget_times(guard);
  if (guard.curve != 0) {
    advance(guard.curve, 0, settings.curve, settings.curve_ma, settings.curve_tms_permille);
  }
  run(guard.stuck, seen.current_ma > kCarriesMa);
  if (guard.stuck == 0) return Trip::kNone;
  const bool must_be_open = seen.latched != Trip::kNone || seen.current_ma > kOutletRatingMa;
  if (must_be_open && seen.latched != Trip::kBreakerFailure &&
      past(guard.stuck, static_cast<uint16_t>(kFailedMs))) {
    guard.welded = true;
    return Trip::kBreakerFailure;
  }
  if (guard.welded || !past(guard.stuck, static_cast<uint16_t>(kWeldedMs))) return Trip::kNone;
  guard.welded = true;
  tell(EventCode::kRelayWelded, seen, cause);
  put_ma(seen.current_ma);
  end_event();
  return Trip::kNone;
}

}  // namespace

uint8_t Guard::heat_stage() const {
  uint8_t stage = 0;
  for (int32_t left = heat_ppm; left >= kThermalTripPpm / 4 && stage < 4; left -= kThermalTripPpm / 4)
    ++stage;
  return stage;
}

Trip watch(Guard& guard, const OutletSeen& seen, Cause cause, bool& shed) {
  const Inputs& inputs = *step_now.inputs;
  const OutletSettings& settings = settings_of(seen.index);
  const OutletMask own = static_cast<OutletMask>(1U << seen.index);
  note_sensor(guard, seen, (inputs.sensor_fault & own) != 0);
  run(guard.mask, guard.mask != 0);
  if (past(guard.mask, static_cast<uint16_t>(kMaskGapMs))) guard.mask = 0;
  if ((inputs.acted.masked & own) != 0) guard.mask = 1;
  if (seen.closed && (inputs.acted.tripped & own) != 0) {
    forget_times(guard);
    return Trip::kInstantaneous;
  }
  if (guard.faulty) {  // nothing is known of its current: times go on
    run(guard.quiet, guard.quiet != 0);
    run(guard.stuck, guard.stuck != 0);
    return Trip::kNone;
  }
  if (!seen.closed) return watch_open(guard, seen, settings, cause);
  const Trip trip = watch_closed(guard, seen, settings, shed);
  if (trip != Trip::kNone) forget_times(guard);
  return trip;
}

bool in_overcurrent(const Guard& guard, const OutletSettings& settings) {
  return guard.picked_up || (guard.over != 0 && settings.limit_action == LimitAction::kTrip);
}

void note_closing(Guard& guard) {
  guard.mask = 1;
  guard.quiet = 0;
  guard.stuck = 0;
#if LOADCENTER_DIAGNOSTICS
  guard.drew_now = false;
#endif
}

#if LOADCENTER_DIAGNOSTICS
bool note_opening(Guard& guard, bool counts) {
  if (guard.drew_now) {
    guard.barren = 0;
    return false;
  }
  if (!counts || !guard.drew || guard.faulty || guard.barren > kBarrenClosings) return false;
  ++guard.barren;
  return guard.barren == kBarrenClosings;
}
#else
bool note_opening(Guard&, bool) { return false; }
#endif

void warm(Guard& guard, uint16_t current_ma, uint8_t seconds) {
  uint16_t ratio = kThermalRatioMost;
  const uint32_t wanted = static_cast<uint32_t>(current_ma) * 1000 / static_cast<uint32_t>(kThermalTripMa);
  if (wanted < ratio) ratio = static_cast<uint16_t>(wanted);
  const int32_t total = (static_cast<int32_t>(ratio) * ratio - guard.heat_ppm) * seconds + guard.heat_rest;
  // Lifted above 0, so that it is rounded down also where it falls and the rest is never lost.
  constexpr int32_t kLift = 1000000;
  const uint32_t lifted = static_cast<uint32_t>(total + kLift * kTauS);
  guard.heat_ppm += static_cast<int32_t>(lifted / kTauS) - kLift;
  guard.heat_rest = static_cast<uint16_t>(lifted % kTauS);
}

}  // namespace loadcenter
