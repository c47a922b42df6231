"""Words of the contract by their numbers. Generated from spec/ by scripts/generate_words.py."""

# A table of words is one text: a list of them would take four times the memory.

SERIAL_VERSION = 1
EVENTS = (
    "- boot source_lost source_restored transfer outage outage_end trip trip_reset switched overvoltage "
    "undervoltage relay_welded settings_applied settings_refused command_refused transfer_lockout "
    "redundancy_lost redundancy_restored shed restored over_budget within_budget shed_futile limit_exceeded "
    "limit_cleared breaker_failure suspected_open sensor_fault sensor_restored lockout_end locked "
    "nominal_mismatch self_test_failed link_lost link_found"
)
CAUSES = (
    "- protection lock person_off shed person_on schedule restore - - - - - - - - - - - - source_lost "
    "overvoltage retransfer manual start_up"
)
TRIPS = "- overcurrent instantaneous inverse_time overpower thermal bus_total breaker_failure"
RESULTS = (
    "ok expired other_boot repeated retained malformed no_such_outlet latched locked source_not_good "
    "already lockout not_confirmed superseded offline unreported in_overcurrent not_supported no_headroom"
)
STATUSES = "- accepted confirmed rejected"
WORDS_SOURCE = "main backup"
WORDS_GRADE = "bad usable good"
WORDS_RESET_CAUSE = "unknown power external brown_out watchdog"
WORDS_SHED_REASON = "budget limit power_limit"
WORDS_SELF_TEST = "ram flash reference clock eeprom stack"
WORDS_TRANSFER_RESULT = "confirmed contradicted unverified"
HELLO = "v outlets nominal_mv nominal_mhz outlet_ma total_ma resets cause n fw"
TELEMETRY_PDU = (
    "up_ms settings thrown unknown lost dropped active live isolator lockout cpu_permille late_us free_b"
)
TELEMETRY_SOURCE = "v_mv f_mhz grade"
TELEMETRY_OUTLET = "on cause trip lock i_ma p_mw e_mwh"
EVENT_DATA = {
    "boot": "reset_cause:reset_cause resets",
    "source_lost": "rung measured",
    "transfer": "result:transfer_result detection_us command_us main_before_mv backup_before_mv main_after_mv backup_after_mv phase_mdeg",
    "outage": "main_mv backup_mv",
    "outage_end": "outage_ms",
    "trip": "trip:trip measured",
    "trip_reset": "trip:trip",
    "switched": "on",
    "overvoltage": "rung measured",
    "undervoltage": "rung measured",
    "relay_welded": "i_ma",
    "settings_applied": "version",
    "transfer_lockout": "count",
    "shed": "reason:shed_reason i_ma p_mw draw_ma",
    "restored": "i_ma p_mw",
    "over_budget": "i_ma p_mw",
    "within_budget": "i_ma p_mw",
    "shed_futile": "i_ma p_mw",
    "limit_exceeded": "i_ma p_mw",
    "limit_cleared": "i_ma p_mw",
    "breaker_failure": "trip:trip measured",
    "locked": "on",
    "nominal_mismatch": "measured_mhz",
    "self_test_failed": "test:self_test",
}
COMMANDS = {
    "switch": (1, "out on"),
    "cycle": (2, "out off_ms"),
    "reset_trip": (3, "out"),
    "lock": (4, "out on"),
    "transfer": (5, "0 src"),
    "clear_lockout": (6, ""),
    "energy": (7, "out e_mwh:low e_mwh:high"),
}
SETTING_BEGIN = 0
SETTING_OUTLET = 100
SETTING_END = 255
SETTINGS_PDU = (
    "preferred main,backup",
    "auto_retransfer bool",
    "retransfer_delay_s 0 3600 1 30",
    "max_transfers_per_hour 1 10 1 6",
    "sequence_ms 0 60000 1 250",
    "transfer_mode isolate_first,fast",
    "idmt_reset_s 1 60 1 10",
    "budget_main_ma 500 16000 1 16000",
    "budget_backup_ma 500 16000 1 16000",
    "budget_main_mw 100000 4000000 1000 4000000",
    "budget_backup_mw 100000 4000000 1000 4000000",
    "restore_delay_s 1 3600 1 30",
    "min_on_s 0 600 1 5",
    "min_off_s 0 3600 1 10",
)
SETTINGS_OUTLET = (
    "limit_ma 100 10000 1 4000",
    "limit_ms 20 60000 1 2000",
    "power_on last_state,always_on,always_off",
    "limit_action trip,shed,warn",
    "limit_mw 1000 4000000 1000 4000000",
    "curve ni,vi,ei",
    "curve_ma 100 10000 1 4000",
    "curve_tms_permille 50 1500 1 1000",
    "priority 1 8 1 4",
    "protected bool",
)
RUNGS = (
    "amplitude_65 lost 650 0",
    "under_72 under 720 20",
    "over_120 over 1200 0",
    "under_80 under 800 200",
    "over_113 over 1130 500",
    "frequency_3hz frequency 3000 1000",
    "under_87 under 870 3000",
    "under_90 under 900 60000",
    "over_110 over 1100 60000",
)


def word(table: str, number: int | None) -> str:
    """Return the word of `number` in a table, "" where there is none."""
    words = table.split(" ")
    found = words[number] if number is not None and 0 <= number < len(words) else "-"
    return "" if found == "-" else found


def place(table: str, name: str) -> int:
    """Return the number of a word, -1 where it has none."""
    words = table.split(" ")
    return words.index(name) if name in words else -1
