"""What tests drive in Slack: a member of staff who presses buttons, fills in modals and reads messages."""

from typing import Any

from simulator.screen import (
    Card,
    DisplayedPost,
    FormRefused,
    Modal,
    NotAcknowledged,
    NotVisible,
    Room,
    element_labelled,
)
from simulator.slack import people
from simulator.slack.file_uploads import upload_by_person
from simulator.slack.people import SlackImpossible
from simulator.slack.socket import Link
from simulator.state.slack_state import Channel, SlackMember, View

Json = dict[str, Any]


class StaffMember:
    """A member of staff. Each action returns when the app has acknowledged it."""

    def __init__(self, link: Link, member: SlackMember) -> None:
        self.link, self.world, self.member = link, link.world, member

    @property
    def id(self) -> str:
        return self.member.id

    def channel(self, channel_id: str) -> Room:
        """A channel as this member sees it. Raises NotVisible if the member is not in it."""
        channel = self.world.slack.channels.get(channel_id)
        if channel is None or self.member.id not in channel.members:
            raise NotVisible(f"{self.member.name} is not in {channel_id}.")
        return Room(self.world, self.member, channel)

    def sees(self, channel_id: str) -> bool:
        return any(c.id == channel_id for c in self.world.slack.visible_channels(self.member.id))

    async def presses(self, where: Card | Modal, label: str, *, value: str | None = None) -> None:
        """Press a button by label or action_id; `value` distinguishes equal buttons. Raises NotAcknowledged."""
        if isinstance(where, Card) and where.gone:
            raise SlackImpossible("That card is gone.")
        block_id, element = element_labelled(where.blocks, label, {"button"}, value)
        await self._act(where, block_id, element["action_id"], element.get("value"), label)

    async def chooses(self, where: Card | Modal, menu: str, option: str) -> None:
        """Choose an option by text or value in a menu by placeholder, label or action_id."""
        block_id, element = element_labelled(where.blocks, menu, None)
        await self._act(where, block_id, element["action_id"], option, option)

    async def _act(
        self, where: Card | Modal, block_id: str, action_id: str, value: str | None, label: str
    ) -> None:
        if isinstance(where, Modal):
            work = people.act_in_view(self.link, self.member, where.id, block_id, action_id, value)
        else:
            work = people.act_on_post(
                self.link, self.member, where.channel, where.ts, block_id, action_id, value
            )
        self._require_acknowledgement(await work, label)

    def _require_acknowledgement(self, acknowledged: bool, label: str) -> None:
        if not acknowledged:
            raise NotAcknowledged(f"{self.member.name} pressed {label!r}: {people.TROUBLE_NOTICE}")

    @property
    def modal(self) -> Modal | None:
        return Modal(self.world, self.member.views[-1]) if self.member.views else None

    async def opened(self, title: str = "", *, timeout: float = 10) -> Modal:  # noqa: ASYNC109
        """Wait for a modal on top with this text in its title or callback_id. Raises TimeoutError."""

        def top_modal() -> View | None:
            top = self.member.views[-1] if self.member.views else None
            return (
                top
                if top
                and (title in Modal(self.world, top).title or title in top.content.get("callback_id", ""))
                else None
            )

        if not await self.world.changes.wait_until(top_modal, timeout):
            top = self.modal
            raise TimeoutError(
                f"{self.member.name} saw no modal {title!r} within {timeout} s; "
                f"on top: {top.title if top else None}; "
                f"refused: {self.world.slack.refusals[-3:]}"
            )
        return self._top()

    def _top(self) -> Modal:
        if self.modal is None:
            raise SlackImpossible(f"{self.member.name} has no modal open.")
        return self.modal

    async def fills(self, values: Json | None = None, /, **named: Any) -> None:
        """Fill in the modal on top by block_id or label; choose options by value or visible text."""
        modal = self._top()
        for key, value in ((values or {}) | named).items():
            people.type_into(modal.view, {modal.block_for(key): value})
        self.world.mark_changed()

    def attaches(self, label: str, *files: tuple[str, bytes]) -> None:
        """Upload these files, by name and content, into the file input of the modal on top."""
        modal = self._top()
        block_id = modal.block_for(label)
        entries = [upload_by_person(self.world, name, data) for name, data in files]
        people.type_into(modal.view, {block_id: entries})
        self.world.mark_changed()

    async def submits(self, *, expect_errors: bool = False) -> Modal | None:
        """Submit the modal on top and return the modal that is then on top. Raises FormRefused, NotAcknowledged."""
        view = self._top().view
        await people.submit_view(self.link, self.member, view.id, {})
        if view.notice:
            raise NotAcknowledged(f"{view.notice} {self.world.slack.refusals[-1:]}")
        if view.errors and view in self.member.views and not expect_errors:
            raise FormRefused(dict(view.errors))
        return self.modal

    async def closes(self, *, all: bool = False) -> None:  # noqa: A002
        await people.close_view(self.link, self.member, self._top().view.id, all_of_them=all)

    async def runs(self, text: str, *, channel: str | None = None) -> None:
        """Type a slash command, by default in the member's first channel. Raises NotAcknowledged."""
        channel_id = channel or self.world.slack.visible_channels(self.member.id)[0].id
        if not await people.run_command(self.link, self.member, text, channel_id):
            raise NotAcknowledged(self.notice or text)

    async def shortcut(self, callback_id: str) -> None:
        self._require_acknowledgement(
            await people.use_shortcut(self.link, self.member, callback_id), callback_id
        )

    async def message_shortcut(self, callback_id: str, card: DisplayedPost) -> None:
        acknowledged = await people.use_shortcut(
            self.link, self.member, callback_id, channel_id=card.channel, ts=card.ts
        )
        self._require_acknowledgement(acknowledged, callback_id)

    async def says(
        self,
        channel: str,
        text: str,
        *,
        thread: DisplayedPost | None = None,
        files: tuple[tuple[str, bytes], ...] = (),
    ) -> DisplayedPost:
        """Write in a channel or thread, with files by name and content."""
        ids = [str(upload_by_person(self.world, name, data)["id"]) for name, data in files]
        thread_ts = thread.ts if thread else None
        post = people.write(self.link, self.member, channel, text, thread_ts, files=ids)
        return DisplayedPost(self.world, self.world.slack.channels[channel], post)

    async def edits(self, written: DisplayedPost, text: str) -> None:
        channel = self.world.slack.channels[written.channel]
        people.change_message(self.link, channel, written.post, text)

    async def deletes(self, written: DisplayedPost) -> None:
        channel = self.world.slack.channels[written.channel]
        people.change_message(self.link, channel, written.post, None)

    async def joins(self, channel_id: str) -> None:
        """Join a channel; the app gets member_joined_channel."""
        people.change_membership(self.link, self.member, channel_id, joins=True)

    async def leaves(self, channel_id: str) -> None:
        """Leave a channel; the app gets member_left_channel."""
        people.change_membership(self.link, self.member, channel_id, joins=False)

    async def opens_home(self) -> None:
        people.open_home(self.link, self.member)

    @property
    def home(self) -> Modal | None:
        return Modal(self.world, self.member.home) if self.member.home else None

    @property
    def direct_messages(self) -> list[Card]:
        """The app's messages in the direct conversation, oldest first."""
        channel = self._direct()
        posts = [p for p in channel.posts if p.by_bot and not p.deleted] if channel else []
        return [Card(self.world, channel, p) for p in posts] if channel else []

    def _direct(self) -> Channel | None:
        return next((c for c in self.world.slack.channels.values() if c.direct_with == self.member.id), None)

    @property
    def ephemerals(self) -> list[Card]:
        """The ephemeral messages for this member, oldest first."""
        return [
            Card(self.world, channel, post)
            for channel in self.world.slack.visible_channels(self.member.id)
            for post in channel.posts
            if post.visible_to == self.member.id and not post.deleted
        ]

    @property
    def notice(self) -> str | None:
        """The last notice of Slack's own client."""
        return self.member.notice[0] if self.member.notice else None

    @property
    def files(self) -> list[tuple[str, bytes]]:
        """Files in the direct conversation: names and bytes."""
        files = [
            self.world.slack.files[file_id] for card in self.direct_messages for file_id in card.post.files
        ]
        return [(file.name, file.data or b"") for file in files]
