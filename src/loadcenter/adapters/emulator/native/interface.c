/* What Python calls (native.py has the list). */
#include <stdarg.h>

#include "machine.h"

enum {
  DATA_ROOM = 0x10100,
  FAR_ROOM = 0x1010000
}; /* 16 and 24 bits of address, and what is read beside it */

static void keep_quiet(avr_t* avr, const int level, const char* format, va_list arguments) {
  (void)avr, (void)level, (void)format, (void)arguments;
}

/* A program gone astray reaches whatever its pointers say: as far as they can point there is memory. */
static uint8_t* roomy(uint8_t* memory, size_t used, size_t room) {
  uint8_t* larger = calloc(room, 1);
  if (!larger) abort();
  memcpy(larger, memory, used);
  free(memory);
  return larger;
}

static void set_up_memory(emu_t* emu) {
  avr_t* avr = emu->avr;
  avr->data = roomy(avr->data, avr->ramend + 1u, DATA_ROOM);
  avr->flash = roomy(avr->flash, avr->flashend + 4u, avr->rampz ? FAR_ROOM : DATA_ROOM);
  const uint32_t at = hang_address(emu);
  avr->flash[at] = 0xFF; /* rjmp . */
  avr->flash[at + 1] = 0xCF;
  avr->frequency = CLOCK_HZ;
  avr->vcc = avr->avcc = avr->aref = 5000;
  forget_ram(emu);
}

void emu_free(emu_t* emu) {
  if (!emu) return;
  if (emu->avr) {
    avr_terminate(emu->avr);
    free(emu->avr);
  }
  world_free(&emu->world);
  free(emu->rx), free(emu->tx), free(emu->tx_at), free(emu->flips), free(emu->supply);
  free(emu->firmware.flash), free(emu->firmware.eeprom);
  for (uint32_t i = 0; i < emu->firmware.symbolcount; i++) free(emu->firmware.symbol[i]);
  free(emu->firmware.symbol);
  free(emu);
}

/* Returns NULL if the chip or the file cannot be used. */
emu_t* emu_new(const char* elf, const char* chip, uint64_t seed) {
  avr_global_logger_set(keep_quiet);
  emu_t* emu = calloc(1, sizeof *emu);
  if (!emu) abort();
  world_init(&emu->world, seed);
  emu->random = seed ^ 0x5DEECE66Du;
  emu->avr = avr_make_mcu_by_name(chip);
  if (!emu->avr || elf_read_firmware(elf, &emu->firmware) || !emu->firmware.flashsize) {
    emu_free(emu);
    return NULL;
  }
  avr_init(emu->avr);
  emu->avr->custom.data = emu;
  avr_load_firmware(emu->avr, &emu->firmware);
  emu->adc = module(emu->avr, "adc", 0, 0);
  emu->uart = module(emu->avr, "uart", '0', offsetof(avr_uart_t, name));
  emu->eeprom = module(emu->avr, "eeprom", 0, 0);
  emu->adc_vector = emu->adc->adc.vector;
  emu->timer_vector = strcmp(chip, "atmega2560") ? 11 : 17; /* TIMER1_COMPA */
  emu->powered = true;
  emu->live_hold = CLOCK_HZ / 1000 * 12;
  for (int i = 0; i < CHANNELS; i++)
    emu->channels[i] = (channel_t){.zero_ratio = 0.5, .stuck_v = -1.0, .high_v = 5.0};
  emu->stats.lowest_sp = emu->avr->ramend;
  peripherals_hook(emu);
  machine_hook(emu);
  set_up_memory(emu);
  restart(emu, PORF);
  return emu;
}

void emu_pair(emu_t* emu, int pair) {
  emu->world.pair = pair;
  emu->world.relays[RELAY_CHANGEOVER].changeover = !pair;
}

void emu_pin(emu_t* emu, int relay, char port, int bit, int active_high) {
  emu->pins[relay] = (pin_t){true, port, bit, active_high != 0};
  read_pins(emu);
}

void emu_live_input(emu_t* emu, char port, int bit, int active_high, uint64_t hold, double threshold_v) {
  emu->live_pin = (pin_t){true, port, bit, active_high != 0};
  emu->live_hold = hold;
  emu->world.live_threshold_v = threshold_v;
  set_live(emu);
}

void emu_relay(emu_t* emu, int number, const relay_t* relay) {
  contact_t* contact = &emu->world.relays[number];
  const bool rests = !contact->driven && !contact->move_count && !contact->changeover;
  contact->relay = *relay;
  if (rests) contact->state = relay->normally_closed;
}

void emu_channel(emu_t* emu, int number, const channel_t* channel) { emu->channels[number] = *channel; }
int emu_segment(emu_t* emu, int source, uint64_t start, const wave_t* wave) {
  return world_add_segment(&emu->world, source, start, wave);
}
void emu_source_ohm(emu_t* emu, int source, double ohm) { emu->world.source[source].ohm = ohm; }
int emu_add_load(emu_t* emu, int outlet, const load_t* load) {
  return world_add_load(&emu->world, outlet, load);
}
void emu_remove_load(emu_t* emu, int outlet, int number) { world_remove_load(&emu->world, outlet, number); }

/* Points in order of time; the supply holds the first before and the last behind them. */
void emu_supply(emu_t* emu, uint64_t at, double mv) {
  if (emu->supply_count == emu->supply_room)
    emu->supply = grown(emu->supply, &emu->supply_room, sizeof *emu->supply);
  emu->supply[emu->supply_count++] = (supply_t){at, mv};
}

void emu_adc_dead(emu_t* emu, int dead) {
  emu->adc_dead = dead != 0;
  if (dead) stop_conversion(emu);
}

uint64_t emu_cycle(const emu_t* emu) { return emu->avr->cycle; }
void emu_external_reset(emu_t* emu) { restart(emu, EXTRF); }

void emu_power_off(emu_t* emu) {
  if (!emu->powered) return;
  cut_write(emu);
  release_pins(emu);
  emu->powered = false;
}

void emu_power_on(emu_t* emu) {
  if (emu->powered) return;
  emu->powered = true;
  forget_ram(emu);
  restart(emu, PORF);
}

/* Logs each change of a byte of RAM; 0 ends it. */
void emu_watch(emu_t* emu, uint32_t address) {
  emu->watched = (uint16_t)address;
  emu->watched_value = emu->avr->data[address];
}

void emu_hang(emu_t* emu, int interrupts_off) { hang(emu, interrupts_off != 0); }

void emu_flip(emu_t* emu, uint64_t at, uint32_t address, uint32_t bit) {
  if (emu->flip_count == emu->flip_room) emu->flips = grown(emu->flips, &emu->flip_room, sizeof *emu->flips);
  emu->flips[emu->flip_count++] = (flip_t){at, address, bit};
}

/* Appends to what is still to come; the first byte is whole one byte time after the start of the line. */
void emu_send(emu_t* emu, const uint8_t* bytes, uint32_t count, uint64_t byte_cycles) {
  if (!count) return;
  if (!emu->rx_count) emu->rx_next = emu->avr->cycle + byte_cycles;
  emu->rx_byte = byte_cycles;
  while (emu->rx_count + count > emu->rx_room) {
    int room = (int)emu->rx_room;
    emu->rx = grown(emu->rx, &room, 1);
    emu->rx_room = (uint32_t)room;
  }
  memcpy(emu->rx + emu->rx_count, bytes, count);
  emu->rx_count += count;
}

uint32_t emu_unsent(const emu_t* emu) { return emu->rx_count - emu->rx_taken; }
uint32_t emu_output(const emu_t* emu, const uint8_t** bytes, const uint64_t** at) {
  *bytes = emu->tx;
  *at = emu->tx_at;
  return emu->tx_count;
}
void emu_clear_output(emu_t* emu) { emu->tx_count = 0; }
uint32_t emu_events(const emu_t* emu, const event_t** events) {
  *events = emu->world.events;
  return emu->world.event_count;
}
/* Keeps the voltage of each source every `period` cycles from now on; 0 ends it. What was kept before is
 * dropped. */
void emu_trace(emu_t* emu, uint64_t period) {
  world_advance(&emu->world, emu->avr->cycle);
  emu->world.trace_period = period;
  emu->world.trace_next = emu->world.now + period;
  for (int s = 0; s < SOURCES; s++) emu->world.trace_count[s] = 0;
}
uint32_t emu_traced(const emu_t* emu, int source, const float** volts) {
  *volts = emu->world.traces[source];
  return emu->world.trace_count[source];
}

void emu_clear_events(emu_t* emu) { emu->world.event_count = 0; }

uint32_t emu_eeprom_size(const emu_t* emu) { return emu->eeprom->size; }
uint8_t* emu_eeprom(const emu_t* emu) { return emu->eeprom->eeprom; }
uint8_t* emu_data(const emu_t* emu) { return emu->avr->data; }
uint32_t emu_ram_end(const emu_t* emu) { return emu->avr->ramend; }
uint32_t emu_ram_start(const emu_t* emu) { return emu->avr->ioend + 1u; }
uint32_t emu_pc(const emu_t* emu) { return emu->avr->pc; }
double emu_bus_v(const emu_t* emu) { return emu->world.bus_v; }
double emu_source_v(const emu_t* emu, int source) { return emu->world.source[source].terminal_v; }
double emu_current_a(const emu_t* emu, int outlet) { return emu->world.outlets[outlet].current_a; }
int emu_closed(const emu_t* emu, int relay) {
  const contact_t* contact = &emu->world.relays[relay];
  return contact->changeover ? contact_throw(contact) : contact_closed(contact);
}
int emu_driven(const emu_t* emu, int relay) { return emu->world.relays[relay].driven; }

/* Returns the address of a symbol (data from 0x800000, as avr-nm has it), or -1. */
int64_t emu_symbol(const emu_t* emu, const char* name) {
  for (uint32_t i = 0; i < emu->firmware.symbolcount; i++)
    if (!strcmp(emu->firmware.symbol[i]->symbol, name)) return emu->firmware.symbol[i]->addr;
  return -1;
}

void emu_stats(emu_t* emu, stats_t* stats, int clear) {
  emu->stats.violations = emu->world.violations;
  emu->stats.both_cycles = emu->world.both_cycles;
  *stats = emu->stats;
  if (!clear) return;
  emu->stats = (stats_t){.lowest_sp = emu->avr->ramend};
  emu->scan_started = 0;
}

void emu_truth(emu_t* emu, truth_t* truth, int clear) {
  world_advance(&emu->world, emu->avr->cycle);
  *truth = emu->world.truth;
  if (clear) emu->world.truth = (truth_t){0};
}
