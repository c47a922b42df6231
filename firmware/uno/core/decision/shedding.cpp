#include "shedding.hpp"

namespace loadcenter {

namespace {

bool may_shed(const OutletState& outlet, const OutletSettings& settings) {
  return outlet.closed && outlet.shed == Shed::kNot && !settings.protected_ && !outlet.locked &&
         !outlet.guard.faulty;
}

// The outlet of the lowest priority that may be shed and draws current, the last one among equals.
uint8_t first_to_shed(const OutletState* outlets, const int32_t* draws_ma, const Settings& settings) {
  uint8_t found = kNoOutlet;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    const OutletSettings& own = settings.outlet[i];
    const bool lower = found == kNoOutlet || own.priority >= settings.outlet[found].priority;
    if (lower && may_shed(outlets[i], own) && draws_ma[i] > kCarriesMa) found = i;
  }
  return found;
}

bool exceeds_half_more(const Headroom& room) {
  return room.load.current_ma * 2 > room.budget.current_ma * 3 ||
         room.load.power_mw * 2 > room.budget.power_mw * 3;
}

bool due(const SheddingState& state, uint32_t now_ms) {
  if (state.shed.known) return state.shed.past(now_ms, kShedStepMs);
  return state.heavy.past(now_ms, kShedHeavyMs) || state.over.past(now_ms, kShedOverMs);
}

bool rested(const SheddingState& state, const Settings& settings, uint32_t now_ms) {
  if (!state.changed.known) return true;
  uint16_t wait_s = settings.restore_delay_s;
  if (state.restored && settings.min_on_s > wait_s) wait_s = settings.min_on_s;
  return state.changed.past(now_ms, static_cast<uint32_t>(wait_s) * 1000);
}

void end_overload(SheddingState& state) {
  const Moment changed = state.changed;
  const bool restored = state.restored;
  state = SheddingState();
  state.changed = changed;
  state.restored = restored;
}

}  // namespace

bool Headroom::fits(int32_t draw_ma, int32_t draw_mw) const {
  const Load with = {load.current_ma + draw_ma, load.power_mw + draw_mw};
  return !with.exceeds(budget);
}

bool Headroom::fits_well(int32_t draw_ma, int32_t draw_mw) const {
  return load.current_ma + draw_ma + draw_ma / 2 <= budget.current_ma - budget.current_ma / 10 &&
         load.power_mw + draw_mw + draw_mw / 2 <= budget.power_mw - budget.power_mw / 10;
}

void Headroom::put(Journal& journal) const {
  journal.number(load.current_ma).number(budget.current_ma);
  journal.number(load.power_mw).number(budget.power_mw);
}

Load budget_of(const Settings& settings, Source source) {
  const bool main = source == Source::kMain;
  return {main ? settings.budget_main_ma : settings.budget_backup_ma,
          static_cast<int32_t>(main ? settings.budget_main_mw : settings.budget_backup_mw)};
}

Load total_of(const OutletState* outlets, const Inputs& inputs) {
  Load total = {0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (!outlets[i].guard.faulty) {
      total.current_ma += inputs.current_ma[i];
      total.power_mw += inputs.power_mw[i];
    } else if (outlets[i].closed) {
      total.current_ma += outlets[i].draw_ma;
      total.power_mw += outlets[i].draw_mw;
    }
  }
  return total;
}

Load drawn_by(const OutletState* outlets) {
  Load drawn = {0, 0};
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (!outlets[i].closed) continue;
    drawn.current_ma += outlets[i].draw_ma;
    drawn.power_mw += outlets[i].draw_mw;
  }
  return drawn;
}

ShedVerdict judge(SheddingState& state, const Headroom& room, const OutletState* outlets,
                  const int32_t* currents_ma, const Settings& settings, uint32_t now_ms) {
  ShedVerdict verdict = {kNoOutlet, false, false, false};
  if (!room.load.exceeds(room.budget)) {
    verdict.within = state.told;
    if (state.over.known || state.told || state.futile) end_overload(state);
    return verdict;
  }
  state.over.set_first(now_ms);
  const bool heavy = exceeds_half_more(room);
  if (heavy) state.heavy.set_first(now_ms);
  if (!heavy) state.heavy.forget();
  if (state.futile || !due(state, now_ms)) return verdict;
  if (state.shed.known && state.before_ma - room.load.current_ma < state.draw_ma / 2) {
    state.futile = true;
    verdict.futile = true;
    return verdict;
  }
  verdict.shed = first_to_shed(outlets, currents_ma, settings);
  if (verdict.shed == kNoOutlet) {
    verdict.exhausted = !state.told;
    state.told = true;
    return verdict;
  }
  state.shed.set(now_ms);
  state.before_ma = room.load.current_ma;
  state.draw_ma = currents_ma[verdict.shed];
  state.changed.set(now_ms);
  state.restored = false;
  return verdict;
}

OutletMask plan(const OutletState* outlets, const Settings& settings, Source source) {
  Load load = drawn_by(outlets);
  const Load budget = budget_of(settings, source);
  if (!load.exceeds(budget)) return 0;
  int32_t draws_ma[kOutlets];
  for (uint8_t i = 0; i < kOutlets; ++i) draws_ma[i] = outlets[i].closed ? outlets[i].draw_ma : 0;
  OutletMask mask = 0;
  while (load.exceeds(budget)) {
    const uint8_t i = first_to_shed(outlets, draws_ma, settings);
    if (i == kNoOutlet) break;
    load.current_ma -= draws_ma[i];
    load.power_mw -= outlets[i].draw_mw;
    draws_ma[i] = 0;
    mask = static_cast<OutletMask>(mask | 1U << i);
  }
  return mask;
}

uint8_t first_to_restore(const SheddingState& state, const Headroom& room, const OutletState* outlets,
                         const Settings& settings, uint32_t now_ms) {
  uint8_t found = kNoOutlet;
  for (uint8_t i = 0; i < kOutlets; ++i) {
    if (outlets[i].shed != Shed::kBudget) continue;
    if (found == kNoOutlet || settings.outlet[i].priority < settings.outlet[found].priority) found = i;
  }
  if (found == kNoOutlet || state.over.known || !rested(state, settings, now_ms)) return kNoOutlet;
  const OutletState& outlet = outlets[found];
  if (now_ms - outlet.changed_ms < static_cast<uint32_t>(settings.min_off_s) * 1000) return kNoOutlet;
  return room.fits_well(outlet.draw_ma, outlet.draw_mw) ? found : kNoOutlet;
}

}  // namespace loadcenter
