// Generated from spec/ by scripts/generate_points.py: change it there.
// clang-format off
#include "points.hpp"

namespace loadcenter {

const SettingRow kPduRows[kPduSettings] LOADCENTER_FLASH = {
  {1, 0, 1, 0},
  {1, 0, 1, 1},
  {2, 0, 3600, 30},
  {1, 1, 10, 6},
  {2, 0, 60000, 250},
  {1, 0, 1, 0},
  {1, 1, 60, 10},
  {2, 500, 16000, 16000},
  {2, 500, 16000, 16000},
  {2, 100, 4000, 4000},
  {2, 100, 4000, 4000},
  {2, 1, 3600, 30},
  {2, 0, 600, 5},
  {2, 0, 3600, 10},
};

const SettingRow kOutletRows[kOutletSettings] LOADCENTER_FLASH = {
  {2, 100, 10000, 4000},
  {2, 20, 60000, 2000},
  {1, 0, 2, 0},
  {1, 0, 2, 0},
  {2, 1, 4000, 4000},
  {1, 0, 2, 1},
  {2, 100, 10000, 4000},
  {2, 50, 1500, 1000},
  {1, 1, 8, 4},
  {1, 0, 1, 0},
};

}  // namespace loadcenter
