"""What managers should hear of the model: that a new one was turned away, and where it drifts (decision 60)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.slack.voice import Voice
from store.models.examples import count_assessed
from store.models.models import load_active_model, load_last_run
from store.store import Store

if TYPE_CHECKING:
    from triage.learning.drift import Warned

_DRIFTS = {
    "agreement": "stats.drift_agreement",
    "mix": "stats.drift_mix",
    "calibration": "stats.drift_calibration",
}


@dataclass(frozen=True)
class ModelNews:
    """`turned_away`: the newest candidate was not let in, so an older model stays in use; `made_anew`: the same, and
    that one without what was erased.
    """

    turned_away: bool = False
    made_anew: bool = False
    drifts: tuple[Warned, ...] = ()


NO_NEWS = ModelNews()


def model_news(store: Store) -> ModelNews:
    """What stands now; it is said until a better model is let in, or people and model agree again."""
    run = store.read(load_last_run)
    if run is None:
        return ModelNews(drifts=tuple(drifts_in(store)))
    return ModelNews(not run.passes, run.made_anew, tuple(drifts_in(store)))


def drifts_in(store: Store) -> Sequence[Warned]:
    """Where the model and the people who confirm have parted."""
    from triage.learning.drift import LOOKED_AT, drift_in  # SciPy takes a second to load

    active = store.read(load_active_model)
    return drift_in(store.read(count_assessed, LOOKED_AT), None if active is None else active[1])


def news_lines(news: ModelNews, voice: Voice) -> list[str]:
    """A line for each; none where there is nothing to say."""
    away = [f"⚠️ {voice.say('digest.turned_away')}"] if news.turned_away else []
    away += [f"⚠️ {voice.say('digest.made_anew')}"] if news.made_anew else []
    return away + [drift_line(one, voice) for one in news.drifts]


def drift_line(one: Warned, voice: Voice) -> str:
    """One drift with what is usual."""
    value, bound = f"{one.value * 100:.0f}", f"{one.bound * 100:.0f}"
    return f"⚠️ {voice.say(_DRIFTS[one.code], value=value, bound=bound, rows=one.rows)}"
