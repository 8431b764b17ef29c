"""The key that compares: two marked tags, two platforms of one image, or an image with any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from regtui.oci import Reference, RegtuiError
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.browsing import Browsing
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.screens.go_to import GoToScreen

if TYPE_CHECKING:
    from regtui.session import Image
    from regtui.ui.compare.sides import Side
    from regtui.ui.facts.tags import TagRow


class Comparing(Browsing):
    """`=` in the explorer."""

    @work(exclusive=True, group="compare", exit_on_error=False)
    async def action_compare(self) -> None:
        """="""
        marked = self.tags.model.marked_rows()
        current = self.tags.current
        if len(marked) > 2:
            self._say("Mark two tags to compare them: there are more.")
            return
        if len(marked) == 1 and current is not None and current.name != marked[0].name:
            marked = [marked[0], current]
        sides = self._sides_of(marked) if len(marked) == 2 else await self._asked()
        if sides is not None:
            from regtui.ui.compare.screen import CompareScreen

            self.app.push_screen(CompareScreen(self.session, *sides))

    def _sides_of(self, rows: list[TagRow]) -> tuple[Side, Side]:
        from regtui.ui.compare.sides import Side, older_first

        before, after = older_first(rows)
        host, path = self.host or "", self.path or ""
        wanted = self.wanted_platform
        return Side(Reference.at(host, path, before.name), wanted), Side(Reference.at(host, path, after.name), wanted)

    async def _asked(self) -> tuple[Side, Side] | None:
        """Compare the image that is shown with what the person names."""
        from regtui.ui.compare.sides import Side, typed_side

        image = self.detail.image
        if image is None:
            self._say("Mark two tags with space, or open an image to compare it with another.")
            return None
        own = Side(image.reference, image.entry.platform if image.entry is not None else None)
        others = _other_platforms(image)
        if others:
            lines = [safe(f"with {platform.platform}") for platform in others]
            lines.append(SafeText("with another tag or image…"))
            chosen = await self.app.push_screen_wait(ChooseScreen(safe(f"Compare {own.words}"), lines))
            if chosen < 0:
                return None
            if chosen < len(others):
                return own, others[chosen]
        question = f"Compare {safe(own.words)} with (a tag, a platform, or any reference)"
        text = await self.app.push_screen_wait(GoToScreen(safe(question)))
        if not text:
            return None
        try:
            return own, typed_side(text, image.reference)
        except RegtuiError as error:
            self._say(str(error))
            return None

    def _say(self, sentence: str) -> None:
        self.notify(safe(sentence, 400), severity="warning", markup=False)


def _other_platforms(image: Image) -> list[Side]:
    from regtui.ui.compare.sides import Side

    return [
        Side(image.reference, entry.platform)
        for entry in image.platforms
        if entry.platform is not None and entry is not image.entry
    ]
