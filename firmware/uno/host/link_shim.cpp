// The serial line and the records for ctypes: one PDU whose readings, latches and relays a test plays.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "../core/joined.hpp"
#include "../core/link.hpp"
#include "machine.hpp"

namespace loadcenter {

namespace {

struct Unit {
  Records records;
  Link link;
};

std::unique_ptr<Unit> unit;
std::map<std::pair<uint8_t, uint8_t>, int32_t> readings;  // by Reading and what it is of
KeptOutlet kept[kOutlets];
uint8_t held;
uint8_t cause;

}  // namespace

int32_t reading(Reading what, uint8_t of) {
  const auto found = readings.find({static_cast<uint8_t>(what), of});
  return found == readings.end() ? kUnknown : found->second;
}

KeptOutlet kept_outlet(uint8_t outlet) { return kept[outlet - 1]; }
uint8_t kept_held() { return held; }
uint8_t reset_cause() { return cause; }

}  // namespace loadcenter

using loadcenter::machine;
using loadcenter::unit;

namespace {

// What the main pass tells of itself.
void tell(uint8_t code, int32_t first, int32_t second, uint8_t count) {
  const loadcenter::Event event = {code, 0, 0, 0, 0, count, machine.now_ms, {first, second}};
  unit->link.note(event);
}

}  // namespace

extern "C" {

// As Command, for ctypes.
struct GivenCommand {
  uint8_t key;
  uint8_t verb;
  uint8_t outlet;
  uint8_t on;
  uint8_t emergency;
  uint8_t source;
  uint32_t off_ms;
};

// What came out of a run of many lines.
struct Tally {
  uint64_t commands;     // orders handed to the decision layer
  uint64_t emergencies;  // times that pins were to be opened
  uint64_t applied;      // new settings
  uint64_t thrown;
  uint64_t sent;  // bytes
};

uint8_t link_outlets() { return loadcenter::kOutlets; }

// Starts the PDU, with what stands in EEPROM. What it is told of itself (readings, kept) is not changed.
void link_start(uint32_t now_ms, uint16_t noise, uint8_t cause) {
  machine.now_ms = now_ms;
  machine.noise = noise;
  machine.received.clear();
  machine.sent.clear();
  machine.eeprom_ready = true;
  loadcenter::cause = cause;
  unit.reset(new loadcenter::Unit());
  unit->records.load(now_ms);
  for (uint8_t outlet = 1; outlet <= loadcenter::kOutlets; ++outlet) {
    loadcenter::kept[outlet - 1] = unit->records.memory.outlet(outlet);
  }
  loadcenter::held = unit->records.memory.held();
  unit->link.begin(now_ms, unit->records);
  tell(loadcenter::code::kEventBoot, cause, unit->records.counters.starts(), 2);
}

uint16_t link_session() { return unit->link.session(); }

void link_feed(const uint8_t* bytes, uint32_t count) {
  machine.received.insert(machine.received.end(), bytes, bytes + count);
}

// One pass of the main loop; `step` is left out, and so is what moves a relay.
void link_pass(uint32_t now_ms) {
  machine.now_ms = now_ms;
  machine.pass();
  unit->link.poll(unit->records);
  if (unit->link.take_applied()) {
    tell(loadcenter::code::kEventSettingsApplied, static_cast<int32_t>(unit->records.settings.version), 0, 1);
  }
  unit->records.step(now_ms);
  unit->link.pump(now_ms, unit->records);
}

// Copies at most `room` bytes that were sent to `bytes`, and returns how many.
uint32_t link_sent(uint8_t* bytes, uint32_t room) {
  const uint32_t count = static_cast<uint32_t>(std::min<size_t>(room, machine.sent.size()));
  std::copy_n(machine.sent.begin(), count, bytes);
  machine.sent.erase(machine.sent.begin(), machine.sent.begin() + count);
  return count;
}

uint8_t link_emergency() { return unit->link.take_emergency(); }

bool link_command(GivenCommand* given) {
  loadcenter::Command command;
  if (!unit->link.take_command(command)) return false;
  *given = {command.key,       static_cast<uint8_t>(command.verb), command.outlet, command.on,
            command.emergency, loadcenter::index(command.source),  command.off_ms};
  return true;
}

void link_answer(uint8_t key, uint8_t status, uint8_t code) {
  unit->link.answer(key, static_cast<loadcenter::Status>(status), code);
}

uint16_t link_note(uint8_t code, uint8_t outlet, uint8_t source, uint8_t cause, uint8_t because,
                   uint32_t at_ms, const int32_t* numbers, uint8_t count) {
  loadcenter::Event event = {code, outlet, source, cause, because, count, at_ms, {}};
  std::copy_n(numbers, count, event.number);
  return unit->link.note(event);
}

uint16_t link_thrown() { return unit->link.thrown(); }
uint16_t link_unknown() { return unit->link.unknown(); }

void link_reading(uint8_t what, uint8_t of, int32_t value) { loadcenter::readings[{what, of}] = value; }

void link_keep(uint8_t outlet, const loadcenter::KeptOutlet* kept) { loadcenter::kept[outlet - 1] = *kept; }
void link_kept(uint8_t outlet, loadcenter::KeptOutlet* kept) { *kept = loadcenter::kept[outlet - 1]; }
void link_hold(uint8_t held) { loadcenter::held = held; }
uint8_t link_held() { return loadcenter::held; }

void link_count(uint8_t outlet, int32_t power_mw, uint16_t elapsed_ms) {
  unit->records.counters.add(outlet, power_mw, elapsed_ms);
}
uint64_t link_energy(uint8_t outlet) {
  const loadcenter::Energy& energy = unit->records.counters.energy(outlet);
  return static_cast<uint64_t>(energy.high()) << 32 | energy.low_mwh();
}
uint16_t link_starts() { return unit->records.counters.starts(); }

uint32_t link_version() { return unit->records.settings.version; }
uint8_t link_settings_bytes() { return loadcenter::kSettingsImage; }
uint8_t link_settings_byte(uint8_t at) { return loadcenter::settings_byte(unit->records.settings, at); }
uint16_t link_settings_copy() { return loadcenter::kSettingsCopy; }

// The EEPROM itself, and what was written to it. It outlives a start.
uint8_t* link_eeprom() { return machine.eeprom.data(); }
uint32_t* link_eeprom_writes() { return machine.writes.data(); }
void link_eeprom_blank() {
  std::fill(machine.eeprom.begin(), machine.eeprom.end(), static_cast<uint8_t>(0xFF));
  std::fill(machine.writes.begin(), machine.writes.end(), 0);
  machine.writes_left = UINT32_MAX;
}
void link_eeprom_cut(uint32_t writes_left) { machine.writes_left = writes_left; }

// Feeds `count` bytes as a line that is read `at_once` bytes a pass of 1 ms, takes whatever comes out, and
// counts it.
void link_run(const uint8_t* bytes, uint32_t count, uint32_t at_once, Tally* tally) {
  GivenCommand command;
  for (uint32_t done = 0; done < count; done += at_once) {
    const uint16_t thrown = unit->link.thrown();
    const uint32_t version = unit->records.settings.version;
    link_feed(bytes + done, std::min(at_once, count - done));
    link_pass(machine.now_ms + 1);
    tally->emergencies += link_emergency() != 0;
    while (link_command(&command)) {
      ++tally->commands;
      link_answer(command.key, 2, 0);
    }
    tally->applied += unit->records.settings.version != version;
    tally->thrown += static_cast<uint16_t>(unit->link.thrown() - thrown);
    tally->sent += machine.sent.size();
    machine.sent.clear();
  }
}

// Reads `count` bytes with a reader of its own. Writes each frame to `text` as its type and numbers, one a
// line, and returns how many lines were thrown away.
uint32_t frames_read(const uint8_t* bytes, uint32_t count, char* text) {
  loadcenter::LineReader reader = {};
  const loadcenter::Frame& frame = reader.frame();
  uint32_t thrown = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const loadcenter::LineReader::Fate fate = reader.take(bytes[i]);
    thrown += fate == loadcenter::LineReader::Fate::kThrown;
    if (fate != loadcenter::LineReader::Fate::kFrame) continue;
    text += std::sprintf(text, "%c %u %u", frame.type, frame.seq, frame.session);
    for (uint8_t at = 0; at < frame.count && at < loadcenter::kArguments; ++at) {
      text += std::sprintf(text, " %u", frame.number[at]);
    }
    *text++ = '\n';
  }
  *text = 0;
  return thrown;
}

}  // extern "C"
