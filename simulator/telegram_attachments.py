"""Files that people send, as a Message tells of them."""

from typing import Any

from simulator import samples
from simulator.http_body import Upload
from simulator.telegram_state import StoredFile
from simulator.world import World

Json = dict[str, Any]


class Impossible(Exception):
    """A thing the app does not offer; the message says what instead."""


def content_of(world: World, kind: str, upload: Upload, seconds: int) -> tuple[Json, StoredFile]:
    """The part of a Message that tells of a file, and the file. Raises Impossible for unknown kinds."""
    telegram = world.telegram
    stored = telegram.keep_file(upload.data, name=upload.name, mime=upload.mime, folder=_folder(kind))
    base: Json = {"file_id": stored.file_id, "file_unique_id": stored.unique_id}
    size = {"file_size": len(upload.data)}
    named = {"file_name": upload.name, "mime_type": upload.mime}
    match kind:
        case "photo":
            return {"photo": _sizes(world, upload, stored)}, stored
        case "document":
            return {"document": {**named, **base, **size}}, stored
        case "voice":
            return {"voice": {"duration": seconds or 3, "mime_type": upload.mime, **base, **size}}, stored
        case "audio":
            return {"audio": {"duration": seconds or 3, **named, **base, **size}}, stored
        case "video":
            return {
                "video": {"duration": seconds or 3, "width": 640, "height": 480, **named, **base, **size}
            }, stored
        case "video_note":
            return {"video_note": {"duration": seconds or 3, "length": 240, **base, **size}}, stored
        case "animation":
            moving = {"duration": seconds or 3, "width": 320, "height": 240, **named, **base, **size}
            return {"animation": moving, "document": {**named, **base, **size}}, stored
        case "sticker":
            return {
                "sticker": {
                    "width": 512,
                    "height": 512,
                    "emoji": "🙂",
                    "is_animated": False,
                    "is_video": False,
                    "type": "regular",
                    **base,
                    **size,
                }
            }, stored
    raise Impossible(f"There is no kind of file called {kind!r}.")


def _folder(kind: str) -> str:
    return {
        "photo": "photos",
        "voice": "voice",
        "audio": "music",
        "video": "videos",
        "video_note": "video_notes",
        "animation": "animations",
        "sticker": "stickers",
    }.get(kind, "documents")


def _sizes(world: World, upload: Upload, largest: StoredFile) -> list[Json]:
    width, height = samples.dimensions(upload.data)
    sizes = []
    for wanted, divisor in (("small", 8), ("medium", 3), ("large", 1)):
        stored, data = largest, upload.data
        if divisor > 1:
            # We cannot scale an uploaded picture; the built-in one stands for the small sizes.
            data = samples.picture(0, wanted)
            stored = world.telegram.keep_file(data, name=f"{wanted}.jpg", mime="image/jpeg", folder="photos")
        sizes.append(
            {
                "file_id": stored.file_id,
                "file_unique_id": stored.unique_id,
                "file_size": len(data),
                "width": max(1, width // divisor),
                "height": max(1, height // divisor),
            }
        )
    return sizes
