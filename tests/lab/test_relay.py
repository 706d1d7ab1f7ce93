"""A relay that is held lets nothing through, and nobody is told."""

import asyncio

import pytest

from meshforensics.lab._relay import Relay


def test_bytes_go_through_until_it_is_held() -> None:
    async def story() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data)

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        target = server.sockets[0].getsockname()[:2]
        relay = Relay(target)
        await relay.start("127.33.0.1", 15011)
        reader, writer = await asyncio.open_connection("127.33.0.1", 15011)

        writer.write(b"heard")
        assert await reader.read(100) == b"heard"
        relay.hold()
        writer.write(b"not heard")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(100), 0.2)

        await relay.end()
        writer.close()
        server.close()

    asyncio.run(story())
