// Lines by the million for the serial line, made and read on this side of ctypes.
//
// Each kind of line says by how it is made whether it may move anything, so that what comes out can be held
// against it: only a line of kind kActing may, and of these only one that is whole.
#include <cstdio>
#include <random>
#include <string>

#include "../core/crc.hpp"
#include "../core/link.hpp"

extern "C" {

struct Tally;
uint16_t link_session();
void link_eeprom_blank();
void link_start(uint32_t now_ms, uint16_t noise, uint8_t cause);
void link_run(const uint8_t* bytes, uint32_t count, uint32_t at_once, Tally* tally);
}

namespace loadcenter {

namespace {

enum class Kind : uint8_t {
  kNoise,         // bytes of any value
  kGarbled,       // a line whose checksum is wrong
  kOtherSession,  // an acting line with a right checksum
  kIdle,          // a line of this session that asks for nothing that moves
  kActing,        // an acting line of this session, whole or not
};

class Maker {
 public:
  Maker(uint32_t seed, uint16_t session) : random_(seed), session_(session) {}

  std::string line(Kind kind) {
    switch (kind) {
      case Kind::kNoise:
        return noise();
      case Kind::kGarbled:
        return garbled(whole(body("ACEHQRSTXZ", session())));
      case Kind::kOtherSession:
        return whole(body("CSX", other_session()));
      case Kind::kIdle:
        return whole(body("AEHQRTZ", session_));
      case Kind::kActing:
        return whole(body("CSX", session_));
    }
    return "";
  }

 private:
  uint32_t below(uint32_t end) { return static_cast<uint32_t>(random_()) % end; }

  template <size_t count>
  std::string one_of(const char* const (&words)[count]) {
    return words[below(count)];
  }

  uint16_t session() { return below(2) != 0 ? session_ : other_session(); }

  uint16_t other_session() {
    const uint16_t other = static_cast<uint16_t>(below(0x10000));
    return other == session_ ? static_cast<uint16_t>(other ^ 1) : other;
  }

  std::string noise() {
    std::string bytes;
    for (uint32_t left = below(90); left > 0; --left) bytes += static_cast<char>(below(256));
    return bytes + (below(4) != 0 ? "\n" : "");
  }

  std::string number() {
    static const char* const kNumbers[] = {
        "0",     "1",          "2",          "4",        "9", "255", "101", "1000", "110", "2500",
        "65536", "4294967295", "4294967296", "16777216", "-", "-1",  "01",  "",     "x"};
    return " " + one_of(kNumbers);
  }

  // Numbers that are a whole command more often than chance would have it.
  std::string command() {
    static const char* const kCommands[] = {" 1 1 1",        " 1 4 0", " 4 2 1", " 2 3 1000", " 3 1",
                                            " 5 0 1",        " 6",     " 0",     " 2",        " 4 0",
                                            " 4 101 1 2500", " 4 255"};
    return one_of(kCommands);
  }

  std::string body(const char* types, uint16_t session) {
    const uint32_t count = static_cast<uint32_t>(std::char_traits<char>::length(types));
    seq_ = static_cast<uint16_t>(seq_ + below(4));
    std::string text =
        std::string(1, types[below(count)]) + " " + std::to_string(seq_) + " " + std::to_string(session);
    if (below(2) != 0) text += command();
    for (uint32_t left = below(3); left > 0; --left) text += number();
    return text;
  }

  static std::string whole(const std::string& body) {
    uint16_t crc = kCrcStart;
    for (const char c : body) crc = crc16(crc, static_cast<uint8_t>(c));
    char end[8];
    std::snprintf(end, sizeof end, " *%04X\n", crc);
    return body + end;
  }

  // Changes one bit, which a CRC always finds.
  std::string garbled(std::string line) {
    const uint32_t at = below(static_cast<uint32_t>(line.size()));
    line[at] = static_cast<char>(line[at] ^ (1 << below(8)));
    return line;
  }

  std::mt19937 random_;
  uint16_t session_;
  uint16_t seq_ = 0;
};

}  // namespace

}  // namespace loadcenter

extern "C" {

// Sends `lines` lines of one kind, read `at_once` bytes a pass. Each 10,000 lines a new PDU starts.
void link_fuzz(uint32_t seed, uint32_t lines, uint8_t kind, uint32_t at_once, Tally* tally) {
  constexpr uint32_t kStart = 10000;
  for (uint32_t done = 0; done < lines;) {
    link_eeprom_blank();
    link_start(0, static_cast<uint16_t>(seed + done), 1);
    loadcenter::Maker maker(seed + done, link_session());
    for (uint32_t left = kStart; left > 0 && done < lines; --left, ++done) {
      const std::string line = maker.line(static_cast<loadcenter::Kind>(kind));
      link_run(reinterpret_cast<const uint8_t*>(line.data()), static_cast<uint32_t>(line.size()), at_once,
               tally);
    }
  }
}
}
