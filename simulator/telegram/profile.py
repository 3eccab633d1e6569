"""Methods about the bot, its commands and descriptions, its chats and files."""

from collections.abc import Awaitable, Callable
from typing import Any

from simulator.http import Upload
from simulator.state.telegram_state import BOT_ID, Person, bad_request
from simulator.state.world import World
from simulator.telegram import message_rules

Json = dict[str, Any]


async def get_me(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    return world.telegram.bot_user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": world.telegram.topics_enabled,
        "allows_users_to_create_topics": world.telegram.topics_enabled,
    }


async def set_my_commands(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """setMyCommands, per scope and language."""
    commands = arguments["commands"]
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name, description = command["command"].removeprefix("/"), command["description"]
        if (
            not 1 <= len(name) <= 32
            or not all(c.islower() or c.isdigit() or c == "_" for c in name)
            or not name.isascii()
        ):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.telegram.commands[_scope(arguments)] = commands
    world.mark_changed()
    return True


async def get_my_commands(world: World, arguments: Json, uploads: list[Upload]) -> list[Json]:
    return world.telegram.commands.get(_scope(arguments), [])


async def set_menu_button(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """setChatMenuButton, for every chat."""
    world.telegram.menu_button = arguments.get("menu_button", {"type": "default"})
    return True


async def get_menu_button(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    return world.telegram.menu_button


def set_description(key: str, limit: int) -> Callable[[World, Json, list[Upload]], Awaitable[bool]]:
    """setMyDescription and its like: store the text of a language; `limit` is in characters."""

    async def method(world: World, arguments: Json, uploads: list[Upload]) -> bool:
        text = arguments.get(key, "")
        if len(text) > limit:
            raise bad_request(f"{key.replace('_', ' ')} is too long")
        world.telegram.descriptions[key, arguments.get("language_code", "")] = text
        world.mark_changed()
        return True

    return method


def get_description(key: str) -> Callable[[World, Json, list[Upload]], Awaitable[Json]]:
    """getMyDescription and its like."""

    async def method(world: World, arguments: Json, uploads: list[Upload]) -> Json:
        return {key: description(world, key, arguments.get("language_code", ""))}

    return method


def description(world: World, key: str, language: str) -> str:
    """The text in this language, or the default text; the name is never empty."""
    texts = world.telegram.descriptions
    text = texts.get((key, language), texts.get((key, ""), ""))
    return text or (world.telegram.bot_name if key == "name" else "")


def commands_for(world: World, language: str) -> list[Json]:
    """The commands that a private chat shows: the narrowest scope first, then the language."""
    commands = world.telegram.commands
    for scope in ("all_private_chats", "default"):
        for code in (language, ""):
            if (scope, code) in commands:
                return commands[scope, code]
    return []


def _scope(arguments: Json) -> tuple[str, str]:
    return arguments.get("scope", {}).get("type", "default"), arguments.get("language_code", "")


async def get_chat(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    chat = message_rules.find_chat(world, arguments["chat_id"])
    gifts = "unlimited_gifts limited_gifts unique_gifts premium_subscription gifts_from_channels"
    return chat.api_chat() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts.split(), False),
    }


async def get_chat_member(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """getChatMember, for the bot itself and for members of a group."""
    chat = message_rules.find_chat(world, arguments["chat_id"])
    if arguments["user_id"] == BOT_ID:
        return {"user": world.telegram.bot_user(), "status": "member"}
    person = world.telegram.people.get(arguments["user_id"])
    if person is None or (not isinstance(chat, Person) and person.id not in chat.members):
        raise bad_request("PARTICIPANT_ID_INVALID")
    return {"user": person.api_user(), "status": "member"}


async def leave_chat(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    chat = message_rules.find_chat(world, arguments["chat_id"])
    if isinstance(chat, Person):
        raise bad_request("chat member status can't be changed in private chats")
    chat.bot_in = False
    world.mark_changed()
    return True


async def get_file(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    """getFile, at most 20 MB."""
    stored = world.telegram.files.get(arguments["file_id"])
    if stored is None:
        raise bad_request("invalid file_id")
    if len(stored.data) > message_rules.DOWNLOAD_MAX:
        raise bad_request("file is too big")
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": len(stored.data),
        "file_path": stored.path,
    }
