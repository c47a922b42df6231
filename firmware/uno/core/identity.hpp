// What the firmware says of itself.
#pragma once

#define LOADCENTER_FIRMWARE "0.1.0"

namespace loadcenter {

constexpr unsigned short kFirmware = 100;  // LOADCENTER_FIRMWARE: 10,000 a major, 100 a minor
constexpr unsigned char kContract = 1;     // version of spec/serial.md

}  // namespace loadcenter
