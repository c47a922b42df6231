// Generated from spec/ by scripts/generate_points.py: change it there.
// clang-format off
#include "points.hpp"

#include <stddef.h>

namespace loadcenter {

namespace {

const char kName_preferred[] LOADCENTER_FLASH = "preferred";
const char kName_auto_retransfer[] LOADCENTER_FLASH = "auto_retransfer";
const char kName_retransfer_delay_s[] LOADCENTER_FLASH = "retransfer_delay_s";
const char kName_max_transfers_per_hour[] LOADCENTER_FLASH = "max_transfers_per_hour";
const char kName_sequence_ms[] LOADCENTER_FLASH = "sequence_ms";
const char kName_transfer_mode[] LOADCENTER_FLASH = "transfer_mode";
const char kName_idmt_reset_s[] LOADCENTER_FLASH = "idmt_reset_s";
const char kName_budget_main_ma[] LOADCENTER_FLASH = "budget_main_ma";
const char kName_budget_backup_ma[] LOADCENTER_FLASH = "budget_backup_ma";
const char kName_budget_main_mw[] LOADCENTER_FLASH = "budget_main_mw";
const char kName_budget_backup_mw[] LOADCENTER_FLASH = "budget_backup_mw";
const char kName_restore_delay_s[] LOADCENTER_FLASH = "restore_delay_s";
const char kName_min_on_s[] LOADCENTER_FLASH = "min_on_s";
const char kName_min_off_s[] LOADCENTER_FLASH = "min_off_s";
const char kName_limit_ma[] LOADCENTER_FLASH = "limit_ma";
const char kName_limit_ms[] LOADCENTER_FLASH = "limit_ms";
const char kName_power_on[] LOADCENTER_FLASH = "power_on";
const char kName_limit_action[] LOADCENTER_FLASH = "limit_action";
const char kName_limit_mw[] LOADCENTER_FLASH = "limit_mw";
const char kName_curve[] LOADCENTER_FLASH = "curve";
const char kName_curve_ma[] LOADCENTER_FLASH = "curve_ma";
const char kName_curve_tms_permille[] LOADCENTER_FLASH = "curve_tms_permille";
const char kName_priority[] LOADCENTER_FLASH = "priority";
const char kName_protected[] LOADCENTER_FLASH = "protected";

const char kWords_preferred[] LOADCENTER_FLASH = "main\0backup\0";
const char kWords_transfer_mode[] LOADCENTER_FLASH = "isolate_first\0fast\0";
const char kWords_power_on[] LOADCENTER_FLASH = "last_state\0always_on\0always_off\0";
const char kWords_limit_action[] LOADCENTER_FLASH = "trip\0shed\0warn\0";
const char kWords_curve[] LOADCENTER_FLASH = "ni\0vi\0ei\0";

}  // namespace

const SettingRow kPduRows[kPduSettings] LOADCENTER_FLASH = {
  {kName_preferred, kWords_preferred, offsetof(Settings, preferred), 1, 0, 1, 0},
  {kName_auto_retransfer, nullptr, offsetof(Settings, auto_retransfer), 1, 0, 1, 1},
  {kName_retransfer_delay_s, nullptr, offsetof(Settings, retransfer_delay_s), 2, 0, 3600, 30},
  {kName_max_transfers_per_hour, nullptr, offsetof(Settings, max_transfers_per_hour), 1, 1, 10, 6},
  {kName_sequence_ms, nullptr, offsetof(Settings, sequence_ms), 2, 0, 60000, 250},
  {kName_transfer_mode, kWords_transfer_mode, offsetof(Settings, transfer_mode), 1, 0, 1, 0},
  {kName_idmt_reset_s, nullptr, offsetof(Settings, idmt_reset_s), 1, 1, 60, 10},
  {kName_budget_main_ma, nullptr, offsetof(Settings, budget_main_ma), 2, 500, 16000, 16000},
  {kName_budget_backup_ma, nullptr, offsetof(Settings, budget_backup_ma), 2, 500, 16000, 16000},
  {kName_budget_main_mw, nullptr, offsetof(Settings, budget_main_mw), 4, 100000, 4000000, 4000000},
  {kName_budget_backup_mw, nullptr, offsetof(Settings, budget_backup_mw), 4, 100000, 4000000, 4000000},
  {kName_restore_delay_s, nullptr, offsetof(Settings, restore_delay_s), 2, 1, 3600, 30},
  {kName_min_on_s, nullptr, offsetof(Settings, min_on_s), 2, 0, 600, 5},
  {kName_min_off_s, nullptr, offsetof(Settings, min_off_s), 2, 0, 3600, 10},
};

const SettingRow kOutletRows[kOutletSettings] LOADCENTER_FLASH = {
  {kName_limit_ma, nullptr, offsetof(OutletSettings, limit_ma), 2, 100, 10000, 4000},
  {kName_limit_ms, nullptr, offsetof(OutletSettings, limit_ms), 2, 20, 60000, 2000},
  {kName_power_on, kWords_power_on, offsetof(OutletSettings, power_on), 1, 0, 2, 0},
  {kName_limit_action, kWords_limit_action, offsetof(OutletSettings, limit_action), 1, 0, 2, 0},
  {kName_limit_mw, nullptr, offsetof(OutletSettings, limit_mw), 4, 1000, 4000000, 4000000},
  {kName_curve, kWords_curve, offsetof(OutletSettings, curve), 1, 0, 2, 1},
  {kName_curve_ma, nullptr, offsetof(OutletSettings, curve_ma), 2, 100, 10000, 4000},
  {kName_curve_tms_permille, nullptr, offsetof(OutletSettings, curve_tms_permille), 2, 50, 1500, 1000},
  {kName_priority, nullptr, offsetof(OutletSettings, priority), 1, 1, 8, 4},
  {kName_protected, nullptr, offsetof(OutletSettings, protected_), 1, 0, 1, 0},
};

const char kEventWords[] LOADCENTER_FLASH =
    "\001boot\0"
    "\002source_lost\0"
    "\003source_restored\0"
    "\004transfer\0"
    "\005outage\0"
    "\006outage_end\0"
    "\007trip\0"
    "\010trip_reset\0"
    "\011switched\0"
    "\012overvoltage\0"
    "\013undervoltage\0"
    "\014relay_welded\0"
    "\015settings_applied\0"
    "\016settings_refused\0"
    "\017command_refused\0"
    "\020transfer_lockout\0"
    "\021redundancy_lost\0"
    "\022redundancy_restored\0"
    "\023shed\0"
    "\024restored\0"
    "\025over_budget\0"
    "\026within_budget\0"
    "\027shed_futile\0"
    "\030limit_exceeded\0"
    "\031limit_cleared\0"
    "\032breaker_failure\0"
    "\033suspected_open\0"
    "\034sensor_fault\0"
    "\035sensor_restored\0"
    "\036lockout_end\0"
    "\037locked\0"
    "\040nominal_mismatch\0"
    "\041self_test_failed\0"
    "\377";

const char kCauseWords[] LOADCENTER_FLASH =
    "\001protection\0"
    "\002lock\0"
    "\003person_off\0"
    "\004shed\0"
    "\005person_on\0"
    "\006schedule\0"
    "\007restore\0"
    "\024source_lost\0"
    "\025overvoltage\0"
    "\026retransfer\0"
    "\027manual\0"
    "\030start_up\0"
    "\377";

const char kTripWords[] LOADCENTER_FLASH =
    "\001overcurrent\0"
    "\002instantaneous\0"
    "\003inverse_time\0"
    "\004overpower\0"
    "\005thermal\0"
    "\006bus_total\0"
    "\007breaker_failure\0"
    "\377";

const char kResultWords[] LOADCENTER_FLASH =
    "\000ok\0"
    "\001expired\0"
    "\002other_boot\0"
    "\003repeated\0"
    "\004retained\0"
    "\005malformed\0"
    "\006no_such_outlet\0"
    "\007latched\0"
    "\010locked\0"
    "\011source_not_good\0"
    "\012already\0"
    "\013lockout\0"
    "\014not_confirmed\0"
    "\015superseded\0"
    "\016offline\0"
    "\017unreported\0"
    "\020in_overcurrent\0"
    "\021not_supported\0"
    "\022no_headroom\0"
    "\377";

const char kVerbWords[] LOADCENTER_FLASH =
    "\001switch\0"
    "\002cycle\0"
    "\003reset_trip\0"
    "\004lock\0"
    "\005transfer\0"
    "\006clear_lockout\0"
    "\007energy\0"
    "\377";

const char kGradeWords[] LOADCENTER_FLASH =
    "bad\0"
    "usable\0"
    "good\0";

const char kResetCauseWords[] LOADCENTER_FLASH =
    "unknown\0"
    "power\0"
    "external\0"
    "brown_out\0"
    "watchdog\0";

const char kShedReasonWords[] LOADCENTER_FLASH =
    "budget\0"
    "limit\0"
    "power_limit\0";

const char kSelfTestWords[] LOADCENTER_FLASH =
    "ram\0"
    "flash\0"
    "reference\0"
    "clock\0"
    "eeprom\0"
    "stack\0";

const char kTransferResultWords[] LOADCENTER_FLASH =
    "confirmed\0"
    "contradicted\0"
    "unverified\0";

const char kEventKeys[] LOADCENTER_FLASH =
    "\001reset_cause<0\0resets\0\0"
    "\002\012\013rung\0measured\0limit\0dwell_ms\0\0"
    "\004result<3\0detection_us\0command_us\0main_before_mv\0backup_before_mv\0main_after_mv\0backup_after_mv\0phase_mdeg\0\0"
    "\005main_mv\0backup_mv\0isolator\0\0"
    "\006outage_ms\0\0"
    "\007\010\030\032trip<4\0measured\0limit\0limit_ms\0\0"
    "\011on\0off_ms\0\0"
    "\014i_ma\0limit_ma\0\0"
    "\015version\0\0"
    "\020count\0max_transfers_per_hour\0\0"
    "\023reason<2\0measured\0limit\0limit_ms\0total_ma\0budget_ma\0total_mw\0budget_mw\0\0"
    "\024\025\026\027total_ma\0budget_ma\0total_mw\0budget_mw\0\0"
    "\031i_ma\0limit_ma\0p_mw\0limit_mw\0\0"
    "\033closings\0\0"
    "\036after_ms\0\0"
    "\037on\0\0"
    "\040measured_mhz\0nominal_mhz\0\0"
    "\041test<1\0\0"
    "\377";

}  // namespace loadcenter
