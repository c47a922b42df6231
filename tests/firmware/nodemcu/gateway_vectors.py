"""Runs the device's half of spec/vectors on the gateway's modules, under MicroPython or CPython.

    micropython gateway_vectors.py FOLDER_OF_VECTORS

Prints one line of JSON: how many steps were tried, and what was wrong.
"""

# ruff: noqa: PTH123, RUF005
import json
import sys

from orders import Orders
from outbox import Outbox


def vectors(folder, name):
    with open(folder + "/" + name + ".jsonl") as lines:
        return [json.loads(line) for line in lines]


def commands(vector):
    orders = Orders(vector["boot"])
    for step in vector["steps"]:
        yield orders.judge(step["order"], step["up_ms"], retained=step["retained"]), step["code"]


def spans(outbox):
    for at, held in enumerate(outbox.held):
        span = list(outbox.span(at))
        yield span + [held[3]] if isinstance(held, tuple) else span


def outboxes(vector):
    outbox = Outbox(7, vector["capacity"])
    for step in vector["steps"]:
        for _ in range(step.get("add", 0)):
            outbox.add(0)
        if "ack" in step:
            outbox.ack(step["ack"], 2000)
        yield list(spans(outbox)), step["held"]


def main(folder):
    tried, wrong = 0, []
    for name, play in (("commands", commands), ("outbox", outboxes)):
        for vector in vectors(folder, name):
            for found, expected in play(vector):
                tried += 1
                if found != expected:
                    wrong.append([vector["name"], found, expected])
    print(json.dumps({"tried": tried, "wrong": wrong}))


main(sys.argv[1])
