"""The set-up page on a port of this machine, under MicroPython or CPython; ends when a configuration was saved.

micropython portal_server.py PORT FOLDER PAGE
"""

import asyncio
import sys

import config
from portal import Portal


async def main(port, folder, page):
    portal = Portal(lambda: ["home", "café"], lambda made: config.save(folder, made), page)
    server = await asyncio.start_server(portal.serve, "127.0.0.1", port)
    print("ready")
    await portal.done.wait()
    server.close()


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
