/* The unit on the bench: an emulated AVR (machine.c), its relays (relays.c), and the mains and loads around
 * them (world.c). Time is in cycles of the 16 MHz clock, everywhere. Structures marked "shared" have a mirror
 * in native.py. */
#ifndef LOADCENTER_EMULATOR_H
#define LOADCENTER_EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

enum {
  CLOCK_HZ = 16000000,
  SOURCES = 2,
  OUTLETS = 8,
  LOADS = 6, /* in parallel behind one outlet */
  HARMONICS = 6,
  CHANNELS = 16,
  RELAYS = 3 + OUTLETS,
  MOVES = 32, /* of one contact: a bounce has at most some ten */
  VECTORS = 64,
};

/* Relay numbers: the changeover, or the main relay of a source pair; the backup relay of a pair; the
 * isolator; outlets. */
enum { RELAY_CHANGEOVER = 0, RELAY_BACKUP = 1, RELAY_ISOLATOR = 2, RELAY_OUTLET = 3 };

enum event_kind {
  EVENT_PIN = 1,     /* relay, driven */
  EVENT_CONTACT,     /* relay, state (changeover: 0 main, 1 backup, -1 between) */
  EVENT_LIVE,        /* outlet, carries voltage of a live source */
  EVENT_BOTH,        /* -, both sources connected to each other */
  EVENT_BUS,         /* -, connected source, -1 none, 2 both */
  EVENT_RESET,       /* reset cause as in MCUSR */
  EVENT_PROBE,       /* number of GPIOR, value written */
  EVENT_EEPROM,      /* address, value */
  EVENT_EEPROM_BUSY, /* address: an access while a write was under way */
  EVENT_EEPROM_CUT,  /* address, value left by a write that power ended */
  EVENT_OVERRUN,     /* byte that the receiver lost */
  EVENT_CRASH,       /* 1 asleep for ever, program counter */
  EVENT_INPUT,       /* -, bus-live input */
  EVENT_WATCH,       /* watched address, its new value */
};

typedef struct {
  uint64_t cycle;
  int32_t kind, index, value;
  int32_t spare;
} event_t; /* shared */

typedef struct {
  double order, ratio, phase;
} harmonic_t; /* shared */

/* amplitude x (sin + harmonics), or amplitude x samples; t counts from the start of the segment. Shared. */
typedef struct {
  double amplitude, frequency_hz, phase, dc;
  double ramp_hz_per_s, decay_s, modulation, modulation_hz;
  double notch_depth, notch_phase, notch_s;
  harmonic_t harmonics[HARMONICS];
  int32_t harmonic_count, continues; /* continues: `phase` adds to that of the segment before */
  const float* samples;
  int64_t sample_count, loop_from; /* loop_from < 0: silence after the last sample */
  double sample_rate_hz;
} wave_t;

enum load_kind { LOAD_IMPEDANCE = 0, LOAD_RECTIFIER = 1, LOAD_WAVE = 2 };

/* Shared. A load takes current from `from` to `until` while it has voltage. */
typedef struct {
  int32_t kind, from_start; /* from_start: the wave begins when voltage comes, else at `from` */
  uint64_t from, until;
  double ohm, henry, start_factor, start_hold_s,
      start_tau_s; /* impedance divided by the factor while it starts */
  double farad, watt, drop_v;
  wave_t wave;
} load_t;

typedef struct {
  uint64_t operate, release, bounce;
  int32_t welded, stuck_open, normally_closed, throw_welded;
} relay_t; /* shared */

enum quantity { NOTHING = 0, OUTLET_CURRENT = 1, SOURCE_VOLTAGE = 2 };

/* Shared. volts at the pin = zero_ratio x AVCC + quantity x volt_per_unit [x AVCC / 5 V]. stuck_v < 0: not
 * stuck. */
typedef struct {
  int32_t quantity, index, ratiometric, spike_per_million;
  double volt_per_unit, zero_ratio, noise_lsb, stuck_v, low_v, high_v;
} channel_t;

typedef struct {
  uint64_t cycles;
  double v2[SOURCES], i2[OUTLETS], vi[OUTLETS], peak_a[OUTLETS];
} truth_t; /* shared */

typedef struct {
  uint64_t cycles, slept, isr_cycles, isr_longest[VECTORS], isr_total[VECTORS], isr_count[VECTORS];
  uint64_t scans, scan_longest,
      scan_late_longest; /* from the timer's interrupt to the end of the last conversion's */
  uint64_t eeprom_writes, overruns, crashes, violations, both_cycles;
  uint32_t lowest_sp, spare;
} stats_t; /* shared */

typedef struct {
  uint64_t at;
  int32_t state;
} move_t;

typedef struct {
  relay_t relay;
  bool changeover, driven;
  int32_t state;
  move_t moves[MOVES];
  int move_count;
} contact_t;

typedef struct {
  uint64_t start;
  wave_t wave;
} segment_t;

typedef struct {
  segment_t* segments;
  int count, room, current;
  double ohm; /* behind the terminals */
  double open_v, terminal_v;
} source_t;

typedef struct {
  load_t load;
  double current_a, last_v, charge_v;
  double ran_s; /* how far it is from a cold start: it cools as fast as it warms */
  uint64_t energised;
  bool used;
} plugged_t;

typedef struct {
  plugged_t loads[LOADS];
  double current_a;
  uint64_t energised;
  bool live;
} outlet_t;

typedef struct {
  uint64_t now;
  bool pair;
  source_t source[SOURCES];
  contact_t relays[RELAYS];
  outlet_t outlets[OUTLETS];
  int bus; /* -1, a source, or SOURCES for both */
  double bus_v;
  uint64_t bus_seen,
      live_seen; /* last time above a touchable voltage, and above that of the bus-live input */
  double live_threshold_v;
  truth_t truth;
  uint64_t both_cycles, violations;
  bool both;
  event_t* events;
  uint32_t event_count, event_room;
  float* traces[SOURCES];
  uint32_t trace_count[SOURCES], trace_room[SOURCES];
  uint64_t trace_period, trace_next; /* no trace while the period is 0 */
  uint64_t random;
} world_t;

void world_init(world_t* world, uint64_t seed);
void world_free(world_t* world);
void world_advance(world_t* world, uint64_t to);
void world_log(world_t* world, uint64_t cycle, int kind, int index, int value);
void world_drive(world_t* world, int relay, bool on);
double world_quantity(const world_t* world, const channel_t* channel);
int world_add_segment(world_t* world, int source, uint64_t start, const wave_t* wave);
int world_add_load(world_t* world, int outlet, const load_t* load);
void world_remove_load(world_t* world, int outlet, int number);
uint64_t random_next(uint64_t* state);
double random_unit(uint64_t* state);
double random_normal(uint64_t* state);

bool contact_closed(const contact_t* contact);
int contact_throw(const contact_t* contact);
void contact_drive(contact_t* contact, bool on, uint64_t now, uint64_t* random);
bool contact_move(contact_t* contact, uint64_t now);
uint64_t contact_next(const contact_t* contact);

#endif
