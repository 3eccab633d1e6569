"""A stand-in for the Telegram Bot API and Slack, and the page that shows both."""

from simulator.app import Simulator
from simulator.base import Limits, SimClock, SimulatedRateLimit
from simulator.slack.contract import ChannelOf, Workspace, example_workspace

__all__ = [
    "ChannelOf",
    "Limits",
    "SimClock",
    "SimulatedRateLimit",
    "Simulator",
    "Workspace",
    "example_workspace",
]
