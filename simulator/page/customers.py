"""What the page's phone does."""

from typing import Any

from starlette.requests import Request

from simulator import samples
from simulator.http import BadBody, Upload, arguments
from simulator.slack.socket import Link
from simulator.telegram import people
from simulator.telegram.people import TelegramImpossible, WritingPlace
from simulator.telegram.state import Person
from simulator.world import World

Json = dict[str, Any]


async def add(link: Link, request: Request) -> Json:
    """A new customer."""
    asked, _ = await arguments(request)
    name = str(asked.get("name", "")).strip()
    if not name:
        raise BadBody("A customer needs a name.")
    person = people.add_person(
        link.world,
        name,
        str(asked.get("language") or "en"),
        username=asked.get("username") or None,
    )
    return {"id": person.id}


async def act(link: Link, request: Request) -> Json:
    """One act of one customer."""
    world = link.world
    person = world.telegram.people[request.path_params["id"]]
    asked, uploads = await arguments(request)
    match request.path_params["act"]:
        case "text":
            message = people.write(
                world, WritingPlace(person), str(asked.get("text", "")), reply_to=asked.get("reply_to")
            )
            return {"message": message.id}
        case "edit":
            people.edit(world, person, int(asked["message"]), str(asked.get("text", "")))
        case "press":
            _press(world, person, asked)
        case "block":
            people.block(world, person, bool(asked.get("blocked")))
        case "read":
            person.unread = 0
            world.changed()
        case "language":
            person.language = str(asked["language"])
            world.changed()
        case other:
            _send(world, person, other, asked, uploads)
    return {}


def _send(world: World, person: Person, act: str, asked: Json, uploads: list[Upload]) -> None:
    place, caption = WritingPlace(person), str(asked.get("caption") or "")
    match act:
        case "files":
            kind = str(asked.get("kind") or "document")
            people.send_files(
                world, place, kind, uploads, caption=caption, seconds=int(asked.get("seconds") or 0)
            )
        case "voice":
            people.send_files(
                world, place, "voice", [sample_voice(seconds := _seconds(asked))], seconds=seconds
            )
        case "photo":
            count = min(max(int(asked.get("count") or 1), 1), 10)
            people.send_files(world, place, "photo", [sample_photo(n) for n in range(count)], caption=caption)
        case "location":
            people.send_location(world, place, float(asked["latitude"]), float(asked["longitude"]))
        case "contact":
            people.send_contact(world, place, str(asked["name"]), str(asked["phone"]))
        case other:
            raise LookupError(other)


def _seconds(asked: Json) -> int:
    return min(max(int(asked.get("seconds") or 3), 1), 600)


def sample_voice(seconds: int) -> Upload:
    """The built-in voice note."""
    return Upload("file", "voice.ogg", "audio/ogg", samples.voice(seconds))


def sample_photo(number: int) -> Upload:
    """A built-in picture."""
    return Upload("file", f"photo{number + 1}.jpg", "image/jpeg", samples.picture(number))


def _press(world: World, person: Person, asked: Json) -> None:
    number, data = int(asked["message"]), asked.get("data")
    if data is None:
        message = world.telegram.message(person.id, number)
        buttons = [b for row in message.keyboard for b in row] if message else []
        button = next((b for b in buttons if b["text"] == asked.get("text")), None)
        if button is None:
            raise TelegramImpossible("There is no such button under that message any more.")
        data = button.get("callback_data", "")
    people.press(world, person, number, str(data))
