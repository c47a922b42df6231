/* The AVR: libsimavr 1.6 with what it lacks. Where it differs from the chip, this file makes up for it:
 *  - ADC: the value is worked out when a conversion starts, as an exact code (libsimavr scales by 1023 and
 * takes whole millivolts); channels from 8 up are mapped onto the eight that it knows.
 *  - UART: bytes come at the speed of the line into two places, as on the chip; a third that nobody fetched
 * is lost.
 *  - EEPROM: a write takes 3.4 ms (erase or write alone 1.8), during which EEPE reads as set; power ends it
 * midway.
 *  - Reset: causes add up, RAM stays, a power failure leaves nothing of it. A crashed program hangs until the
 * watchdog.
 */
#include <math.h>
#include <simavr/avr_adc.h>
#include <simavr/avr_eeprom.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_interrupts.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"

DEFINE_FIFO(uint16_t, uart_fifo);

enum {
  BURST = 48,                      /* cycles that the core may run between two looks */
  TICK = CLOCK_HZ / 1000000 * 100, /* longest time between two looks at the world */
  WRITE_CYCLES = CLOCK_HZ / 10000 * 34,
  HALF_WRITE_CYCLES = CLOCK_HZ / 10000 * 18,
  FIFO_PLACES = 2,
  SCAN_CYCLES = CLOCK_HZ / 2500, /* 400 us */
  BROWN_OUT_MV = 4300,
  RAM_KEEPS_MV = 1500, /* typical; the data sheet promises nothing */
  GPIOR0 = 0x3E,       /* data address, the same on both chips; GPIOR1 and 2 follow at 0x4A */
  GPIOR1 = 0x4A,
  PORF = 1,
  EXTRF = 2,
  BORF = 4,             /* bits of MCUSR */
  PC_ADDRESS = 0x10000, /* of a flipped bit: the program counter */
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

  bool due, powered, held, was_reset; /* held: in reset by the brown-out detector */
  uint64_t due_at;
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
  uint64_t isr_started[VECTORS], scan_started, scan_grid;
  stats_t stats;
} emu_t;

static emu_t* of(avr_t* avr) { return avr->custom.data; }

static void* grown(void* block, int* room, size_t size) {
  *room = *room ? 2 * *room : 64;
  block = realloc(block, (size_t)*room * size);
  if (!block) abort();
  return block;
}

static void keep_quiet(avr_t* avr, const int level, const char* format, va_list arguments) {
  (void)avr, (void)level, (void)format, (void)arguments;
}

static void* module(avr_t* avr, const char* kind, char name, size_t name_at) {
  for (avr_io_t* io = avr->io_port; io; io = io->next)
    if (!strcmp(io->kind, kind) && (!name || ((char*)io)[name_at] == name)) return io;
  return NULL;
}

/* ---- pins -------------------------------------------------------------------------------------------------
 */

static void drive_pins(emu_t* emu, char port, uint8_t direction, uint8_t value) {
  world_advance(&emu->world, emu->avr->cycle);
  for (int i = 0; i < RELAYS; i++) {
    const pin_t* pin = &emu->pins[i];
    if (!pin->used || pin->port != port) continue;
    /* A pin that is no output leaves its driver pulled to off. */
    const bool output = direction >> pin->bit & 1, high = value >> pin->bit & 1;
    const bool on = output && high == pin->active_high;
    if (on == emu->world.relays[i].driven) continue;
    world_log(&emu->world, emu->avr->cycle, EVENT_PIN, i, on);
    world_drive(&emu->world, i, on);
  }
}

static void read_pins(emu_t* emu) {
  for (avr_io_t* io = emu->avr->io_port; io; io = io->next) {
    if (strcmp(io->kind, "port")) continue;
    const avr_ioport_t* port = (avr_ioport_t*)io;
    drive_pins(emu, port->name, emu->avr->data[port->r_ddr], emu->avr->data[port->r_port]);
  }
}

static void on_port(struct avr_irq_t* irq, uint32_t value, void* param) {
  (void)irq;
  const avr_ioport_t* port = param;
  drive_pins(of(port->io.avr), port->name, port->io.avr->data[port->r_ddr], (uint8_t)value);
}

static void on_direction(struct avr_irq_t* irq, uint32_t value, void* param) {
  (void)irq;
  const avr_ioport_t* port = param;
  drive_pins(of(port->io.avr), port->name, (uint8_t)value, port->io.avr->data[port->r_port]);
}

static void set_live(emu_t* emu) {
  const world_t* world = &emu->world;
  const bool live = world->live_seen && world->now - world->live_seen < emu->live_hold;
  if (live != emu->live) world_log(&emu->world, world->now, EVENT_INPUT, 0, live);
  emu->live = live;
  if (!emu->live_pin.used) return;
  const avr_ioport_t* port = module(emu->avr, "port", emu->live_pin.port, offsetof(avr_ioport_t, name));
  if (!port) return;
  const bool high = live == emu->live_pin.active_high;
  avr_raise_irq(port->io.irq + emu->live_pin.bit, high);
  /* A reset has cleared the register, and the same level is not told twice. */
  uint8_t* pins = &emu->avr->data[port->r_pin];
  *pins = (uint8_t)(high ? *pins | 1 << emu->live_pin.bit : *pins & ~(1 << emu->live_pin.bit));
}

/* ---- ADC --------------------------------------------------------------------------------------------------
 */

static int code_of(emu_t* emu, const channel_t* channel) {
  const double avcc = emu->avr->avcc / 1000.0;
  const double scale = channel->ratiometric ? channel->volt_per_unit * avcc / 5.0 : channel->volt_per_unit;
  double volts = channel->zero_ratio * avcc + scale * world_quantity(&emu->world, channel);
  volts = fmin(fmax(volts, channel->low_v), channel->high_v);
  if (channel->stuck_v >= 0.0) volts = channel->stuck_v;
  double code = volts / avcc * 1024.0;
  if (channel->noise_lsb > 0.0) code += channel->noise_lsb * random_normal(&emu->random);
  if (channel->spike_per_million &&
      random_next(&emu->random) % 1000000 < (uint64_t)channel->spike_per_million)
    return random_next(&emu->random) & 1 ? 1023 : 0;
  return code <= 0.0 ? 0 : code >= 1023.0 ? 1023 : (int)code;
}

static void on_conversion(struct avr_irq_t* irq, uint32_t value, void* param) {
  (void)irq, (void)value;
  emu_t* emu = param;
  avr_adc_t* adc = emu->adc;
  const int mux = avr_regbit_get_array(emu->avr, adc->mux, 6);
  emu->conversion_started = true;
  world_advance(&emu->world, emu->avr->cycle);
  if (adc->muxmode[mux].kind != ADC_MUX_SINGLE) return;
  const int channel = (mux & 7) | (mux >= 0x20 ? 8 : 0);
  adc->muxmode[mux].src = channel & 7;
  const uint32_t code = (uint32_t)code_of(emu, &emu->channels[channel]);
  /* The least millivolts that libsimavr turns into this code again. */
  adc->adc_values[channel & 7] = (uint16_t)((code * emu->avr->avcc + 1022) / 1023);
}

static void stop_conversion(emu_t* emu) {
  for (avr_cycle_timer_slot_p slot = emu->avr->cycle_timers.timer; slot; slot = slot->next) {
    if (slot->param != emu->adc) continue;
    avr_cycle_timer_cancel(emu->avr, slot->timer, slot->param);
    return;
  }
}

/* ---- UART -------------------------------------------------------------------------------------------------
 */

static void on_sent(struct avr_irq_t* irq, uint32_t value, void* param) {
  (void)irq;
  emu_t* emu = param;
  if (emu->tx_count == emu->tx_room) {
    int room = (int)emu->tx_room;
    emu->tx_at = realloc(emu->tx_at, (size_t)(room ? 2 * room : 64) * sizeof *emu->tx_at);
    emu->tx = grown(emu->tx, &room, 1);
    if (!emu->tx_at) abort();
    emu->tx_room = (uint32_t)room;
  }
  emu->tx_at[emu->tx_count] = emu->avr->cycle;
  emu->tx[emu->tx_count++] = (uint8_t)value;
}

static void receive(emu_t* emu) {
  const uint8_t byte = emu->rx[emu->rx_taken++];
  emu->rx_next += emu->rx_byte;
  if (emu->rx_taken == emu->rx_count) emu->rx_taken = emu->rx_count = 0;
  if (!emu->powered || emu->held || !avr_regbit_get(emu->avr, emu->uart->rxen)) return;
  if (uart_fifo_get_read_size(&emu->uart->input) >= FIFO_PLACES) {
    emu->stats.overruns++;
    world_log(&emu->world, emu->avr->cycle, EVENT_OVERRUN, byte, 0);
    avr_regbit_set(emu->avr, emu->uart->dor);
    return;
  }
  uart_fifo_write(&emu->uart->input, byte);
}

/* The flag of the receiver stays up while there is anything to fetch. */
static void raise_receiver(emu_t* emu) {
  avr_uart_t* uart = emu->uart;
  if (uart_fifo_isempty(&uart->input) || uart->rxc.pending) return;
  uart->rxc_raise_time = 0; /* libsimavr would else find that the bytes are fetched too fast */
  uart->rx_cnt = 0;
  avr_raise_interrupt(emu->avr, &uart->rxc);
}

/* ---- EEPROM -----------------------------------------------------------------------------------------------
 */

static void write_eecr(avr_t* avr, avr_io_addr_t address, uint8_t value, void* param) {
  emu_t* emu = param;
  const bool enabled = avr_regbit_get(avr, emu->eeprom->eempe);
  const bool starts = value >> emu->eeprom->eepe.bit & 1 && enabled;
  const bool reads = value >> emu->eeprom->eere.bit & 1;
  const uint16_t cell = (uint16_t)((avr->data[emu->eeprom->r_eearl] | avr->data[emu->eeprom->r_eearh] << 8) &
                                   (emu->eeprom->size - 1));
  if (emu->write_ends && (starts || reads)) {
    world_log(&emu->world, avr->cycle, EVENT_EEPROM_BUSY, cell, value);
    return;
  }
  const uint8_t before = emu->eeprom->eeprom[cell];
  emu->eecr_write(avr, address, value, emu->eecr_param);
  if (emu->write_ends) avr_regbit_set(avr, emu->eeprom->eepe);
  if (!starts) return;
  const int mode = avr_regbit_get(avr, emu->eeprom->eepm[0]) | avr_regbit_get(avr, emu->eeprom->eepm[1]) << 1;
  const uint8_t data = avr->data[emu->eeprom->r_eedr];
  emu->eeprom->eeprom[cell] = mode == 1 ? 0xFF : mode == 2 ? before & data : data;
  emu->write_ends = avr->cycle + (mode == 0 ? WRITE_CYCLES : HALF_WRITE_CYCLES);
  emu->write_address = cell;
  emu->write_before = before;
  emu->stats.eeprom_writes++;
  avr_regbit_set(avr, emu->eeprom->eepe);
  emu->due = true;
  world_log(&emu->world, avr->cycle, EVENT_EEPROM, cell, emu->eeprom->eeprom[cell]);
}

static void end_write(emu_t* emu) {
  emu->write_ends = 0;
  avr_regbit_clear(emu->avr, emu->eeprom->eepe);
}

/* The cell is somewhere between old, erased and new. */
static void cut_write(emu_t* emu) {
  if (!emu->write_ends) return;
  uint8_t* cell = &emu->eeprom->eeprom[emu->write_address];
  const uint8_t noise = (uint8_t)random_next(&emu->random);
  *cell = random_next(&emu->random) & 1 ? (uint8_t)(emu->write_before | noise) : (uint8_t)(*cell | noise);
  world_log(&emu->world, emu->avr->cycle, EVENT_EEPROM_CUT, emu->write_address, *cell);
  emu->write_ends = 0;
}

/* ---- interrupts -------------------------------------------------------------------------------------------
 */

static void sample_stack(emu_t* emu) {
  const uint32_t sp = emu->avr->data[R_SPL] | (uint32_t)emu->avr->data[R_SPH] << 8;
  if (sp < emu->stats.lowest_sp) emu->stats.lowest_sp = sp;
}

static void scan_begins(emu_t* emu, uint64_t now) {
  emu->scan_started = now;
  emu->stats.scans++;
  if (!emu->scan_grid) emu->scan_grid = now;
  while (emu->scan_grid + SCAN_CYCLES <= now) emu->scan_grid += SCAN_CYCLES;
  const uint64_t late = now - emu->scan_grid;
  /* The first start is somewhere in its own jitter: an earlier one moves the grid. */
  if (late > SCAN_CYCLES / 2)
    emu->scan_grid = now;
  else if (late > emu->stats.scan_late_longest)
    emu->stats.scan_late_longest = late;
}

static void on_interrupt(struct avr_irq_t* irq, uint32_t value, void* param) {
  emu_t* emu = param;
  const int vector = (int)(irq->irq >> 8);
  const uint64_t now = emu->avr->cycle;
  if (value) {
    emu->isr_started[vector] = now;
    sample_stack(emu);
    if (vector == emu->timer_vector) scan_begins(emu, now);
    return;
  }
  const uint64_t took = now - emu->isr_started[vector];
  emu->stats.isr_cycles += took;
  emu->stats.isr_total[vector] += took;
  emu->stats.isr_count[vector]++;
  if (took > emu->stats.isr_longest[vector]) emu->stats.isr_longest[vector] = took;
  if (vector == emu->adc_vector && emu->scan_started && now - emu->scan_started > emu->stats.scan_longest)
    emu->stats.scan_longest = now - emu->scan_started;
}

static void on_probe(avr_t* avr, avr_io_addr_t address, uint8_t value, void* param) {
  emu_t* emu = param;
  avr->data[address] = value;
  sample_stack(emu);
  world_log(&emu->world, avr->cycle, EVENT_PROBE, address == GPIOR0 ? 0 : address - GPIOR1 + 1, value);
}

static void sleeping(avr_t* avr, avr_cycle_count_t cycles) { of(avr)->stats.slept += cycles + 1; }

/* ---- reset ------------------------------------------------------------------------------------------------
 */

static avr_cycle_count_t alarm_rings(avr_t* avr, avr_cycle_count_t when, void* param) {
  (void)avr, (void)when;
  ((emu_t*)param)->due = true;
  return 0;
}

/* Called within avr_reset, whatever began it. */
static void on_reset(avr_t* avr) {
  emu_t* emu = of(avr);
  if (emu->core_reset) emu->core_reset(avr);
  emu->due = emu->was_reset = true;
  emu->scan_started = emu->scan_grid = 0;
}

static void after_reset(emu_t* emu, uint8_t cause) {
  avr_t* avr = emu->avr;
  avr->run_cycle_limit = BURST;
  emu->was_reset = false;
  avr->data[avr->reset_flags.porf.reg] |= cause;
  if (emu->write_ends) avr_regbit_set(avr, emu->eeprom->eepe);
  world_log(&emu->world, avr->cycle, EVENT_RESET, avr->data[avr->reset_flags.porf.reg], 0);
  read_pins(emu);
}

static void forget_ram(emu_t* emu) {
  for (uint32_t i = emu->avr->ioend + 1u; i <= emu->avr->ramend; i++)
    emu->avr->data[i] = (uint8_t)random_next(&emu->random);
}

static void restart(emu_t* emu, uint8_t cause) {
  avr_reset(emu->avr);
  after_reset(emu, cause);
}

static void release_pins(emu_t* emu) {
  world_advance(&emu->world, emu->avr->cycle);
  for (int i = 0; i < RELAYS; i++) {
    if (!emu->world.relays[i].driven) continue;
    world_log(&emu->world, emu->avr->cycle, EVENT_PIN, i, false);
    world_drive(&emu->world, i, false);
  }
}

static double supply_mv(const emu_t* emu, uint64_t now) {
  double at_mv = emu->supply[0].mv;
  for (int i = 0; i < emu->supply_count && emu->supply[i].at <= now; i++) {
    at_mv = emu->supply[i].mv;
    if (i + 1 == emu->supply_count) break;
    const supply_t *from = &emu->supply[i], *to = &emu->supply[i + 1];
    if (to->at > now) at_mv += (to->mv - from->mv) * (double)(now - from->at) / (double)(to->at - from->at);
  }
  return at_mv;
}

static void follow_supply(emu_t* emu) {
  if (!emu->supply_count || !emu->powered) return;
  avr_t* avr = emu->avr;
  const double mv = supply_mv(emu, avr->cycle);
  if (mv < emu->lowest_mv) emu->lowest_mv = mv;
  if (mv >= 1000) avr->vcc = avr->avcc = avr->aref = (uint32_t)mv;
  if (!emu->held && mv < BROWN_OUT_MV) {
    emu->held = true;
    emu->lowest_mv = mv;
    cut_write(emu);
    release_pins(emu);
  } else if (emu->held && mv >= BROWN_OUT_MV) {
    emu->held = false;
    const bool forgot = emu->lowest_mv < RAM_KEEPS_MV;
    if (forgot) forget_ram(emu);
    restart(emu, forgot ? PORF | BORF : BORF);
  }
}

/* ---- running ----------------------------------------------------------------------------------------------
 */

/* An endless loop in the last words of flash, which no program reaches by itself. */
static uint32_t hang_address(const emu_t* emu) { return emu->avr->flashend - 3; }

static void hang(emu_t* emu, bool interrupts_off) {
  avr_t* avr = emu->avr;
  if (interrupts_off) avr->sreg[S_I] = 0;
  avr->pc = hang_address(emu);
  avr->state = cpu_Running;
}

static void flip(emu_t* emu, const flip_t* one) {
  avr_t* avr = emu->avr;
  if (one->address == PC_ADDRESS) {
    avr->pc = (avr->pc ^ (2u << one->bit)) & avr->flashend;
  } else if (one->address == R_SREG) {
    avr->sreg[one->bit] ^= 1;
  } else if (one->address <= avr->ramend) {
    avr->data[one->address] ^= (uint8_t)(1u << one->bit);
    read_pins(emu);
  }
}

static void flip_due(emu_t* emu) {
  for (int i = 0; i < emu->flip_count; i++) {
    if (emu->flips[i].at > emu->avr->cycle) continue;
    flip(emu, &emu->flips[i]);
    emu->flips[i--] = emu->flips[--emu->flip_count];
  }
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_due(const emu_t* emu, uint64_t end) {
  uint64_t at = earlier(end, emu->avr->cycle + TICK);
  if (emu->rx_count) at = earlier(at, emu->rx_next);
  if (emu->write_ends) at = earlier(at, emu->write_ends);
  for (int i = 0; i < emu->flip_count; i++) at = earlier(at, emu->flips[i].at);
  return at;
}

static void look(emu_t* emu) {
  const uint64_t now = emu->avr->cycle;
  world_advance(&emu->world, now);
  follow_supply(emu);
  set_live(emu);
  while (emu->rx_count && emu->rx_next <= now) receive(emu);
  if (emu->write_ends && emu->write_ends <= now) end_write(emu);
  flip_due(emu);
}

static void crashed(emu_t* emu) {
  emu->stats.crashes++;
  world_log(&emu->world, emu->avr->cycle, EVENT_CRASH, 0, (int)emu->avr->pc);
  hang(emu, true);
}

static void run_core(emu_t* emu, uint64_t at) {
  avr_t* avr = emu->avr;
  emu->due = false;
  avr_cycle_timer_register(avr, at > avr->cycle ? at - avr->cycle : 1, alarm_rings, emu);
  while (!emu->due) {
    avr_run(avr);
    if (emu->was_reset) { /* by the watchdog, which sets its own flag */
      after_reset(emu, 0);
      return;
    }
    if (!uart_fifo_isempty(&emu->uart->input)) raise_receiver(emu);
    if (emu->adc_dead && emu->conversion_started) stop_conversion(emu);
    emu->conversion_started = false;
    if (avr->state == cpu_Crashed || avr->state == cpu_Done || avr->state == cpu_Stopped) crashed(emu);
  }
}

void emu_run(emu_t* emu, uint64_t cycles) {
  avr_t* avr = emu->avr;
  const uint64_t end = avr->cycle + cycles, began = avr->cycle;
  while (avr->cycle < end) {
    const uint64_t at = next_due(emu, end);
    if (emu->powered && !emu->held)
      run_core(emu, at);
    else
      avr->cycle = at > avr->cycle ? at : avr->cycle + 1;
    look(emu);
  }
  emu->stats.cycles += avr->cycle - began;
}

/* ---- the rest of the interface
 * ------------------------------------------------------------------------------ */

static void set_up_hooks(emu_t* emu) {
  avr_t* avr = emu->avr;
  for (avr_io_t* io = avr->io_port; io; io = io->next) {
    if (strcmp(io->kind, "port")) continue;
    avr_irq_register_notify(io->irq + IOPORT_IRQ_REG_PORT, on_port, io);
    avr_irq_register_notify(io->irq + IOPORT_IRQ_DIRECTION_ALL, on_direction, io);
  }
  avr_irq_register_notify(emu->adc->io.irq + ADC_IRQ_OUT_TRIGGER, on_conversion, emu);
  avr_irq_register_notify(emu->uart->io.irq + UART_IRQ_OUTPUT, on_sent, emu);
  emu->uart->flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  for (int i = 0; i < avr->interrupts.vector_count; i++)
    avr_irq_register_notify(avr->interrupts.vector[i]->irq + AVR_INT_IRQ_RUNNING, on_interrupt, emu);
  const avr_io_addr_t eecr = emu->eeprom->r_eecr;
  emu->eecr_write = avr->io[AVR_DATA_TO_IO(eecr)].w.c;
  emu->eecr_param = avr->io[AVR_DATA_TO_IO(eecr)].w.param;
  avr->io[AVR_DATA_TO_IO(eecr)].w.c = write_eecr;
  avr->io[AVR_DATA_TO_IO(eecr)].w.param = emu;
  for (avr_io_addr_t gpior = GPIOR1; gpior <= GPIOR1 + 1; gpior++)
    avr_register_io_write(avr, gpior, on_probe, emu);
  avr_register_io_write(avr, GPIOR0, on_probe, emu);
  emu->core_reset = avr->reset;
  avr->reset = on_reset;
  avr->sleep = sleeping;
}

static void set_up_memory(emu_t* emu) {
  avr_t* avr = emu->avr;
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
  set_up_hooks(emu);
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
