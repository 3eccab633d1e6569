"""Actions of the customers on the page's phone."""

from typing import Any

from starlette.requests import Request

from simulator import samples
from simulator.http import BadBody, Upload, read_arguments
from simulator.slack.socket import Link
from simulator.state.telegram import Person
from simulator.state.world import World
from simulator.telegram import people
from simulator.telegram.people import ChatAuthor, TelegramImpossible

Json = dict[str, Any]


async def add(link: Link, request: Request) -> Json:
    """Add a customer."""
    body, _ = await read_arguments(request)
    name = str(body.get("name", "")).strip()
    if not name:
        raise BadBody("A customer needs a name.")
    person = people.add_person(
        link.world,
        name,
        str(body.get("language") or "en"),
        username=body.get("username") or None,
    )
    return {"id": person.id}


async def act(link: Link, request: Request) -> Json:
    """Perform an action of a customer."""
    world = link.world
    person = world.telegram.people[request.path_params["id"]]
    body, uploads = await read_arguments(request)
    match request.path_params["act"]:
        case "text":
            message = people.write(
                world, ChatAuthor(person), str(body.get("text", "")), reply_to=body.get("reply_to")
            )
            return {"message": message.id}
        case "edit":
            people.edit(world, person, int(body["message"]), str(body.get("text", "")))
        case "press":
            _press(world, person, body)
        case "block":
            people.set_blocked(world, person, bool(body.get("blocked")))
        case "read":
            person.unread = 0
            world.mark_changed()
        case "language":
            person.language = str(body["language"])
            world.mark_changed()
        case other:
            _send(world, person, other, body, uploads)
    return {}


def _send(world: World, person: Person, act: str, body: Json, uploads: list[Upload]) -> None:
    author, caption = ChatAuthor(person), str(body.get("caption") or "")
    match act:
        case "files":
            kind = str(body.get("kind") or "document")
            people.send_files(
                world, author, kind, uploads, caption=caption, seconds=int(body.get("seconds") or 0)
            )
        case "voice":
            people.send_files(
                world, author, "voice", [sample_voice(seconds := _seconds(body))], seconds=seconds
            )
        case "photo":
            count = min(max(int(body.get("count") or 1), 1), 10)
            people.send_files(
                world, author, "photo", [sample_photo(n) for n in range(count)], caption=caption
            )
        case "location":
            people.send_location(world, author, float(body["latitude"]), float(body["longitude"]))
        case "contact":
            people.send_contact(world, author, str(body["name"]), str(body["phone"]))
        case other:
            raise LookupError(other)


def _seconds(body: Json) -> int:
    return min(max(int(body.get("seconds") or 3), 1), 600)


def sample_voice(seconds: int) -> Upload:
    """The built-in voice note."""
    return Upload("file", "voice.ogg", "audio/ogg", samples.voice(seconds))


def sample_photo(message_id: int) -> Upload:
    """A built-in picture."""
    return Upload("file", f"photo{message_id + 1}.jpg", "image/jpeg", samples.picture(message_id))


def _press(world: World, person: Person, body: Json) -> None:
    message_id, data = int(body["message"]), body.get("data")
    if data is None:
        message = world.telegram.find_message(person.id, message_id)
        buttons = [b for row in message.keyboard for b in row] if message else []
        button = next((b for b in buttons if b["text"] == body.get("text")), None)
        if button is None:
            raise TelegramImpossible("There is no such button under that message any more.")
        data = button.get("callback_data", "")
    people.press_button(world, person, message_id, str(data))
