"""Files in Slack: asked for, uploaded, completed, served, deleted."""

import json
import mimetypes
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.http import BadBody, Upload, arguments
from simulator.slack import payloads, rooms
from simulator.slack.socket import Link
from simulator.slack.state import BOT_USER, SlackFile, SlackRefusal

Json = dict[str, Any]


async def upload_url(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """files.getUploadURLExternal."""
    try:
        length = int(a.get("length") or 0)
    except ValueError as broken:
        raise SlackRefusal("invalid_arguments") from broken
    if length < 1 or not a.get("filename"):
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] filename and a length above 0 are needed"])
    slack = link.world.slack
    file = SlackFile(
        slack.number("F"),
        str(a["filename"]),
        length,
        secrets.token_hex(16),
        created=int(link.world.now().timestamp()),
    )
    slack.files[file.id] = file
    return {"upload_url": f"{link.world.url}/upload/{file.upload}", "file_id": file.id}


async def complete_upload(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """files.completeUploadExternal; with a channel the file is posted there."""
    world = link.world
    listed = a.get("files") or []
    listed = json.loads(listed) if isinstance(listed, str) else listed
    numbers = []
    for given in listed:
        file = world.slack.files.get(given.get("id"))
        if file is None or file.deleted:
            raise SlackRefusal("file_not_found")
        if file.data is None:
            raise SlackRefusal("file_update_failed")
        file.title = given.get("title") or file.name
        numbers.append(file.id)
    if not numbers:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] files are needed"])
    if channel_id := a.get("channel_id") or a.get("channels"):
        channel = rooms.channel_for(world, channel_id)
        if not channel.bot_in:
            raise SlackRefusal("not_in_channel")
        rooms.add(
            world,
            channel,
            BOT_USER,
            a.get("initial_comment") or "",
            thread_ts=a.get("thread_ts"),
            files=numbers,
        )
        for number in numbers:
            world.slack.files[number].channels.append(channel.id)
    return {"files": [payloads.file_object(world, number) for number in numbers]}


async def delete_file(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """files.delete: gone from every message."""
    file = link.world.slack.files.get(str(a.get("file")))
    if file is None:
        raise SlackRefusal("file_not_found")
    if file.deleted:
        raise SlackRefusal("file_deleted")
    file.deleted, file.data = True, None
    for channel in link.world.slack.channels.values():
        for post in [p for p in channel.posts if file.id in p.files]:
            post.files.remove(file.id)
            if not post.files and not post.text and not post.blocks:
                rooms.remove(link.world, channel, post)
    link.world.changed()
    return {}


async def file_info(link: Link, a: Json, uploads: list[Upload]) -> Json:
    """files.info."""
    file = link.world.slack.files.get(str(a.get("file")))
    if file is None:
        raise SlackRefusal("file_not_found")
    if file.deleted:
        raise SlackRefusal("file_deleted")
    return {"file": payloads.file_object(link.world, file.id)}


def routes(link: Link) -> list[Route]:
    """Where files are sent to, and where they are fetched from."""

    async def receive(request: Request) -> Response:
        if link.world.trouble.slack_down:
            return Response("", 503)
        wanted = request.path_params["upload"]
        file = next((f for f in link.world.slack.files.values() if f.upload == wanted), None)
        if file is None or file.data is not None:
            return Response("no such upload", 404)
        if "multipart" in request.headers.get("content-type", ""):
            try:
                _, uploads = await arguments(request)
            except BadBody as broken:
                return Response(str(broken), 400)
            data = uploads[0].data if uploads else b""
        else:
            data = await request.body()
        if len(data) != file.length:
            return Response("the length is another than announced", 400)
        file.data = data
        file.mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Response(f"OK - {len(data)}")

    async def send(request: Request) -> Response:
        file = link.world.slack.files.get(request.path_params["file"])
        allowed = request.headers.get("authorization") == f"Bearer {link.world.slack.bot_token}"
        if file is None or file.data is None or not allowed:
            return Response("not found", 404)
        return Response(file.data, media_type=file.mime)

    return [Route("/upload/{upload}", receive, methods=["POST"]), Route("/files/{file}/{name}", send)]
