"""What the explorer gives away: copies to the clipboard, and where to go with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work

from regtui.ui.clipboard import copy_text
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.browsing import Browsing
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.screens.exporting import Exporting
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from regtui.oci import Reference


class Taking(Exporting, Browsing):
    """Copy, export, go to."""

    def chosen(self) -> Reference | None:
        """The image that a key is about: the one under the cursor of the tags, else the one in the detail."""
        from regtui.oci import Reference

        row = self.tags.current
        image = self.detail.image
        if self.focused is self.tags and row is not None and self.host and self.path:
            reference = Reference.at(self.host, self.path, row.name)
            digest = row.tag.digest or self.session.reader.known_digest(reference)
            return reference if digest is None else reference.pinned(digest)
        return image.reference if image is not None else None

    def action_copy_tag(self) -> None:
        """c"""
        reference = self.chosen()
        if reference is None:
            self._nothing()
        elif reference.tag is None:
            self._copy(str(reference))
        else:
            self._copy(f"{reference.name}:{reference.tag}")

    def action_copy_digest(self) -> None:
        """C"""
        reference = self.chosen()
        if reference is None or reference.digest is None:
            self._nothing("The digest of this tag is not known yet: open it first.")
        else:
            self._copy(f"{reference.name}@{reference.digest}")

    def action_copy_pull(self) -> None:
        """p"""
        reference = self.chosen()
        if reference is None:
            self._nothing()
        elif reference.host.startswith("/"):
            self._copy(f"skopeo copy oci:{reference.host}:{reference.path}:{reference.tag} docker-archive:image.tar")
        else:
            self._copy(
                f"docker pull {reference.name}{f'@{reference.digest}' if reference.digest else f':{reference.tag}'}"
            )

    def _nothing(self, sentence: str = "No image is chosen yet.") -> None:
        self.notify(sentence, severity="warning", markup=False)

    @work(exclusive=True, group="clipboard", exit_on_error=False)
    async def _copy(self, text: str) -> None:
        self.notify(await asyncio.to_thread(copy_text, self.app, text), markup=False)

    @work(exclusive=True, group="go to", exit_on_error=False)
    async def action_go_to(self) -> None:
        """o"""
        text = await self.app.push_screen_wait(GoToScreen())
        if text:
            await self.go_to(text)

    async def go_to(self, text: str) -> None:
        """Open what was typed."""
        raise NotImplementedError

    @work(exclusive=True, group="platform", exit_on_error=False)
    async def action_choose_platform(self) -> None:
        """w: another platform of the image that is shown."""
        image = self.detail.image
        if image is None or not image.platforms:
            self._nothing("This image is for one platform.")
            return
        names = [str(entry.platform) if entry.platform is not None else entry.digest for entry in image.platforms]
        now = next((n for n, entry in enumerate(image.platforms) if entry is image.entry), 0)
        sizes = [size_text(self.detail.sizes.get(entry.digest)) for entry in image.platforms]
        lines = [safe(f"{name:<20} {size:>10}") for name, size in zip(names, sizes, strict=True)]
        chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Platform"), lines, now))
        if chosen >= 0 and chosen != now:
            self.wanted_platform = image.platforms[chosen].platform
            self.load_image(image.reference)
