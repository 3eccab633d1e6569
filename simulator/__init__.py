"""A stand-in for the Telegram Bot API and Slack, and the page that shows both."""

from simulator.clock import SimClock
from simulator.limits import Limits, Pace
from simulator.running import Simulator
from simulator.slack_team import ChannelOf, Workspace, example_workspace

__all__ = ["ChannelOf", "Limits", "Pace", "SimClock", "Simulator", "Workspace", "example_workspace"]
