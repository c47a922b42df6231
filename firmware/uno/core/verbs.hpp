// What a `C` frame asks for (MQTT-40).
#pragma once

#include <stdint.h>

#include "commands.hpp"
#include "energy.hpp"
#include "frames.hpp"

namespace loadcenter {

// Reads a command; returns `ok`, or the result of spec/codes.toml that refuses it. `energy` belongs to
// the verb of that name.
uint8_t read_command(const Frame& frame, Command& command, Energy& energy);

}  // namespace loadcenter
