"""The serial line to the UNO: UART0, which is the REPL until this opens it."""

import asyncio
import os

import machine

BAUD = 57600  # 115,200 is 2.1 % off on an ATmega at 16 MHz
BUFFER = 512  # bytes: 90 ms at full speed, in which flash may be erased or TLS may reckon


async def open_line() -> tuple:
    """Return (reader, writer) of asyncio; from now on the board has no REPL."""
    os.dupterm(None, 1)
    uart = machine.UART(0, baudrate=BAUD, rxbuf=BUFFER)
    stream = asyncio.StreamReader(uart)
    return stream, stream
