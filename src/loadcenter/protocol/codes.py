"""Every code of the contract with its meaning. Generated from `spec/codes.toml` by `scripts/generate_codes.py`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One word of the contract: number on the serial line, meaning, and what a person can do."""

    number: int
    meaning: str
    remedy: str
    severity: str = ""


CODES: dict[str, dict[str, Code]] = {
    "event": {
        "boot": Code(1, "the PDU has started; data.closes tells the last telemetry number of the boot before", "none; if it happens often, look at the supply and at data.reset_cause", "info"),
        "source_lost": Code(2, "a source has left its limits", "check the supply of that inlet", "warning"),
        "source_restored": Code(3, "a source is good again", "none", "info"),
        "transfer": Code(4, "the transfer switch has moved from one source to the other", "see its cause", "warning"),
        "outage": Code(5, "no usable source: the outlets are dead", "bring back a source; outlets return by themselves", "critical"),
        "outage_end": Code(6, "the bus is live again", "none", "info"),
        "trip": Code(7, "an outlet was opened by protection and stays latched", "find the cause at the load, then reset the trip", "critical"),
        "trip_reset": Code(8, "a person has reset a latched trip; the outlet is off until switched on", "none", "info"),
        "switched": Code(9, "an outlet was switched on or off", "see its cause", "info"),
        "overvoltage": Code(10, "the active source is above its upper limit", "check the supply of that inlet", "critical"),
        "undervoltage": Code(11, "the active source is below its lower limit", "check the supply of that inlet", "warning"),
        "relay_welded": Code(12, "current flows through an outlet that was commanded off", "the outlet cannot be switched off: unplug the load and replace the relay", "critical"),
        "settings_applied": Code(13, "the PDU runs a new version of its settings", "none", "info"),
        "settings_refused": Code(14, "the PDU has refused settings that are out of range", "correct the setting named in data and save again", "warning"),
        "command_refused": Code(15, "the PDU has refused a command without acting on it", "see data.code", "warning"),
        "transfer_lockout": Code(16, "too many transfers within an hour: returns and manual transfers wait", "clear it, or wait 60 min; leaving a bad source stays allowed", "warning"),
        "redundancy_lost": Code(17, "the idle source is not usable: an outage now would not be bridged", "check the supply of that inlet", "warning"),
        "redundancy_restored": Code(18, "the idle source is usable again", "none", "info"),
        "shed": Code(19, "an outlet was opened to keep a source within its budget, or at its own limit", "reduce the load, raise the budget or change the priorities", "warning"),
        "restored": Code(20, "an outlet that was shed is closed again", "none", "info"),
        "over_budget": Code(21, "only loads that are never shed are left, and they are over the budget", "switch something off: the curve of the source decides otherwise", "critical"),
        "within_budget": Code(22, "the total is within the budget again", "none", "info"),
        "shed_futile": Code(23, "shedding did not bring the measured total down: it has stopped", "look for a welded relay or a load that is not behind its outlet", "warning"),
        "limit_exceeded": Code(24, "an outlet has been over its limit for its time; its action is to warn", "reduce the load of that outlet", "warning"),
        "limit_cleared": Code(25, "an outlet is below its limit again", "none", "info"),
        "breaker_failure": Code(26, "an outlet that was tripped still carries current: the bus isolator was opened", "unplug the load, replace the relay, then reset the trip", "critical"),
        "suspected_open": Code(27, "an outlet has drawn nothing in three closings, and drew before", "check the load, its plug and the relay", "warning"),
        "sensor_fault": Code(28, "a current sensor is stuck, open or saturated: the current of that outlet is not known", "check the sensor; the outlet is left as it is and is not protected by its current", "critical"),
        "sensor_restored": Code(29, "the current sensor measures again", "none", "info"),
        "lockout_end": Code(30, "returns and manual transfers are allowed again", "none", "info"),
        "locked": Code(31, "a person has locked or unlocked an outlet", "none", "info"),
        "nominal_mismatch": Code(32, "the measured frequency is not the nominal one the PDU was set up for", "set the nominal voltage and frequency of the board to those of the supply", "critical"),
        "self_test_failed": Code(33, "the PDU has found a fault in itself", "see the name of the test in its data; replace the board if it returns", "critical"),
        "link_lost": Code(34, "the gateway of the PDU hears one of its neighbours no more: data.link is unit or broker", "unit: look at the wire and the board that measures; broker: at the network", "warning"),
        "link_found": Code(35, "the gateway of the PDU hears that neighbour again", "none", "info"),
    },
    "cause": {
        "protection": Code(1, "a latched trip holds the outlet open", "reset the trip"),
        "lock": Code(2, "the outlet is locked in its state", "unlock it first"),
        "person_off": Code(3, "a person has switched it off", "switch it on"),
        "shed": Code(4, "shed to keep a source within its budget", "it returns when there is room"),
        "person_on": Code(5, "a person has switched it on", "none"),
        "schedule": Code(6, "a schedule has switched it", "see the schedule"),
        "restore": Code(7, "the power-restore policy has set it at start-up", "none"),
        "source_lost": Code(20, "the active source was lost or left its limits", "check that supply"),
        "overvoltage": Code(21, "the active source was above its upper limit", "check that supply"),
        "retransfer": Code(22, "return to the preferred source after it was good for its delay", "none"),
        "manual": Code(23, "a person asked for it", "none"),
        "start_up": Code(24, "first choice of a source after start", "none"),
    },
    "trip": {
        "overcurrent": Code(1, "current over the limit for longer than its time", "unplug something from that outlet, then reset"),
        "instantaneous": Code(2, "peak current over the instantaneous threshold", "look for a short circuit at that outlet, then reset"),
        "inverse_time": Code(3, "current over the pick-up of the curve for the time of the curve", "unplug something from that outlet, then reset"),
        "overpower": Code(4, "real power over the limit for longer than its time", "unplug something from that outlet, then reset"),
        "thermal": Code(5, "the outlet has carried more than its rating for too long", "let it cool, unplug something, then reset"),
        "bus_total": Code(6, "all outlets together were over the rating of the transfer switch", "unplug something, then reset each outlet"),
        "breaker_failure": Code(7, "the outlet carried current although it was off", "unplug the load, replace the relay, then reset"),
    },
    "result": {
        "ok": Code(0, "done, and seen to be done", "none"),
        "expired": Code(1, "the command arrived after its expiry; nothing was switched", "send it again; if it repeats, look at the link"),
        "other_boot": Code(2, "the command was meant for an earlier start of the PDU; nothing was switched", "send it again"),
        "repeated": Code(3, "the number of the command is not above the last one; nothing was switched", "none: it was a copy"),
        "retained": Code(4, "a retained command is never carried out", "clear the retained message at the broker: publish an empty retained payload to that topic"),
        "malformed": Code(5, "the command cannot be read or misses a field", "compare it with spec/schema/v1/command.json"),
        "no_such_outlet": Code(6, "the PDU has no outlet of that number", "outlets count from 1; see birth.outlets"),
        "latched": Code(7, "the outlet is latched off by a trip", "find the cause at the load, reset the trip, then switch on"),
        "locked": Code(8, "the outlet is locked", "unlock it, then send the command again"),
        "source_not_good": Code(9, "the source that was asked for is not good", "wait until it is good for 2 s"),
        "already": Code(10, "it is so already", "none"),
        "lockout": Code(11, "too many transfers in an hour", "wait, or clear the lockout"),
        "not_confirmed": Code(12, "the relay was driven but the effect was not seen", "look at the load and the relay"),
        "superseded": Code(13, "a later command ended this one before it was done", "none"),
        "offline": Code(14, "the PDU is not connected; nothing was sent", "look at its power and its network"),
        "unreported": Code(15, "the PDU has not said its state yet", "wait a moment and try again"),
        "in_overcurrent": Code(16, "an overcurrent is in progress: a fault is not carried to the other source", "switch off the overloaded outlet first"),
        "not_supported": Code(17, "the PDU cannot do that", "see its documentation, or update the device"),
        "no_headroom": Code(18, "the source has no headroom for that outlet within its budget", "switch something off first, or wait until it is restored by itself"),
    },
    "gap": {
        "overflow": Code(1, "the outbox was full and old telemetry was dropped", "none; the energy counter carries the total across the gap"),
        "not_held": Code(2, "the server asks for records that the device no longer holds (a restored database)", "none"),
        "refused": Code(3, "the server could not read a record after three tries", "report it with the quarantine entry"),
        "reboot": Code(4, "telemetry held in memory was lost when the device restarted", "none"),
    },
    "refusal": {
        "unreadable": Code(1, "the payload is not JSON", "update the device; the bytes stand in the quarantine"),
        "unknown_version": Code(2, "the payload is of a contract version that this server does not speak", "update the side that the message names"),
        "wrong_type": Code(3, "a field is missing or of the wrong type", "compare with spec/schema"),
        "out_of_range": Code(4, "a value is outside its range in points.toml", "look at the sensor and the calibration of that channel"),
        "too_large": Code(5, "the payload is larger than 4096 bytes", "update the device"),
        "unknown_pdu": Code(6, "no device of that name is registered", "loadcenter device add"),
        "foreign_topic": Code(7, "the topic is not one of the contract", "compare with spec/mqtt.md"),
    },
}
