/* Mains, loads and what flows between them, in steps of at most 25 us. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"

enum { STEP = CLOCK_HZ / 1000000 * 25, HELD = CLOCK_HZ / 1000 * 12 };

static const double TOUCHABLE_V = 20.0; /* instantaneous, to call a conductor live */
static const double RECTIFIER_RUNS_V = 60.0;

uint64_t random_next(uint64_t* state) {
  uint64_t x = *state += 0x9E3779B97F4A7C15u; /* splitmix64 */
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

double random_unit(uint64_t* state) { return (double)(random_next(state) >> 11) / 9007199254740992.0; }

double random_normal(uint64_t* state) {
  const double radius = sqrt(-2.0 * log(1.0 - random_unit(state)));
  return radius * cos(2.0 * M_PI * random_unit(state));
}

void world_log(world_t* world, uint64_t cycle, int kind, int index, int value) {
  if (world->event_count == world->event_room) {
    world->event_room = world->event_room ? 2 * world->event_room : 1024;
    world->events = realloc(world->events, world->event_room * sizeof(event_t));
    if (!world->events) abort();
  }
  world->events[world->event_count++] = (event_t){cycle, kind, index, value, 0};
}

void world_init(world_t* world, uint64_t seed) {
  memset(world, 0, sizeof *world);
  world->random = seed;
  world->bus = -1;
  world->live_threshold_v = 130.0;
  for (int i = 0; i < RELAYS; i++) world->relays[i].relay.throw_welded = -1;
  world->relays[RELAY_CHANGEOVER].changeover = true;
}

static void forget_samples(wave_t* wave) { free((void*)wave->samples); }

void world_free(world_t* world) {
  for (int s = 0; s < SOURCES; s++) {
    for (int i = 0; i < world->source[s].count; i++) forget_samples(&world->source[s].segments[i].wave);
    free(world->source[s].segments);
    free(world->traces[s]);
  }
  for (int o = 0; o < OUTLETS; o++)
    for (int i = 0; i < LOADS; i++) forget_samples(&world->outlets[o].loads[i].load.wave);
  free(world->events);
}

static void keep_samples(wave_t* wave) {
  if (!wave->samples) return;
  const size_t size = (size_t)wave->sample_count * sizeof(float);
  float* copy = malloc(size);
  if (!copy) abort();
  wave->samples = memcpy(copy, wave->samples, size);
}

static double theta(const wave_t* wave, double t) {
  return wave->phase + 2.0 * M_PI * (wave->frequency_hz + 0.5 * wave->ramp_hz_per_s * t) * t;
}

static double sampled(const wave_t* wave, double t) {
  double at = t * wave->sample_rate_hz;
  const double last = (double)(wave->sample_count - 1);
  if (at > last) {
    if (wave->loop_from < 0) return 0.0;
    const double from = (double)wave->loop_from;
    at = from + fmod(at - from, last - from);
  }
  const int64_t i = (int64_t)at;
  if (i + 1 >= wave->sample_count) return wave->samples[wave->sample_count - 1];
  const double part = at - (double)i;
  return wave->samples[i] * (1.0 - part) + wave->samples[i + 1] * part;
}

static double notched(const wave_t* wave, double angle, double value) {
  double into = fmod(angle - wave->notch_phase, M_PI);
  if (into < 0) into += M_PI;
  return into < wave->notch_s * 2.0 * M_PI * wave->frequency_hz ? value * (1.0 - wave->notch_depth) : value;
}

static double wave_value(const wave_t* wave, double t) {
  if (wave->amplitude == 0.0) return wave->dc;
  if (wave->samples) return wave->amplitude * sampled(wave, t) + wave->dc;
  const double angle = theta(wave, t);
  double value = sin(angle);
  for (int i = 0; i < wave->harmonic_count; i++) {
    const harmonic_t* h = &wave->harmonics[i];
    value += h->ratio * sin(h->order * angle + h->phase);
  }
  if (wave->notch_s > 0.0) value = notched(wave, angle, value);
  double envelope = wave->amplitude;
  if (wave->decay_s > 0.0) envelope *= exp(-t / wave->decay_s);
  if (wave->modulation != 0.0) envelope *= 1.0 + wave->modulation * sin(2.0 * M_PI * wave->modulation_hz * t);
  return envelope * value + wave->dc;
}

/* What is past is forgotten: whoever lets a unit run for days adds some for as long. */
static void forget_past(source_t* source) {
  if (source->current == 0) return;
  for (int i = 0; i < source->current; i++) forget_samples(&source->segments[i].wave);
  source->count -= source->current;
  memmove(source->segments, source->segments + source->current, (size_t)source->count * sizeof(segment_t));
  source->current = 0;
}

int world_add_segment(world_t* world, int number, uint64_t start, const wave_t* wave) {
  source_t* source = &world->source[number];
  if (source->count && source->segments[source->count - 1].start > start) return -1;
  if (source->count == source->room) forget_past(source);
  if (source->count == source->room) {
    source->room = source->room ? 2 * source->room : 16;
    source->segments = realloc(source->segments, (size_t)source->room * sizeof(segment_t));
    if (!source->segments) abort();
  }
  segment_t* added = &source->segments[source->count];
  *added = (segment_t){start, *wave};
  keep_samples(&added->wave);
  if (wave->continues && source->count) {
    const segment_t* before = added - 1;
    added->wave.phase += theta(&before->wave, (double)(start - before->start) / CLOCK_HZ);
  }
  source->count++;
  return 0;
}

static double source_value(source_t* source, uint64_t now) {
  while (source->current + 1 < source->count && source->segments[source->current + 1].start <= now)
    source->current++;
  if (!source->count || source->segments[source->current].start > now) return 0.0;
  const segment_t* segment = &source->segments[source->current];
  return wave_value(&segment->wave, (double)(now - segment->start) / CLOCK_HZ);
}

int world_add_load(world_t* world, int outlet, const load_t* load) {
  for (int i = 0; i < LOADS; i++) {
    plugged_t* plugged = &world->outlets[outlet].loads[i];
    if (plugged->used) continue;
    *plugged = (plugged_t){.load = *load, .used = true};
    keep_samples(&plugged->load.wave);
    return i;
  }
  return -1;
}

void world_remove_load(world_t* world, int outlet, int number) {
  plugged_t* plugged = &world->outlets[outlet].loads[number];
  forget_samples(&plugged->load.wave);
  *plugged = (plugged_t){.used = false};
}

static double start_factor(const load_t* load, double ran_s) {
  if (load->start_factor <= 1.0) return 1.0;
  const double after_s = ran_s - load->start_hold_s;
  if (after_s <= 0.0) return load->start_factor;
  if (load->start_tau_s <= 0.0) return 1.0;
  return 1.0 + (load->start_factor - 1.0) * exp(-after_s / load->start_tau_s);
}

static bool takes(const plugged_t* plugged, uint64_t now) {
  return plugged->used && now >= plugged->load.from && now < plugged->load.until;
}

static double step_impedance(plugged_t* plugged, double v, double dt) {
  const load_t* load = &plugged->load;
  const double factor = start_factor(load, plugged->ran_s);
  const double ohm = load->ohm / factor, henry = load->henry / factor;
  if (henry == 0.0) return v / ohm;
  const double rate = henry / dt; /* trapezoidal rule */
  return ((rate - 0.5 * ohm) * plugged->current_a + 0.5 * (v + plugged->last_v)) / (rate + 0.5 * ohm);
}

static double step_rectifier(plugged_t* plugged, double v, double dt) {
  const load_t* load = &plugged->load;
  const double over = fabs(v) - plugged->charge_v - load->drop_v;
  const double into_a = over > 0.0 ? over / load->ohm : 0.0;
  const double out_a = plugged->charge_v > RECTIFIER_RUNS_V ? load->watt / plugged->charge_v : 0.0;
  plugged->charge_v = fmax(0.0, plugged->charge_v + dt * (into_a - out_a) / load->farad);
  return v < 0.0 ? -into_a : into_a;
}

/* Advances one load by dt under v; `on` is false behind an open contact. */
static double step_load(plugged_t* plugged, bool on, double v, double dt, uint64_t now) {
  const load_t* load = &plugged->load;
  if (!plugged->used) return 0.0;
  if (!on || !takes(plugged, now)) {
    plugged->energised = 0;
    plugged->current_a = plugged->last_v = 0.0;
    plugged->ran_s = fmax(0.0, plugged->ran_s - dt);
    if (load->kind == LOAD_RECTIFIER) step_rectifier(plugged, 0.0, dt);
    return 0.0;
  }
  if (!plugged->energised) plugged->energised = now;
  const double since_s = (double)(now - plugged->energised) / CLOCK_HZ;
  plugged->ran_s = fmin(plugged->ran_s + dt, load->start_hold_s + fmax(5.0 * load->start_tau_s, 0.001));
  switch (load->kind) {
    case LOAD_IMPEDANCE:
      plugged->current_a = step_impedance(plugged, v, dt);
      break;
    case LOAD_RECTIFIER:
      plugged->current_a = step_rectifier(plugged, v, dt);
      break;
    default:
      plugged->current_a =
          wave_value(&load->wave, load->from_start ? since_s : (double)(now - load->from) / CLOCK_HZ);
  }
  plugged->last_v = v;
  return plugged->current_a;
}

static bool outlet_on(const world_t* world, int outlet) {
  return world->bus >= 0 && contact_closed(&world->relays[RELAY_OUTLET + outlet]);
}

/* Terminal voltage of the connected source: resistive loads are solved with it, the others by their last
 * current. */
static double bus_voltage(const world_t* world, double open_v, double ohm) {
  if (ohm == 0.0) return open_v;
  double conductance = 0.0, current = 0.0;
  for (int o = 0; o < OUTLETS; o++) {
    if (!outlet_on(world, o)) continue;
    for (int i = 0; i < LOADS; i++) {
      const plugged_t* plugged = &world->outlets[o].loads[i];
      if (!takes(plugged, world->now)) continue;
      if (plugged->load.kind == LOAD_IMPEDANCE && plugged->load.henry == 0.0)
        conductance += 1.0 / plugged->load.ohm;
      else
        current += plugged->current_a;
    }
  }
  return (open_v - ohm * current) / (1.0 + ohm * conductance);
}

static void connect(world_t* world) {
  const contact_t* relays = world->relays;
  int sources = -1;
  bool both = false;
  if (world->pair) {
    const bool main = contact_closed(&relays[RELAY_CHANGEOVER]),
               backup = contact_closed(&relays[RELAY_BACKUP]);
    both = main && backup;
    sources = both ? SOURCES : main ? 0 : backup ? 1 : -1;
  } else {
    sources = contact_throw(&relays[RELAY_CHANGEOVER]);
  }
  if (both != world->both) {
    world->both = both;
    world->violations += both;
    world_log(world, world->now, EVENT_BOTH, 0, both);
  }
  const int bus = contact_closed(&relays[RELAY_ISOLATOR]) ? sources : -1;
  if (bus != world->bus) world_log(world, world->now, EVENT_BUS, 0, bus);
  world->bus = bus;
}

static void move_contacts(world_t* world) {
  for (int i = 0; i < RELAYS; i++) {
    contact_t* contact = &world->relays[i];
    if (contact_move(contact, world->now)) world_log(world, world->now, EVENT_CONTACT, i, contact->state);
  }
  connect(world);
}

void world_drive(world_t* world, int relay, bool on) {
  contact_drive(&world->relays[relay], on, world->now, &world->random);
}

static void update_live(world_t* world) {
  if (fabs(world->bus_v) > TOUCHABLE_V) world->bus_seen = world->now;
  if (fabs(world->bus_v) > world->live_threshold_v) world->live_seen = world->now;
  const bool bus_live = world->bus >= 0 && world->bus_seen && world->now - world->bus_seen < HELD;
  for (int o = 0; o < OUTLETS; o++) {
    const bool live = bus_live && contact_closed(&world->relays[RELAY_OUTLET + o]);
    if (live != world->outlets[o].live) world_log(world, world->now, EVENT_LIVE, o, live);
    world->outlets[o].live = live;
  }
}

static void trace(world_t* world) {
  world->trace_next += world->trace_period;
  for (int s = 0; s < SOURCES; s++) {
    if (world->trace_count[s] == world->trace_room[s]) {
      world->trace_room[s] = world->trace_room[s] ? 2 * world->trace_room[s] : 4096;
      world->traces[s] = realloc(world->traces[s], world->trace_room[s] * sizeof(float));
      if (!world->traces[s]) abort();
    }
    world->traces[s][world->trace_count[s]++] = (float)world->source[s].terminal_v;
  }
}

static void step(world_t* world, uint64_t to) {
  const uint64_t cycles = to - world->now;
  const double dt = (double)cycles / CLOCK_HZ;
  world->now = to;
  for (int s = 0; s < SOURCES; s++) {
    source_t* source = &world->source[s];
    source->open_v = source->terminal_v = source_value(source, to);
  }
  world->bus_v = 0.0;
  if (world->bus == SOURCES) {
    world->bus_v = 0.5 * (world->source[0].open_v + world->source[1].open_v);
    world->both_cycles += cycles;
  } else if (world->bus >= 0) {
    source_t* source = &world->source[world->bus];
    world->bus_v = source->terminal_v = bus_voltage(world, source->open_v, source->ohm);
  }
  for (int s = 0; s < SOURCES; s++)
    world->truth.v2[s] += world->source[s].terminal_v * world->source[s].terminal_v * dt;
  for (int o = 0; o < OUTLETS; o++) {
    outlet_t* outlet = &world->outlets[o];
    const bool on = outlet_on(world, o);
    outlet->current_a = 0.0;
    for (int i = 0; i < LOADS; i++)
      outlet->current_a += step_load(&outlet->loads[i], on, world->bus_v, dt, to);
    world->truth.i2[o] += outlet->current_a * outlet->current_a * dt;
    world->truth.vi[o] += outlet->current_a * world->bus_v * dt;
    world->truth.peak_a[o] = fmax(world->truth.peak_a[o], fabs(outlet->current_a));
  }
  world->truth.cycles += cycles;
  update_live(world);
}

void world_advance(world_t* world, uint64_t to) {
  connect(world); /* a relay may have been welded or freed since */
  while (world->now < to) {
    uint64_t next = world->now + STEP < to ? world->now + STEP : to;
    for (int i = 0; i < RELAYS; i++) {
      const uint64_t move = contact_next(&world->relays[i]);
      if (move > world->now && move < next) next = move;
    }
    if (world->trace_period && world->trace_next > world->now && world->trace_next < next)
      next = world->trace_next;
    step(world, next);
    if (world->trace_period && world->now >= world->trace_next) trace(world);
    move_contacts(world);
  }
}

double world_quantity(const world_t* world, const channel_t* channel) {
  switch (channel->quantity) {
    case OUTLET_CURRENT:
      return world->outlets[channel->index].current_a;
    case SOURCE_VOLTAGE:
      return world->source[channel->index].terminal_v;
    default:
      return 0.0;
  }
}
