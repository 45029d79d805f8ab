"""From what was scored, and what became of it, to a history that training reads with the same definition."""

from serving.history.export import Exported, write_history

__all__ = ["Exported", "write_history"]
