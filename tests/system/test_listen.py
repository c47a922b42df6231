"""The socket of the web server: answers leave at once."""

import asyncio
import socket

from loadcenter.apps.server import listen


async def test_no_answer_waits_for_the_acknowledgement_of_its_head() -> None:
    """With Nagle's algorithm the body of an answer comes 40 ms after its head on a kept connection."""
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def served(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken = writer.get_extra_info("socket")
        seen.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = listen("127.0.0.1", 0)
    async with await asyncio.start_server(served, sock=bound):
        _, writer = await asyncio.open_connection(*bound.getsockname())
        assert await seen
        writer.close()
        await writer.wait_closed()
