"""Files in Slack: upload in three steps, download, information and deletion."""

import json
import mimetypes
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.http import BadBody, Upload, read_arguments
from simulator.slack import conversations, payloads
from simulator.slack.socket import Link
from simulator.state.slack_state import BOT_USER, SlackFile, SlackRefusal
from simulator.state.world import World

Json = dict[str, Any]


async def upload_url(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    try:
        length = int(arguments.get("length") or 0)
    except ValueError as broken:
        raise SlackRefusal("invalid_arguments") from broken
    if length < 1 or not arguments.get("filename"):
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] filename and a length above 0 are needed"])
    slack = link.world.slack
    file = SlackFile(
        slack.new_id("F"),
        str(arguments["filename"]),
        length,
        secrets.token_hex(16),
        created=int(link.world.now().timestamp()),
    )
    slack.files[file.id] = file
    return {"upload_url": f"{link.world.url}/upload/{file.upload}", "file_id": file.id}


def upload_by_person(world: World, name: str, data: bytes) -> Json:
    """A file that a person put into a file input, as the state of the view has it."""
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = SlackFile(world.slack.new_id("F"), name, len(data), "", data, mime)
    world.slack.files[file.id] = file
    return payloads.file_object(world, file.id)


async def complete_upload(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """files.completeUploadExternal; with a channel, the files are posted there."""
    world = link.world
    entries = arguments.get("files") or []
    entries = json.loads(entries) if isinstance(entries, str) else entries
    file_ids = []
    for entry in entries:
        file = world.slack.files.get(entry.get("id"))
        if file is None or file.deleted:
            raise SlackRefusal("file_not_found")
        if file.data is None:
            raise SlackRefusal("file_update_failed")
        file.title = entry.get("title") or file.name
        file_ids.append(file.id)
    if not file_ids:
        raise SlackRefusal("invalid_arguments", messages=["[ERROR] files are needed"])
    if channel_id := arguments.get("channel_id") or arguments.get("channels"):
        channel = conversations.find_channel(world, channel_id)
        if not channel.bot_in:
            raise SlackRefusal("not_in_channel")
        conversations.add_post(
            world,
            channel,
            BOT_USER,
            arguments.get("initial_comment") or "",
            thread_ts=arguments.get("thread_ts"),
            files=file_ids,
        )
        for file_id in file_ids:
            world.slack.files[file_id].channels.append(channel.id)
    return {"files": [payloads.file_object(world, file_id) for file_id in file_ids]}


async def delete_file(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    """files.delete: also removes the file from every message."""
    file = link.world.slack.files.get(str(arguments.get("file")))
    if file is None:
        raise SlackRefusal("file_not_found")
    if file.deleted:
        raise SlackRefusal("file_deleted")
    file.deleted, file.data = True, None
    for channel in link.world.slack.channels.values():
        for post in [p for p in channel.posts if file.id in p.files]:
            post.files.remove(file.id)
            if not post.files and not post.text and not post.blocks:
                conversations.remove_post(link.world, channel, post)
    link.world.mark_changed()
    return {}


async def file_info(link: Link, arguments: Json, uploads: list[Upload]) -> Json:
    file = link.world.slack.files.get(str(arguments.get("file")))
    if file is None:
        raise SlackRefusal("file_not_found")
    if file.deleted:
        raise SlackRefusal("file_deleted")
    return {"file": payloads.file_object(link.world, file.id)}


def routes(link: Link) -> list[Route]:

    async def receive(request: Request) -> Response:
        if link.world.trouble.slack_down:
            return Response("", 503)
        wanted = request.path_params["upload"]
        file = next((f for f in link.world.slack.files.values() if f.upload == wanted), None)
        if file is None or file.data is not None:
            return Response("no such upload", 404)
        if "multipart" in request.headers.get("content-type", ""):
            try:
                _, uploads = await read_arguments(request)
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
