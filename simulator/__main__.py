"""`python -m simulator --port 8410`: serve until interrupted; the first line has the addresses and tokens."""

import argparse
import asyncio
import json
import signal
import sys

from simulator.app import Simulator


async def _serve(host: str, port: int) -> None:
    async with Simulator(host=host, port=port) as sim:
        access = {
            "url": sim.url,
            "telegram_url": sim.telegram_url,
            "bot_token": sim.bot_token,
            "slack_url": sim.slack_url,
            "slack_bot_token": sim.slack_bot_token,
            "slack_app_token": sim.slack_app_token,
            "slack_signing_secret": sim.slack_signing_secret,
        }
        sys.stdout.write(json.dumps(access) + "\n")
        sys.stdout.flush()
        interrupted = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
        await interrupted.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.host, arguments.port))


if __name__ == "__main__":
    main()
