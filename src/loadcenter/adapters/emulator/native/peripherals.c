/* What the AVR touches the world with, where libsimavr 1.6 differs from the chip:
 *  - ADC: the value is worked out when a conversion starts, as an exact code (libsimavr scales by 1023 and
 * takes whole millivolts), that of the band gap with the noise of a conversion; channels from 8 up are mapped
 * onto the eight that it knows.
 *  - UART: bytes come at the speed of the line into two places, as on the chip; a third that nobody fetched
 * is lost.
 *  - EEPROM: a write takes 3.4 ms (erase or write alone 1.8), during which EEPE reads as set; power ends it
 * midway.
 */
#include <math.h>

#include "machine.h"

DEFINE_FIFO(uint16_t, uart_fifo);

static const double BAND_GAP_V = 1.1;

enum {
  WRITE_CYCLES = CLOCK_HZ / 10000 * 34,
  HALF_WRITE_CYCLES = CLOCK_HZ / 10000 * 18,
  FIFO_PLACES = 2,
};

/* ---- pins */

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

void read_pins(emu_t* emu) {
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

void release_pins(emu_t* emu) {
  world_advance(&emu->world, emu->avr->cycle);
  for (int i = 0; i < RELAYS; i++) {
    if (!emu->world.relays[i].driven) continue;
    world_log(&emu->world, emu->avr->cycle, EVENT_PIN, i, false);
    world_drive(&emu->world, i, false);
  }
}

void set_live(emu_t* emu) {
  const world_t* world = &emu->world;
  const bool live = world->live_seen && world->now - world->live_seen < emu->live_hold;
  if (live != emu->live) world_log(&emu->world, world->now, EVENT_INPUT, 0, live);
  emu->live = live;
  if (!emu->live_pin.used) return;
  const avr_ioport_t* port = module(emu->avr, "port", emu->live_pin.port, offsetof(avr_ioport_t, name));
  if (!port) return;
  const bool high = live == emu->live_pin.active_high;
  /* Not as an IRQ: PD2 is INT0, which libsimavr would poll in each cycle while it is low. */
  uint8_t* pins = &emu->avr->data[port->r_pin];
  *pins = (uint8_t)(high ? *pins | 1 << emu->live_pin.bit : *pins & ~(1 << emu->live_pin.bit));
}

/* ---- ADC */

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

static int band_gap_code(emu_t* emu) {
  return (int)(BAND_GAP_V / (emu->avr->avcc / 1000.0) * 1024.0 + 0.5 * random_normal(&emu->random));
}

static void on_conversion(struct avr_irq_t* irq, uint32_t value, void* param) {
  (void)irq, (void)value;
  emu_t* emu = param;
  avr_adc_t* adc = emu->adc;
  const int mux = avr_regbit_get_array(emu->avr, adc->mux, 6);
  emu->conversion_started = true;
  world_advance(&emu->world, emu->avr->cycle);
  if (adc->muxmode[mux].kind == ADC_MUX_REF) {
    emu->band_gap |= 1ull << mux;
    adc->muxmode[mux].kind = ADC_MUX_SINGLE;
  }
  if (adc->muxmode[mux].kind != ADC_MUX_SINGLE) return;
  const bool band_gap = emu->band_gap >> mux & 1;
  const int channel = band_gap ? 7 : (mux & 7) | (mux >= 0x20 ? 8 : 0);
  adc->muxmode[mux].src = channel & 7;
  const uint32_t code = (uint32_t)(band_gap ? band_gap_code(emu) : code_of(emu, &emu->channels[channel]));
  /* The least millivolts that libsimavr turns into this code again. */
  adc->adc_values[channel & 7] = (uint16_t)((code * emu->avr->avcc + 1022) / 1023);
}

void stop_conversion(emu_t* emu) {
  for (avr_cycle_timer_slot_p slot = emu->avr->cycle_timers.timer; slot; slot = slot->next) {
    if (slot->param != emu->adc) continue;
    avr_cycle_timer_cancel(emu->avr, slot->timer, slot->param);
    return;
  }
}

/* ---- UART */

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

void receive(emu_t* emu) {
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
void raise_receiver(emu_t* emu) {
  avr_uart_t* uart = emu->uart;
  if (uart_fifo_isempty(&uart->input) || uart->rxc.pending) return;
  uart->rxc_raise_time = 0; /* libsimavr would else find that the bytes are fetched too fast */
  uart->rx_cnt = 0;
  avr_raise_interrupt(emu->avr, &uart->rxc);
}

/* ---- EEPROM */

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

void end_write(emu_t* emu) {
  emu->write_ends = 0;
  avr_regbit_clear(emu->avr, emu->eeprom->eepe);
}

/* The cell is somewhere between old, erased and new. */
void cut_write(emu_t* emu) {
  if (!emu->write_ends) return;
  uint8_t* cell = &emu->eeprom->eeprom[emu->write_address];
  const uint8_t noise = (uint8_t)random_next(&emu->random);
  *cell = random_next(&emu->random) & 1 ? (uint8_t)(emu->write_before | noise) : (uint8_t)(*cell | noise);
  world_log(&emu->world, emu->avr->cycle, EVENT_EEPROM_CUT, emu->write_address, *cell);
  emu->write_ends = 0;
}

/* ---- all of them */

void peripherals_hook(emu_t* emu) {
  avr_t* avr = emu->avr;
  for (avr_io_t* io = avr->io_port; io; io = io->next) {
    if (strcmp(io->kind, "port")) continue;
    avr_irq_register_notify(io->irq + IOPORT_IRQ_REG_PORT, on_port, io);
    avr_irq_register_notify(io->irq + IOPORT_IRQ_DIRECTION_ALL, on_direction, io);
  }
  avr_irq_register_notify(emu->adc->io.irq + ADC_IRQ_OUT_TRIGGER, on_conversion, emu);
  avr_irq_register_notify(emu->uart->io.irq + UART_IRQ_OUTPUT, on_sent, emu);
  emu->uart->flags &= ~(uint32_t)(AVR_UART_FLAG_STDIO | AVR_UART_FLAG_POLL_SLEEP);
  const avr_io_addr_t eecr = emu->eeprom->r_eecr;
  emu->eecr_write = avr->io[AVR_DATA_TO_IO(eecr)].w.c;
  emu->eecr_param = avr->io[AVR_DATA_TO_IO(eecr)].w.param;
  avr->io[AVR_DATA_TO_IO(eecr)].w.c = write_eecr;
  avr->io[AVR_DATA_TO_IO(eecr)].w.param = emu;
}
