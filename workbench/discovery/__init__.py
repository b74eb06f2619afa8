"""The human in the loop, and the autopilot that makes the same moves."""

from workbench.discovery.autopilot.pilot import discover
from workbench.discovery.choices import Choice
from workbench.discovery.discovery import Discovery
from workbench.discovery.hall_of_fame import open_hall_of_fame
from workbench.discovery.moves import Move
from workbench.discovery.origin import from_model, load_discovery
from workbench.discovery.state import Metrics, State
from workbench.discovery.summaries import EdgeSummary

__all__ = ["Choice", "Discovery", "EdgeSummary", "Metrics", "Move", "State", "discover", "from_model", "load_discovery", "open_hall_of_fame"]
