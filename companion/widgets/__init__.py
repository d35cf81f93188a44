"""What is seen: widgets that live with a kernel and on a page without one.

A widget is a view (NAME.js, an ES module in the anywidget format) and a state (NAME.py, synced traits).
They are handed arrays, so that each can be used with anyone's model.
"""

from companion.widgets.attention_heatmap import AttentionHeatmap
from companion.widgets.host import Widget
from companion.widgets.live import LiveWidget
from companion.widgets.quiz import Quiz
from companion.widgets.winograd_resolver import WinogradResolver

__all__ = ["AttentionHeatmap", "LiveWidget", "Quiz", "Widget", "WinogradResolver"]
