// What the firmware says of itself.
#pragma once

namespace loadcenter {

constexpr unsigned short kFirmware = 100;  // the version of Loadcenter: 10,000 a major, 100 a minor
constexpr unsigned char kContract = 1;     // version of spec/serial.md

}  // namespace loadcenter
