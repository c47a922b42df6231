"""A PDU of two outlets by somebody who has read only spec/mqtt.md: paho and json, nothing of loadcenter."""

import argparse
import contextlib
import json
import pathlib
import random
import time

import paho.mqtt.client as mqtt

options = {"host": "127.0.0.1", "port": 1883, "user": "stranger", "password": "", "root": "loadcenter"}
options |= {"flash": "stranger.json", "outbox": 64, "period-s": 1.0, "resend-s": 6.0}
parser = argparse.ArgumentParser(description=__doc__)
for name, default in options.items():
    parser.add_argument(f"--{name}", type=type(default), default=default)
args = parser.parse_args()

STARTED, TOPIC, FLASH = time.monotonic(), f"{args.root}/v1/{args.user}/", pathlib.Path(args.flash)
WAS = json.loads(FLASH.read_text()) if FLASH.exists() else {"boot": 0, "telemetry": 0, "event": []}
BOOT = WAS["boot"] + 1
BIRTH = {"min_v": 1, "max_v": 1, "model": "stranger", "fw": "1", "outlets": 2, "period_ms": 1000}
BIRTH |= {"nominal": {"v_mv": 230000, "f_mhz": 50000}, "ratings": {"outlet_ma": 4000, "total_ma": 8000}}
SOURCES = {"main": {"v_mv": 230000, "f_mhz": 50000}, "backup": {"v_mv": None, "f_mhz": None, "q": "invalid"}}
seq, when = {"event": 0, "telemetry": 0}, {"sample": STARTED, "resend": 0.0}
held = {"event": WAS["event"], "telemetry": []}
state = {"active": "main", "live": True, "isolator": "closed", "src": {"main": "good", "backup": "bad"}}
state |= {"out": [{"n": n, "on": True, "cause": "restore"} for n in (1, 2)], "settings": 0, "n": 0}


def stamp(**fields):
    return {"v": 1, "boot": BOOT, "up_ms": int((time.monotonic() - STARTED) * 1000), **fields}


def say(leaf, body):
    client.publish(f"{TOPIC}up/{leaf}", json.dumps(body), 1, retain=leaf in ("birth", "state", "status"))


def record(stream, **fields):
    seq[stream] += 1
    held[stream].append(stamp(seq=seq[stream], **fields))
    if len(box := held["telemetry"]) > args.outbox:  # MQTT-17
        last = box[args.outbox // 2 - 1]["seq"]
        box[: args.outbox // 2] = [gap("overflow", box[0].get("from", box[0]["seq"]), last)]
    FLASH.write_text(json.dumps(stamp(telemetry=seq["telemetry"], event=held["event"])))
    if client.is_connected():
        say(stream, held[stream][-1])


def gap(reason, first, last):
    return stamp(**{"from": first}, seq=last, gap={"reason": reason, "count": last - first + 1})


def on_connect(*_):
    client.subscribe(TOPIC + "down/#", 1)
    say("birth", stamp(**BIRTH))
    say("state", stamp(**state))
    say("status", {"v": 1, "status": "online"})
    when["resend"] = 0.0


def on_message(_client, _userdata, message):
    leaf = message.topic.rsplit("/", 1)[1]
    if leaf == "command" and message.retain and message.payload:  # MQTT-42
        record("event", code="command_refused", data={"code": "retained"})
    elif leaf in ("ack", "command", "desired") and message.payload:
        {"ack": ack, "command": command, "desired": desired}[leaf](json.loads(message.payload))


def ack(stored):
    for stream, box in held.items():
        left = [r for r in box if r["boot"] != stored["boot"] or r["seq"] > stored[stream]]
        when["resend"] = when["resend"] if len(left) == len(box) else time.monotonic() + args.resend_s
        first = [r.get("from", r["seq"]) for r in left if r["boot"] == BOOT] + [seq[stream] + 1]
        if stored["boot"] == BOOT and first[0] > stored[stream] + 1:  # MQTT-18
            left.append(gap("not_held", stored[stream] + 1, first[0] - 1))
            when["resend"] = 0.0
        box[:] = sorted(left, key=lambda r: (r["boot"], r["seq"]))


def command(order):
    late, known = stamp()["up_ms"] > order["exp_up_ms"], order["do"] == "switch"
    code = "expired" if late else "ok" if known else "not_supported"
    code = "other_boot" if order["boot"] != BOOT else "repeated" if order["n"] <= state["n"] else code
    if order["boot"] == BOOT:
        state["n"] = max(state["n"], order["n"])
    if code == "ok":
        cause = "person_on" if order["on"] else "person_off"
        state["out"][order["out"] - 1].update(on=order["on"], cause=cause)
        record("event", code="switched", out=order["out"], cause=cause)
    say("state", stamp(**state))
    status = {"ok": "confirmed", "expired": "expired"}.get(code, "rejected")
    say("result", stamp(id=order["id"], n=order["n"], status=status, code=code))


def desired(settings):
    if settings["version"] > state["settings"]:
        good = all(100 <= out.get("limit_ma", 4000) <= 10000 for out in settings["out"])  # MQTT-50
        state["settings"] = settings["version"] if good else state["settings"]
        record("event", code="settings_applied" if good else "settings_refused")
        say("state", stamp(**state))


def sample():
    power = [(o["n"], o["on"], 115000 * o["on"]) for o in state["out"]]
    out = [
        {"n": n, "on": on, "i_ma": p // 230, "p_mw": p, "e_mwh": seq["telemetry"] * 32} for n, on, p in power
    ]
    record("telemetry", active="main", live=True, src=SOURCES, out=out, dt_ms=int(args.period_s * 1000))


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=args.user)
client.username_pw_set(args.user, args.password)
client.will_set(TOPIC + "up/status", '{"v":1,"status":"offline"}', 1, retain=True)
client.on_connect, client.on_message = on_connect, on_message
closes = {"boot": WAS["boot"], "telemetry": WAS["telemetry"]} if WAS["boot"] else None
record("event", code="boot", data={"closes": closes})
client.connect(args.host, args.port, keepalive=10)
while True:
    if client.loop(0.02) != mqtt.MQTT_ERR_SUCCESS:
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            client.reconnect()
    if time.monotonic() >= when["sample"]:
        when["sample"] += args.period_s
        sample()
    if client.is_connected() and time.monotonic() >= when["resend"]:
        when["resend"] = time.monotonic() + args.resend_s * random.uniform(1, 1.2)  # MQTT-15
        [say(stream, r) for stream, box in held.items() for r in box]
