"""Simulates the Telegram Bot API and Slack, with a page that shows both."""

from simulator.app import Simulator
from simulator.slack.contract import ChannelSetup, Workspace, example_workspace
from simulator.state.world import Limits, SimClock, SimulatedRateLimit

__all__ = [
    "ChannelSetup",
    "Limits",
    "SimClock",
    "SimulatedRateLimit",
    "Simulator",
    "Workspace",
    "example_workspace",
]
