"""The list whose model filters, or looks for, what is typed after `/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from regtui.ui.models.filters import InvalidFilter
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from regtui.ui.models.filters import Filter


class FilteringModel(Protocol):
    """What the list needs of its model."""

    filter: Filter

    def set_filter(self, source: str) -> None:
        """Use another filter. Raises InvalidFilter and keeps the one before."""


class FilteringList(LineList):
    """A list with one model; see `widgets/filter_input.Filterable`."""

    model: FilteringModel

    def set_filter(self, source: str) -> SafeText | None:
        """Filter as it was typed; the sentence to show when it can't be used, and then the one before stays."""
        try:
            self.model.set_filter(source)
        except InvalidFilter as error:
            return safe(f"{error} {error.hint or ''}".rstrip())
        self.sync()
        return None

    @property
    def filter_source(self) -> str:
        """The filter as it was typed."""
        return self.model.filter.source
