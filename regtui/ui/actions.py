"""The one table of actions: bindings, footer, palette, help, keymap checks and the page of keys are made from it.

An action becomes a key only where a class has its handler (`action_<handler>`), so that nothing is shown
that does not work yet. Classes take their bindings with the `Bound` mixin and `PLACES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Place(StrEnum):
    """Where an action applies: a kind of widget or screen."""

    APP = "everywhere"
    EXPLORER = "explorer"
    LIST = "any list"
    TABLE = "tables"
    TREE = "trees"
    JSON = "raw JSON"
    FILES = "files"
    BESIDE = "the list beside the files"
    VIEW = "a file"
    VIEWER = "the lines of a file"
    REPORT = "reports"
    PLAN = "plans"
    FINDINGS = "findings"
    DOCUMENT = "documents"


CONTEXTS: Mapping[str, frozenset[Place]] = {
    "a table of the explorer": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.TABLE}),
    "a tree of the explorer": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.TREE}),
    "the files of an image": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.TREE, Place.FILES}),
    "the list beside the files": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.TABLE, Place.BESIDE}),
    "a file": frozenset({Place.APP, Place.LIST, Place.VIEW, Place.VIEWER}),
    "a report": frozenset({Place.APP, Place.LIST, Place.TABLE, Place.REPORT}),
    "raw JSON": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.JSON}),
    "a plan": frozenset({Place.APP, Place.LIST, Place.TABLE, Place.PLAN}),
    "the findings of an image": frozenset({Place.APP, Place.EXPLORER, Place.LIST, Place.TREE, Place.FINDINGS}),
    "a document": frozenset({Place.APP, Place.LIST, Place.TABLE, Place.DOCUMENT}),
    "the JSON of a document": frozenset({Place.APP, Place.LIST, Place.JSON, Place.DOCUMENT}),
}
"""Places whose keys are live at the same time."""

FALLS_THROUGH = frozenset(
    {
        ("tree.collapse", "pane.leave"),
        ("tree.expand", "pane.enter"),
        ("json.collapse", "pane.leave"),
        ("json.expand", "pane.enter"),
    }
)
"""Pairs that share their keys on purpose: the first does nothing where it can't, and then the second gets its turn."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a key or the palette can do.

    `keys` are Textual's names, separated by commas. `writes` is true for what leads to a change of a registry.
    `rank` orders the footer: 1 comes first, 0 is never in it.
    """

    id: str
    title: str
    help: str
    keys: str
    where: frozenset[Place]
    handler: str
    group: str
    writes: bool = False
    rank: int = 0
    footer: str = ""
    """A shorter title for the footer."""

    @property
    def key_list(self) -> tuple[str, ...]:
        """The keys one by one."""
        return tuple(key.strip() for key in self.keys.split(",") if key.strip())


def _at(*places: Place) -> frozenset[Place]:
    return frozenset(places)


_APP, _EXPLORER, _LIST = _at(Place.APP), _at(Place.EXPLORER), _at(Place.LIST)
_TABLE, _TREE, _JSON, _FILES = _at(Place.TABLE), _at(Place.TREE), _at(Place.JSON), _at(Place.FILES)
_MARKABLE = _at(Place.TABLE, Place.TREE)
_PLAN = _at(Place.PLAN)
_BESIDE, _VIEWER = _at(Place.BESIDE), _at(Place.VIEWER)
_EITHER = _at(Place.EXPLORER, Place.PLAN, Place.VIEW, Place.REPORT)
_TABBED, _REPORT = _at(Place.EXPLORER, Place.REPORT), _at(Place.REPORT)
_ANY_FILE = _at(Place.FILES, Place.BESIDE, Place.VIEW)
_FINDINGS, _DOCUMENT = _at(Place.FINDINGS), _at(Place.DOCUMENT)
_READ = _EITHER | _DOCUMENT

_MOVE = (
    Action("move.down", "Down", "Move to the next line.", "j,down", _LIST, "move_down", "Move"),
    Action("move.up", "Up", "Move to the line before.", "k,up", _LIST, "move_up", "Move"),
    Action("move.top", "Top", "Move to the first line.", "g,home", _LIST, "move_top", "Move"),
    Action("move.bottom", "Bottom", "Move to the last line.", "G,end", _LIST, "move_bottom", "Move"),
    Action("move.page_down", "Page down", "Move down by a page.", "pagedown", _LIST, "move_page_down", "Move"),
    Action("move.page_up", "Page up", "Move up by a page.", "pageup", _LIST, "move_page_up", "Move"),
    Action("list.open", "Open", "Open what is under the cursor.", "enter", _LIST, "open_line", "Move"),
    Action("tree.collapse", "Collapse", "Close the node, or go to its parent.", "h,left", _TREE, "collapse", "Move"),
    Action("tree.expand", "Expand", "Open the node.", "l,right", _TREE, "expand", "Move"),
    Action("json.collapse", "Fold", "Fold this part away.", "h,left", _JSON, "fold", "Move"),
    Action("json.expand", "Unfold", "Show what is folded here.", "l,right", _JSON, "unfold", "Move"),
    Action("json.fold_all", "Fold all", "Fold everything, or show all again.", "f", _JSON, "fold_all", "Move", rank=1),
)

_PANES = (
    Action("pane.leave", "Leave", "Go to the pane on the left.", "h,left", _EXPLORER, "leave_pane", "Panes"),
    Action("pane.enter", "Enter", "Go to the pane on the right.", "l,right", _EXPLORER, "enter_pane", "Panes"),
    Action("pane.registries", "Registries", "Focus the registries.", "1", _EXPLORER, "focus_registries", "Panes"),
    Action("pane.repositories", "Repositories", "Focus the repositories.", "2", _EXPLORER,
           "focus_repositories", "Panes"),
    Action("pane.tags", "Tags", "Focus the tags.", "3", _EXPLORER, "focus_tags", "Panes"),
    Action("pane.detail", "Detail", "Focus the detail.", "4", _EXPLORER, "focus_detail", "Panes"),
    Action("pane.next", "Next pane", "Focus the next pane.", "tab", _EXPLORER, "next_pane", "Panes"),
    Action("pane.previous", "Previous pane", "Focus the pane before.", "shift+tab", _EXPLORER,
           "previous_pane", "Panes"),
    Action("pane.zoom", "Zoom", "Give the focused pane the whole screen, or take it back.", "z,plus,underscore",
           _EXPLORER, "zoom_pane", "Panes", rank=80),
    Action("detail.previous", "Previous tab", "Show the detail tab before.", "left_square_bracket", _TABBED,
           "previous_tab", "Panes"),
    Action("detail.next", "Next tab", "Show the next detail tab.", "right_square_bracket", _TABBED,
           "next_tab", "Panes", rank=79, footer="next tab"),
    Action("back", "Back", "Clear the filter, then the marks, then go back.", "escape", _READ, "step_back", "Panes"),
)  # fmt: skip

_SEE = (
    Action("filter", "Filter", "Filter the focused list: text, ~ before a regular expression, ! for the inverse.",
           "slash", _READ, "filter_list", "Look", rank=10, footer="filter"),
    Action("sort.cycle", "Sort", "Sort by the next column.", "s", _TABLE, "sort_next", "Look", rank=20, footer="sort"),
    Action("sort.reverse", "Reverse the sort", "Turn the order around.", "S", _TABLE, "sort_reverse", "Look"),
    Action("describe", "Describe", "Show the overview of the image.", "d", _EXPLORER, "describe", "Look"),
    Action("platform", "Platform", "Show another platform of this image.", "w", _EXPLORER, "choose_platform", "Look",
           rank=65, footer="platform"),
    Action("raw", "Raw", "Show the raw JSON of the image.", "y", _EXPLORER, "show_raw", "Look"),
    Action("companions", "Signature tags", "Show or fold the tags of signatures, attestations and SBOMs.", "a",
           _EXPLORER, "toggle_companions", "Look"),
    Action("refresh", "Refresh", "Ask the registry again, past the cache.", "r,f5", _TABBED, "refresh_pane", "Look"),
    Action("go_to", "Go to", "Go to any image reference, digest or path.", "o", _EXPLORER, "go_to", "Look",
           rank=70, footer="go to"),
    Action("compare", "Compare", "Compare two marked tags, two platforms, or this image with any other.",
           "equals_sign", _EXPLORER, "compare", "Look",
           rank=50, footer="compare"),
    Action("requests", "Request log", "Show the requests that were sent, with a copy as curl.", "exclamation_mark",
           _APP, "show_requests", "Look"),
    Action("journal", "Undo", "Show what was changed, and restore what can be restored.", "u", _EITHER,
           "show_journal", "Change", rank=75, footer="undo"),
    Action("scan", "Scan", "Scan with a local scanner.", "x", _EXPLORER, "scan_image", "Look"),
)  # fmt: skip

_MARKS = (
    Action("mark", "Mark", "Mark the line, or take its mark away.", "space", _MARKABLE, "toggle_mark", "Marks",
           rank=30, footer="mark"),
    Action("mark.range", "Mark a range", "Mark all lines from here to where the cursor goes.", "v", _TABLE,
           "mark_range", "Marks"),
    Action("mark.all", "Mark all", "Mark all lines that the filter lets through.", "asterisk", _TABLE,
           "mark_all", "Marks"),
    Action("mark.clear", "Clear the marks", "Take all marks away.", "U", _MARKABLE, "clear_marks", "Marks"),
)  # fmt: skip

_CHANGE = (
    Action("delete", "Delete", "Open the delete plan for the marks, or for the line. Nothing is sent yet.", "D,delete",
           _EXPLORER, "plan_delete", "Change", writes=True, rank=40, footer="delete…"),
    Action("retag", "Retag", "Give the image another tag.", "t", _EXPLORER, "plan_retag", "Change", writes=True,
           rank=45, footer="retag…"),
    Action("copy_image", "Copy to", "Copy the image to another repository or registry.", "T", _EXPLORER,
           "plan_copy", "Change", writes=True),
    Action("retention", "Retention", "Try a retention rule on the tags, then plan it or export it.", "K", _EXPLORER,
           "plan_retention", "Change", writes=True),
    Action("doctor", "Doctor", "Show what the registry can do, and what is broken or left over.", "H", _EXPLORER,
           "show_doctor", "Look"),
)  # fmt: skip

_PLAN_KEYS = (
    Action("plan.manifests", "Whole manifests", "Delete the manifests, too, where nothing else needs them.", "m", _PLAN,
           "switch_manifests", "Change", rank=41, footer="whole"),
    Action("plan.trash", "Recycle bin", "Keep each tag as trash-… instead of losing it.", "b", _PLAN,
           "switch_trash", "Change", rank=42, footer="recycle"),
    Action("plan.referrers", "With signatures", "Take signatures and attestations along.", "a", _PLAN,
           "switch_referrers", "Change", rank=41, footer="attached"),
    Action("plan.overwrite", "Overwrite", "Move the tag when it exists.", "O", _PLAN,
           "switch_overwrite", "Change", rank=42, footer="overwrite"),
    Action("plan.move", "Move", "Remove the tag where it comes from, once all is there.", "M", _PLAN,
           "switch_move", "Change", rank=43, footer="move"),
    Action("plan.platforms", "Platforms", "Take all platforms, or one of them.", "w", _PLAN,
           "choose_platforms", "Change", rank=44, footer="platforms"),
    Action("plan.force", "Protected, too", "Change protected tags, too; this needs the name typed.", "F", _PLAN,
           "switch_force", "Change", rank=47, footer="protected"),
    Action("journal.finish", "Finish", "Finish the run under the cursor, when it was interrupted.", "f", _PLAN,
           "finish_run", "Change", rank=50, footer="finish"),
    Action("plan.rules", "Rules", "Show which tags are protected, and where to change that.", "L", _PLAN,
           "show_rules", "Look", rank=48, footer="rules"),
    Action("plan.save", "Save the plan", "Save the plan as JSON; `regtui apply` runs it.", "ctrl+s", _PLAN,
           "save_plan", "Take", rank=49, footer="save"),
)  # fmt: skip

_TAKE = (
    Action("pull", "Pull", "Save the image as an archive or an OCI layout.", "P", _EXPLORER, "pull_image", "Take"),
    Action("copy.tag", "Copy the tag", "Copy repo:tag to the clipboard.", "c", _EXPLORER, "copy_tag", "Take",
           rank=60, footer="copy"),
    Action("copy.digest", "Copy the digest", "Copy repo@digest to the clipboard.", "C", _EXPLORER, "copy_digest",
           "Take"),
    Action("copy.pull", "Copy the pull command", "Copy the pull command to the clipboard.", "p", _EXPLORER,
           "copy_pull", "Take"),
    Action("export", "Export", "Save the current table as JSON, CSV or Markdown.", "ctrl+s", _TABBED,
           "export_table", "Take"),
)  # fmt: skip

_INSIDE = (
    Action("file.layer", "Layer", "Look at one layer, or at all of them.", "L", _FILES, "choose_layer", "Look",
           rank=12, footer="layer"),
    Action("file.next_layer", "Next layer", "Look at the next layer.", "greater_than_sign", _FILES,
           "next_layer", "Look"),
    Action("file.previous_layer", "Previous layer", "Look at the layer before.", "less_than_sign", _FILES,
           "previous_layer", "Look"),
    Action("file.aggregate", "Layer alone or stacked",
           "Show of a layer what it changed, the image up to it, or what is left of it in the image.", "A", _FILES,
           "change_layer_view", "Look", rank=13, footer="stacked"),
    Action("file.changes", "Only changes", "Show all, what changed, what was added, modified or removed.", "m", _FILES,
           "next_change", "Look", rank=14, footer="changes"),
    Action("file.sort", "Sort by size", "Sort files by size, or by name again.", "s", _FILES, "sort_files", "Look",
           rank=15, footer="sort"),
    Action("file.beside", "Waste and packages", "Go to the lists beside: waste, by layer, packages, largest files.",
           "b", _at(Place.FILES, Place.BESIDE), "show_beside", "Look", rank=11, footer="waste/packages"),
    Action("file.duplicates", "Equal files", "Read the layers again and compare contents: what is stored twice.",
           "F", _at(Place.FILES, Place.BESIDE), "find_duplicates", "Look"),
    Action("file.extract", "Extract", "Save this file or folder on this disk.", "e", _ANY_FILE, "extract_file", "Take",
           rank=16, footer="extract"),
    Action("file.pager", "Page", "Read this file in the pager.", "f3", _ANY_FILE, "page_file", "Take", rank=17,
           footer="pager"),
    Action("file.editor", "Editor", "Open a copy of this file in the editor.", "f4", _ANY_FILE, "edit_file", "Take",
           rank=18, footer="editor"),
    Action("usage", "Usage", "Show what this repository or registry stores, and what each tag takes alone.", "B",
           _EXPLORER, "show_usage", "Look", rank=72, footer="usage"),
    Action("report.full", "Compare fully", "Read the layers that both images share, too, and compare contents.", "F",
           _REPORT, "compare_fully", "Look", rank=21, footer="fully"),
    Action("report.swap", "Swap the sides", "Compare the other way round.", "w", _REPORT, "swap_sides", "Look",
           rank=22, footer="swap"),
    Action("view.left", "Left", "Scroll to the left.", "h,left", _VIEWER, "scroll_text_left", "Move"),
    Action("view.right", "Right", "Scroll to the right.", "l,right", _VIEWER, "scroll_text_right", "Move"),
    Action("view.next", "Next hit", "Go to the next place where the text was found.", "n", _VIEWER, "next_hit", "Move",
           rank=12, footer="next"),
    Action("view.previous", "Previous hit", "Go to the place before where the text was found.", "N", _VIEWER,
           "previous_hit", "Move"),
    Action("view.hex", "Hexadecimal", "Show hexadecimal instead of text, or text again.", "x", _VIEWER,
           "toggle_hex", "Look", rank=13, footer="hex"),
)  # fmt: skip

_TRUST = (
    Action("signatures", "Signatures", "Check the signatures of all tags, those in view first.", "V", _EXPLORER,
           "check_signatures", "Look"),
    Action("findings.group", "Group", "Group the findings by package, severity or layer, or not at all.", "b",
           _FINDINGS, "group_findings", "Look", rank=11, footer="group"),
    Action("findings.severity", "Severity", "Show only critical findings, then high and worse, and so on.", "f",
           _FINDINGS, "cycle_severity", "Look", rank=12, footer="severity"),
    Action("findings.compare", "Differences", "Show what is new and what is gone against another tag.", "m",
           _FINDINGS, "compare_findings", "Look", rank=13, footer="differences"),
    Action("findings.export", "Export the findings", "Save the report as JSON, CSV or SARIF.", "e", _FINDINGS,
           "export_findings", "Take", rank=14, footer="export"),
    Action("findings.report", "Report", "Show another report about this image.", "R", _FINDINGS, "choose_report",
           "Look"),
    Action("findings.layers", "Layers of packages", "Read the layers to tell which one brought each package.", "L",
           _FINDINGS, "find_layers", "Look"),
    Action("findings.sort", "Order", "Sort worst first, by package, or by id.", "s", _FINDINGS, "sort_findings",
           "Look"),
    Action("document.view", "Next view", "Show the next view of this document.", "right_square_bracket,tab",
           _DOCUMENT, "next_view", "Look", rank=11, footer="view"),
    Action("document.view_back", "View before", "Show the view of this document before.",
           "left_square_bracket,shift+tab", _DOCUMENT, "previous_view", "Look"),
    Action("document.next", "Next document", "Show the next document of the same manifest.", "n", _DOCUMENT,
           "next_document", "Look", rank=12, footer="next"),
    Action("document.raw", "Raw", "Show the raw JSON of this document.", "y", _DOCUMENT, "show_document", "Look",
           rank=13, footer="raw"),
    Action("document.compare", "Differences", "Compare this SBOM with that of another tag.", "m", _DOCUMENT,
           "compare_sboms", "Look", rank=14, footer="differences"),
    Action("document.copy", "Copy the line", "Copy what the line says to the clipboard.", "c", _DOCUMENT,
           "copy_line", "Take", rank=60, footer="copy"),
    Action("document.export", "Export the document", "Save the document's own bytes as a file.", "e", _DOCUMENT,
           "export_document", "Take"),
)  # fmt: skip

_APPLICATION = (
    Action("registry.settings", "Registry settings", "Sign in, test, allow changes, protect tags of this registry.",
           "comma", _EXPLORER, "edit_registry", "Program"),
    Action("registry.add", "Add a registry", "Add a registry to the settings.", "n", _EXPLORER, "add_registry",
           "Program"),
    Action("palette", "Commands", "Open the command palette; ctrl+p does it too.", "colon", _APP,
           "command_palette", "Program"),
    Action("help", "Help", "Show the keys of the focused pane.", "question_mark,f1", _APP, "show_help", "Program",
           rank=90, footer="help"),
    Action("quit", "Quit", "Go back, or quit at the top.", "q,ctrl+q", _APP, "leave_or_quit", "Program"),
    Action("suspend", "Suspend", "Go back to the shell for a while; fg there comes back.", "ctrl+z", _APP,
           "suspend_process", "Program"),
    Action("cancel", "Cancel", "Cancel what is loading; twice quits.", "ctrl+c", _APP, "cancel_loading", "Program"),
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (
    *_MOVE, *_PANES, *_SEE, *_MARKS, *_CHANGE, *_PLAN_KEYS, *_TAKE, *_INSIDE, *_TRUST, *_APPLICATION,
)  # fmt: skip
BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}


def actions_at(*places: Place) -> tuple[Action, ...]:
    """The actions of these places, in the table's order."""
    return tuple(action for action in ACTIONS if action.where.intersection(places))


def bindings_for(*places: Place, host: type | None = None) -> list[Binding]:
    """Textual bindings of these places; with `host` only those whose handler that class has."""
    return [
        Binding(action.keys, action.handler, action.title, show=action.rank > 0, tooltip=action.help, id=action.id)
        for action in actions_at(*places)
        if host is None or hasattr(host, f"action_{action.handler}")
    ]


def action_of(binding: Binding) -> Action | None:
    """The action behind a binding, for footer, palette and help; None for Textual's own."""
    return None if binding.id is None else BY_ID.get(binding.id)


def why_greyed(screen: object, action: Action) -> str | None:
    """Why a screen greys an action whose key works all the same (as a preview), None when it does not."""
    ask = getattr(screen, "why_greyed", None)
    return None if ask is None else ask(action)


def footer_actions(bindings: Iterable[Binding]) -> list[tuple[Action, Binding]]:
    """The actions behind live bindings that the footer shows, most wanted first, each once."""
    found = {
        action.id: (action, binding)
        for binding in bindings
        if (action := action_of(binding)) is not None and action.rank
    }
    return sorted(found.values(), key=lambda pair: pair[0].rank)


class Bound:
    """Mixin (first base) for widgets, screens and the app: binds the actions of `PLACES` that the class handles."""

    PLACES: ClassVar[tuple[Place, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        places = cls.__dict__.get("PLACES", ())
        if places:
            own = cls.__dict__.get("BINDINGS", [])
            cls.BINDINGS = [*own, *bindings_for(*places, host=cls)]  # type: ignore[attr-defined]  # DOMNode has it
        super().__init_subclass__(**options)
