/* The AVR as libsimavr runs it, and what the chip does besides: resets add up their causes and leave the RAM,
 * a power failure leaves nothing of it, the brown-out detector holds the chip, and a program that went astray
 * goes on. */
#include "machine.h"

enum {
  BURST = 48,                      /* cycles that the core may run between two looks */
  TICK = CLOCK_HZ / 1000000 * 100, /* longest time between two looks at the world */
  SCAN_CYCLES = CLOCK_HZ / 2500,   /* 400 us */
  BROWN_OUT_MV = 4300,
  RAM_KEEPS_MV = 1500,  /* typical; the data sheet promises nothing */
  PC_ADDRESS = 0x10000, /* of a flipped bit: the program counter */
};

/* ---- interrupts */

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

/* ---- reset */

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

void forget_ram(emu_t* emu) {
  for (uint32_t i = emu->avr->ioend + 1u; i <= emu->avr->ramend; i++)
    emu->avr->data[i] = (uint8_t)random_next(&emu->random);
}

void restart(emu_t* emu, uint8_t cause) {
  avr_reset(emu->avr);
  after_reset(emu, cause);
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

/* ---- running */

/* An endless loop in the last words of flash, which no program reaches by itself. */
uint32_t hang_address(const emu_t* emu) { return emu->avr->flashend - 3; }

void hang(emu_t* emu, bool interrupts_off) {
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

/* Asleep with interrupts off, only the watchdog helps. Behind the end of the flash the chip goes on at its
 * start, and what libsimavr cannot execute or address passes by. */
static void crashed(emu_t* emu) {
  avr_t* avr = emu->avr;
  emu->stats.crashes++;
  world_log(&emu->world, avr->cycle, EVENT_CRASH, avr->state == cpu_Done, (int)avr->pc);
  if (avr->state == cpu_Done) {
    hang(emu, true);
    return;
  }
  avr->pc &= avr->flashend;
  avr->state = cpu_Running;
  avr->cycle++;
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
    if (emu->uart->input.read != emu->uart->input.write) raise_receiver(emu);
    if (emu->watched && avr->data[emu->watched] != emu->watched_value) {
      emu->watched_value = avr->data[emu->watched];
      world_log(&emu->world, avr->cycle, EVENT_WATCH, emu->watched, emu->watched_value);
    }
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

void machine_hook(emu_t* emu) {
  avr_t* avr = emu->avr;
  for (int i = 0; i < avr->interrupts.vector_count; i++)
    avr_irq_register_notify(avr->interrupts.vector[i]->irq + AVR_INT_IRQ_RUNNING, on_interrupt, emu);
  for (avr_io_addr_t gpior = GPIOR1; gpior <= GPIOR1 + 1; gpior++)
    avr_register_io_write(avr, gpior, on_probe, emu);
  avr_register_io_write(avr, GPIOR0, on_probe, emu);
  emu->core_reset = avr->reset;
  avr->reset = on_reset;
  avr->sleep = sleeping;
}
