"""The ASGI application: both platforms and the page, over one world."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from simulator import page_api, slack_api, telegram_api
from simulator.slack_link import Link
from simulator.telegram_updates import WebhookDelivery
from simulator.world import World


def build(world: World, link: Link | None = None) -> Starlette:
    """All routes; webhooks are delivered while the application runs."""
    link = link or Link(world)
    delivery = WebhookDelivery(world)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(delivery.run())
        try:
            yield
        finally:
            running.cancel()
            delivery.stop()
            link.stop()
            world.changes.close()
            world.telegram.arrived.set()
            await link.disconnect(say=False)
            await asyncio.gather(running, return_exceptions=True)

    return Starlette(
        routes=[*page_api.routes(link), *telegram_api.routes(world), *slack_api.routes(link), *link.routes()],
        lifespan=lifespan,
    )
