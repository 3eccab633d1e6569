"""A bot that answers each message at once and stores nothing: the ceiling of `benchmarks.prompt`."""

from __future__ import annotations

import asyncio
import sys

from telegram import Bot


async def answer(url: str) -> None:
    """Poll and answer until killed."""
    offset = 0
    async with Bot("1:t", base_url=f"{url}/bot") as bot:
        while True:
            for update in await bot.get_updates(offset=offset, timeout=10):
                offset = update.update_id + 1
                if update.effective_chat is not None:
                    await bot.send_message(update.effective_chat.id, "Heard")


if __name__ == "__main__":
    asyncio.run(answer(sys.argv[1]))
