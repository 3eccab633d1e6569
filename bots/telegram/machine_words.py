"""Words that machines make of what complainants send, for staff: transcripts of recordings, and translations."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bots.dialogue.inputs import IncomingMessage, Transcript, Translation
from bots.recovery import Handler
from bots.texts.phrases import AUDIBLE
from complaints.actions.intake import TRANSCRIPT
from store.cases.export import read_stored_file
from store.cases.read import load_words_to_translate
from store.files import load_file_to_fetch
from store.outbox.complete import Completed, Failed, Outcome, RateLimited, Retry
from store.store import Store
from store.values import Chat, DialogueTurn, FileToFetch, Obligation, PlannedAct
from triage.matching import LANGUAGES
from triage.safety.language import clear_language, words_of

#: Attempts in about ten minutes and the time that the machine takes. Then the staff are informed.
ATTEMPTS = 8
#: Each machine does one job at a time, because it takes a whole processor. Look again after so many seconds.
BUSY_SECONDS = 2.0

#: Records what the dialogue makes of the words, under this key in this chat; it completes this obligation.
Record = Callable[[str, Chat, IncomingMessage, int], Awaitable[None]]
#: From a text and the codes of its language and of the wanted one to the translation; None if it failed.
Translate = Callable[[str, str, str], Awaitable[str | None]]


@dataclass(frozen=True)
class Speech:
    """How recordings of up to `max_seconds` are written down; `transcribe` returns None if it failed."""

    transcribe: Callable[[bytes], Awaitable[str | None]]
    max_seconds: int

    def takes(self, file: FileToFetch) -> bool:
        return file.kind in AUDIBLE and (file.seconds or 0) <= self.max_seconds


@dataclass(frozen=True)
class Translator:
    """How words are translated into the language `target`, and the languages `reads` that staff read anyway."""

    translate: Translate
    target: str
    reads: frozenset[str]

    def mark(self, turn: DialogueTurn) -> DialogueTurn:
        """The turn with the acts marked whose words may be in another language than staff read."""
        return replace(
            turn, acts=tuple(replace(act, translate=self._is_for_translation(act)) for act in turn.acts)
        )

    def _is_for_translation(self, act: PlannedAct) -> bool:
        # What comes without a message id is the label of a button, which has a code.
        is_written = act.facts.get("source") is not None or act.facts.get("kind") == TRANSCRIPT
        text = "\n".join(act.words.values())
        return is_written and bool(text) and clear_language(words_of(text), LANGUAGES) not in self.reads

    def language_to_translate(self, text: str, language: str) -> str | None:
        """The language of a text that staff do not read; `language` where its words do not decide."""
        # Imported here: commands start without the language model.
        from triage.text import detect_language, normalise

        if not any(character.isalpha() for character in text):
            return None
        detected = clear_language(words_of(text), LANGUAGES) or detect_language(normalise(text)) or language
        return None if detected in self.reads else detected

    async def translate_all(
        self, words: Mapping[str, str], language: str
    ) -> tuple[Mapping[str, str], str] | None:
        """The translations by field, and the language of the originals; None if one failed."""
        translations: dict[str, str] = {}
        original = language
        for field, text in words.items():
            source = await asyncio.to_thread(self.language_to_translate, text, language)
            if source is not None:
                translation = await self.translate(text, source, self.target)
                if not translation:
                    return None
                translations[field], original = translation, source
        return translations, original


async def _record(
    record: Record, obligation: Obligation, chat: Chat, words: Transcript | Translation
) -> Outcome:
    """The words go through the dialogue, so the safety rules read them as they read a message."""
    await record(f"{words.ref}:{obligation.key}", chat, words, obligation.id)
    return Completed(settled=True)


def _again(obligation: Obligation, why: str) -> Outcome:
    return Retry(why) if obligation.attempts < ATTEMPTS else Failed(why)


def transcript_handler(store: Store, record: Record, speech: Speech | None = None) -> Handler:
    """Write down one recording; the recording stays, and a person still has to listen to it."""
    running = asyncio.Lock()

    async def transcribe(obligation: Obligation) -> Outcome:
        wanted = await store.aread(load_file_to_fetch, obligation)
        if speech is None or wanted.chat is None or wanted.state != "fetched":
            return Completed()
        if running.locked():
            return RateLimited(BUSY_SECONDS)
        async with running:
            text = await speech.transcribe(await store.aread(read_stored_file, wanted.ref, wanted.n))
        if text is None:
            return _again(obligation, "the speech command gave no text: see the log")
        if not text:
            return Completed()
        transcript = Transcript(wanted.ref, wanted.n, text)
        return await _record(record, obligation, wanted.chat, transcript)

    return transcribe


def translation_handler(store: Store, record: Record, translator: Translator | None) -> Handler:
    """Translate the words of one event for staff; the original stays, and is what counts."""
    running = asyncio.Lock()

    async def translate(obligation: Obligation) -> Outcome:
        wanted = await store.aread(load_words_to_translate, obligation)
        if translator is None or wanted.chat is None:
            return Completed()
        if running.locked():
            return RateLimited(BUSY_SECONDS)
        async with running:
            translations = await translator.translate_all(wanted.words, wanted.language)
        if translations is None:
            return _again(obligation, "the translator gave no text: see the log")
        words, language = translations
        if not words:
            return Completed()
        translation = Translation(wanted.ref, wanted.seq, words, language)
        return await _record(record, obligation, wanted.chat, translation)

    return translate
