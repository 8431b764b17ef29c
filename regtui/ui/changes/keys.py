"""The explorer's keys that lead to a change: each opens a plan, and after a run the lists are read again.

The screens are loaded when a key first wants them: looking around needs none of them.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import work
from textual.app import SystemCommand

from regtui.oci import RegtuiError
from regtui.oci.reference import is_tag
from regtui.operations.plan import Place
from regtui.session import parse_repository, parse_target
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.screens.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from regtui.session import Session
    from regtui.ui.actions import Action
    from regtui.ui.changes.proposals import Proposal

READ_ONLY: Final = "Start regtui with --write, or set writable = true for it in the settings."


class Changing(Taking):
    """Delete, retag, copy, undo and what else changes a registry."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        super().__init__(session, now)
        self.now = now
        self._was_writable: bool | None = None

    def tell_writable(self) -> None:
        """The footer greys what can't be done here: it is drawn again when that changes."""
        writable = self.host is not None and self.session.writable(self.host)
        if writable is not self._was_writable:
            self._was_writable = writable
            self.refresh_bindings()

    def why_greyed(self, action: Action) -> SafeText | None:
        """Why an action that writes is greyed here, with what to do about it; None when it is not.

        Its key still opens the plan, as a preview that can't be applied.
        """
        if not action.writes or self.host is None or self.session.writable(self.host):
            return None
        if action.id == "copy_image":
            return None  # it changes another place, which is not named yet: the plan tells whether it may be changed
        return safe(f"{self.host} is read-only here: the plan is a preview. {READ_ONLY}")

    # delete

    def action_plan_delete(self) -> None:
        """D, delete"""
        from regtui.ui.changes.proposals import DeleteProposal

        if self.host is None:
            self._nothing("Choose a repository or tags first.")
        elif self.focused is self.repositories:
            self._plan_empty(self.host)
        else:
            chosen = self._sources()
            if chosen is not None:
                self.open_plan(DeleteProposal(self.session, *chosen))

    def _plan_empty(self, host: str) -> None:
        from regtui.ui.changes.proposals import EmptyProposal

        model = self.repositories.model
        current = self.repositories.current
        paths = [str(key) for key in sorted(model.marks, key=str)]
        if not paths and current is not None and current.value is not None:
            paths = [current.path]
        if paths:
            self.open_plan(EmptyProposal(self.session, [Place(host, path) for path in paths]))
        else:
            self._nothing("Choose a repository: a folder of them is not deleted as a whole.")

    # retag and copy

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def action_plan_retag(self) -> None:
        """t"""
        from regtui.ui.changes.copying import RetagProposal

        chosen = self._sources()
        if chosen is None:
            return
        place, locators = chosen
        if len(locators) > 1:
            self._nothing("Retag one image at a time: U clears the marks.")
            return
        question = f"New tag for {place.repository}:{locators[0]}"
        tag = await self.app.push_screen_wait(GoToScreen(safe(question), "" if ":" in locators[0] else locators[0]))
        if tag and not is_tag(tag):
            self._nothing(safe(f"{tag[:128]!a} is no tag: letters, digits, _ . - are, 128 at most."))
        elif tag:
            self.open_plan(RetagProposal(self.session, place, locators[0], tag))

    def action_plan_copy(self) -> None:
        """T: one image under any name, or the marked ones to another repository."""
        chosen = self._sources()
        if chosen is not None:
            place, locators = chosen
            one = len(locators) == 1 and ":" not in locators[0]
            self._ask_target(place, locators, f"{place}:{locators[0]}" if one else f"{place}")

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def _ask_target(self, place: Place, locators: list[str], name: str) -> None:
        """Where images are to go, then the plan."""
        from regtui.ui.changes.copying import CopyProposal

        several = len(locators) > 1
        question = f"Copy {len(locators)} images of {place.repository} to the repository" if several else "Copy to"
        text = await self.app.push_screen_wait(GoToScreen(safe(question), name))
        if not text:
            return
        try:
            target = parse_repository(text) if several else parse_target(text)
        except RegtuiError as error:
            self._nothing(safe(str(error), 500))
            return
        if target.path is None or target.digest is not None:
            self._nothing("Name a repository, and a tag if it is to be another one.")
            return
        goal = Place(target.host, target.path)
        self.open_plan(CopyProposal(self.session, place, locators, goal, target.tag))

    def _sources(self) -> tuple[Place, list[str]] | None:
        """The images that a key is about; None after it was said that there are none."""
        rows = self.tags.marked_or_current() if self.focused is self.tags else []
        if rows and self.host is not None and self.path is not None:
            return Place(self.host, self.path), [row.name for row in rows]
        image = self.detail.image
        if image is None:
            self._nothing()
            return None
        reference = image.reference
        return Place(reference.host, reference.path), [reference.tag or image.top.digest]

    # pull, push, saved plans

    def action_pull_image(self) -> None:
        """P"""
        from regtui.ui.changes.pull_screen import PullScreen

        reference = self.chosen()
        if reference is None:
            self._nothing()
        else:
            self.app.push_screen(PullScreen(self.session, reference))

    def more_commands(self) -> Iterable[SystemCommand]:
        """What stands in the palette alone."""
        greyed = "" if self.host is None or self.session.writable(self.host) else f" {self.host} is read-only here."
        yield SystemCommand("Push", f"Push an image from a layout folder or an archive.{greyed}", self.push_image)
        yield SystemCommand("Ask for a scan", f"Have the registry itself scan this image.{greyed}", self.ask_for_scan)
        yield SystemCommand("Run a saved plan", "Open a plan that was saved as JSON, and apply it.", self.open_saved)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def ask_for_scan(self) -> None:
        """Have the registry scan the image under the cursor, after a yes."""
        from regtui.session.scanning import prepare_scan, start_scan

        reference = self.chosen()
        if reference is None:
            self._nothing()
            return
        try:
            request = await prepare_scan(self.session, reference)
            answers = [SafeText("Cancel"), SafeText("Ask for it")]
            if await self.app.push_screen_wait(ChooseScreen(safe(request.question, 300), answers)) == 1:
                await start_scan(self.session, request)
                self.notify("The registry was asked; r in the Scan tab looks for the report.", markup=False)
        except RegtuiError as error:
            self._nothing(safe(str(error), 500))

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def push_image(self) -> None:
        """From this disk to a repository."""
        from regtui.ui.changes.bringing import image_names

        text = await self.app.push_screen_wait(GoToScreen("Push which layout folder or archive", "./"))
        if not text:
            return
        try:
            source = await asyncio.to_thread(parse_target, text)
            if not source.is_local:
                self._nothing(safe(f"{text[:200]} is not on this disk: T copies from registry to registry.", 300))
                return
            images = await image_names(self.session, source.host) if not source.is_image else []
        except RegtuiError as error:
            self._nothing(safe(str(error), 500))
            return
        chosen = (source.path or "", source.tag or source.digest or "")
        if len(images) > 1:
            names = [safe(f"{path}:{tag}") for path, tag in images]
            number = await self.app.push_screen_wait(ChooseScreen(SafeText("Push which image"), names))
            if number < 0:
                return
            chosen = images[number]
        elif images:
            chosen = images[0]
        place, locator = Place(source.host, chosen[0]), chosen[1]
        here = f"{self.host}/{self.path or chosen[0]}" if self.host is not None and self.host[0] != "/" else ""
        self._ask_target(place, [locator], f"{here}:{locator}" if here and ":" not in locator else here)

    @work(exclusive=True, group="ask", exit_on_error=False)
    async def open_saved(self) -> None:
        """A plan from a file."""
        from regtui.ui.changes.bringing import SavedProposal

        text = await self.app.push_screen_wait(GoToScreen("Which plan (a JSON file)", ""))
        if text:
            self.open_plan(SavedProposal(self.session, Path(text)))

    # undo

    def action_show_journal(self) -> None:
        """u"""
        from regtui.ui.changes.journal_screen import JournalScreen

        self.app.push_screen(JournalScreen(self.session, self.now), lambda changed: self.read_again(changed or ()))

    # retention and doctor

    def action_plan_retention(self) -> None:
        """K"""
        from regtui.ui.changes.retention_screen import RetentionScreen

        place = self._place()
        if place is None:
            self._nothing("Choose a repository first.")
            return
        screen = RetentionScreen(self.session, place, self.now)
        self.app.push_screen(screen, lambda has_run: self.read_again([place] if has_run else []))

    def action_show_doctor(self) -> None:
        """H: the repository, or the registry alone when none is open."""
        from regtui.ui.changes.doctor_screen import DoctorScreen

        place = self._place()
        host = place.host if place is not None else self._host_in_view()
        if host is None:
            self._nothing("Choose a registry first.")
            return
        places = [place] if place is not None else []
        screen = DoctorScreen(self.session, host, place)
        self.app.push_screen(screen, lambda has_run: self.read_again(places if has_run else []))

    def _place(self) -> Place | None:
        """The repository that a key is about: under the cursor of the repositories, else the open one."""
        if self.host is None or self.focused is self.registries:
            return None
        current = self.repositories.current
        if self.focused is self.repositories:
            return None if current is None or current.value is None else Place(self.host, current.path)
        return None if self.path is None else Place(self.host, self.path)

    def _host_in_view(self) -> str | None:
        current = self.registries.current
        if self.focused is self.registries and current is not None:
            return current.known.host
        return self.host

    # what all of them share

    def open_plan(self, proposal: Proposal) -> None:
        """Show a plan; when it was run, read again what it changed."""
        from regtui.ui.changes.plan_screen import PlanScreen

        screen = PlanScreen(proposal)

        def closed(_: object) -> None:
            if screen.has_run and screen.plan is not None:
                self.read_again(screen.plan.places)

        self.app.push_screen(screen, closed)

    def read_again(self, places: Iterable[Place]) -> None:
        """Show what is there now in the repositories that were changed."""
        for place in places:
            self.session.refresh(place.host, place.repository)
        here = Place(self.host or "", self.path or "")
        if here in set(places):
            self.tags.action_clear_marks()
            current = self.tags.current
            self.load_tags(here.repository, keep=current.name if current is not None else None)
        if any(place.host == self.host for place in places):
            self.repositories.action_clear_marks()
