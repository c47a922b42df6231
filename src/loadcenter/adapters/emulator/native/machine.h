/* An emulated AVR and all that the harness keeps of it; shared by the files that make it up. */
#ifndef LOADCENTER_MACHINE_H
#define LOADCENTER_MACHINE_H

#include <simavr/avr_adc.h>
#include <simavr/avr_eeprom.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_interrupts.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"

enum {
  GPIOR0 = 0x3E, /* data address, the same on both chips; GPIOR1 and 2 follow at 0x4A */
  GPIOR1 = 0x4A,
  PORF = 1,
  EXTRF = 2,
  BORF = 4, /* bits of MCUSR */
};

typedef struct {
  uint64_t at;
  uint32_t address;
  uint32_t bit;
} flip_t;
typedef struct {
  uint64_t at;
  double mv;
} supply_t; /* linear between the points */
typedef struct {
  bool used;
  char port;
  int bit;
  bool active_high;
} pin_t;

typedef struct {
  avr_t* avr;
  elf_firmware_t firmware;
  world_t world;
  channel_t channels[CHANNELS];
  pin_t pins[RELAYS];
  pin_t live_pin;
  uint64_t live_hold;
  bool live;

  avr_adc_t* adc;
  avr_uart_t* uart;
  avr_eeprom_t* eeprom;
  int timer_vector, adc_vector;
  bool adc_dead, conversion_started;
  uint64_t band_gap; /* settings of the multiplexer that choose it */

  bool due, powered, held, was_reset; /* held: in reset by the brown-out detector */
  uint64_t random;

  uint8_t* rx;
  uint32_t rx_count, rx_taken, rx_room;
  uint64_t rx_next, rx_byte;
  uint8_t* tx;
  uint64_t* tx_at;
  uint32_t tx_count, tx_room;

  uint64_t write_ends;
  uint16_t write_address;
  uint8_t write_before;
  avr_io_write_t eecr_write;
  void* eecr_param;

  flip_t* flips;
  int flip_count, flip_room;
  supply_t* supply;
  int supply_count, supply_room;
  double lowest_mv;

  void (*core_reset)(struct avr_t*);
  uint16_t watched; /* address, 0 for none */
  uint8_t watched_value;
  uint64_t isr_started[VECTORS], scan_started, scan_grid;
  stats_t stats;
} emu_t;

/* peripherals.c */
void peripherals_hook(emu_t* emu);
void read_pins(emu_t* emu);
void release_pins(emu_t* emu);
void set_live(emu_t* emu);
void stop_conversion(emu_t* emu);
void receive(emu_t* emu);
void raise_receiver(emu_t* emu);
void end_write(emu_t* emu);
void cut_write(emu_t* emu);

/* machine.c */
void machine_hook(emu_t* emu);
void restart(emu_t* emu, uint8_t cause);
void forget_ram(emu_t* emu);
void hang(emu_t* emu, bool interrupts_off);
uint32_t hang_address(const emu_t* emu);

static inline emu_t* of(avr_t* avr) { return avr->custom.data; }

static inline void* grown(void* block, int* room, size_t size) {
  *room = *room ? 2 * *room : 64;
  block = realloc(block, (size_t)*room * size);
  if (!block) abort();
  return block;
}

static inline void* module(avr_t* avr, const char* kind, char name, size_t name_at) {
  for (avr_io_t* io = avr->io_port; io; io = io->next)
    if (!strcmp(io->kind, kind) && (!name || ((char*)io)[name_at] == name)) return io;
  return NULL;
}

#endif
