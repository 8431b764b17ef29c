"""Where the app starts and which keys are pressed: for the pictures of the README and for the text goldens."""

from __future__ import annotations

from typing import Final

from screenshots.playing import Scene, Shown, Typed

_NEXT: Final = "right_square_bracket"
_ZOOMED: Final = ("4", "z")
_FILES: Final = (*_ZOOMED, _NEXT, _NEXT)
_TRUST: Final = (*_ZOOMED, *([_NEXT] * 4))
_SCAN: Final = (*_ZOOMED, *([_NEXT] * 5))
_TWO_TAGS: Final = ("j", "j", "space", "j", "j", "space")
_SIGN_IN: Final = (*(["tab"] * 12), "enter")
_SBOM: Final = (*_TRUST, "j", "enter", "slash", *"deb12", "enter")
_WEB_SBOM: Final = (*_TRUST, "j", "j", "j", "enter", "slash", *"apk", "enter")
_RULE: Final = (*"1.4*", Shown("5 of 13"), "tab")
_KEEP: Final = ("tab", "tab", *"3", Shown("of 13 tags go ·"))


def _palette(words: str, found: str) -> tuple[str, ...]:
    """A command of the palette, which finds in threads of its own."""
    return ("colon", *words, Shown(found), "enter")


EXPLORER: Final = (
    Scene("registries", None),
    Scene("repositories", "", until="infra"),
    Scene("explorer", "/shop/cart:1.4.2", ("d",), (120, 40)),
    Scene("artifact", "/charts/cart:1.0.0"),
    Scene("missing-tag", "/shop/cart:9.9.9"),
    Scene("missing-repository", "/shop/nothing"),
    Scene("layers", "/shop/cart:1.4.2", (_NEXT,), (120, 40)),
    Scene("history", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 3))),
    Scene("config", "/shop/cart:1.4.2", (*_ZOOMED, *([_NEXT] * 6))),
    Scene("raw", "/shop/cart:1.4.2", ("y",), (120, 40)),
    Scene("filter", "/shop/cart", ("slash", "1", "full_stop", "4")),
    Scene("filter-finds-nothing", "/shop/cart", ("slash", *"zzz")),
    Scene("marks", "/shop/cart", ("space", "j", "space")),
    Scene("signature-tags", "/shop/cart", ("a", "G")),
    Scene("signatures", "/shop/cart", ("V",)),
    Scene("help", "/shop/cart", ("question_mark",), (120, 40)),
    Scene("palette", "/shop/cart", ("colon", *"copy"), until="repo@digest"),
    Scene("go-to", "/shop/cart", ("o",)),
    Scene("go-to-nonsense", "/shop/cart", ("o", Typed("::"), "enter"), until="looks like"),
    Scene("requests", "/shop/cart", ("exclamation_mark",)),
    Scene("registry-form", None, ("n",)),
    Scene("registry-form-filled", None, ("n", Typed("registry.example.com:5000"), "tab", "tab", *"ada", *_SIGN_IN)),
    Scene("export", "/shop/cart", ("ctrl+s",)),
    Scene("platforms", "/shop/cart:1.4.2", ("w",)),
    Scene("themes", "/shop/cart", _palette("theme", "Change the current")),
    Scene("small-80x24", "/shop/cart:1.4.2", (), (80, 24)),
)

INSIDE: Final = (
    Scene("files", "/shop/reports:0.4.0", (*_FILES, "s"), (100, 32)),
    Scene("files-layers", "/shop/reports:0.4.0", (*_FILES, "L")),
    Scene("odd-names", "/lab/odd:names", (*_FILES, "j", "j", "j", "j", "j", "l")),
    Scene("waste-list", "/shop/reports:0.4.0", (*_FILES, "b")),
    Scene("waste", "/shop/reports:0.4.0", (*_FILES, "b", "b"), (120, 34)),
    Scene("packages", "/shop/reports:0.4.0", (*_FILES, "b", "b", "b")),
    Scene("largest", "/shop/cart:1.4.2", (*_FILES, "b", "b", "b", "b")),
    Scene("file", "/shop/cart:1.4.2", (*_FILES, "l", "l", "enter")),
    Scene("file-hex", "/shop/cart:1.4.2", (*_FILES, "l", "l", "enter", "x")),
    Scene("file-search", "/shop/cart:1.4.2", (*_FILES, "l", "l", "enter", "slash", *"cart")),
    Scene("extract", "/shop/cart:1.4.2", (*_FILES, "l", "e")),
    Scene("extracting", "/shop/cart:1.4.2", (*_FILES, "l", "e", "enter"), until="1 file ", held=True),
    Scene("extracted", "/shop/cart:1.4.2", (*_FILES, "l", "e", "enter"), until="Extracted 10"),
    Scene("usage", "/shop/cart", ("B",), (120, 32)),
    Scene("usage-layers", "/shop/cart", ("B", _NEXT)),
    Scene("usage-registry", "", ("1", "B")),
    Scene("usage-registry-tags", "", ("1", "B", _NEXT)),
    Scene("diff", "/shop/cart", (*_TWO_TAGS, "equals_sign"), (120, 32)),
    Scene("diff-layers", "/shop/cart", (*_TWO_TAGS, "equals_sign", _NEXT)),
    Scene("diff-files", "/shop/cart", (*_TWO_TAGS, "equals_sign", _NEXT, _NEXT)),
    Scene("diff-packages", "/shop/reports", ("space", "j", "equals_sign", _NEXT, _NEXT, _NEXT)),
    Scene("compare-with", "/shop/cart:1.4.2", ("equals_sign",)),
    Scene("compare-platforms", "/shop/cart:1.4.2", ("equals_sign", "enter")),
)

TRUST: Final = (
    Scene("trust", "/shop/cart:1.4.2", _TRUST, (120, 32)),
    Scene("document", "/shop/cart:1.4.2", (*_TRUST, "j", "enter")),
    Scene("document-raw", "/shop/cart:1.4.2", (*_TRUST, "j", "enter", "y")),
    Scene("sbom", "/shop/reports:0.4.0", _SBOM),
    Scene("scan-report", "/shop/reports:0.4.0", (*_TRUST, "j", "j", "enter")),
    Scene("vex", "/shop/reports:0.4.0", (*_TRUST, "j", "j", "j", "enter")),
    Scene("sbom-question", "/shop/web:2.1.1", (*_WEB_SBOM, "m")),
    Scene("sboms-compared", "/shop/web:2.1.1", (*_WEB_SBOM, "m", *"2.1.0", "enter")),
    Scene("sbom-missing", "/shop/reports:0.4.0", (*_SBOM, "m", *"0.5.0", "enter"), until="No SBOM"),
    Scene("scan", "/shop/reports:0.4.0", (*_SCAN, "f"), (120, 32)),
    Scene("scan-groups", "/shop/reports:0.4.0", (*_SCAN, "b")),
    Scene("scan-none", "/infra/postgres:17.4", _SCAN),
    Scene("finding", "/shop/reports:0.4.0", (*_SCAN, "j", "enter")),
    Scene("findings-compared", "/shop/reports:0.5.0", (*_SCAN, "m", *"0.4.0", "enter")),
)

CHANGES: Final = (
    Scene(
        "delete-plan",
        "/shop/cart",
        ("space", "j", "j", "space", "j", "j", "space", "D"),
        (120, 32),
        write=True,
        until="frees",
    ),
    Scene("delete-preview", "/shop/cart", ("D",)),
    Scene("delete-protected", "/shop/cart", ("asterisk", "D"), write=True),
    Scene("delete-asks-for-the-name", "/shop/cart", ("asterisk", "D", "m", "right", "enter"), write=True),
    Scene("delete-repository", "/shop/internal/worker", ("2", "D"), write=True),
    Scene("deleted", "/shop/cart", ("space", "D", "right", "enter"), write=True, fresh=True),
    Scene("help-plan", "/shop/cart", ("D", "question_mark"), write=True),
    Scene("rules", "/shop/cart", ("D", "L"), write=True),
    Scene("plan-save", "/shop/cart", ("D", "ctrl+s"), write=True),
    Scene(
        "saved-plan",
        "/shop/cart",
        (
            "D",
            "ctrl+s",
            "enter",
            "escape",
            *_palette("saved plan", "Run a saved plan"),
            Typed("delete-shop-cart.json"),
            "enter",
        ),
        write=True,
    ),
    Scene("retag", "/shop/cart", ("t",), write=True),
    Scene("retag-plan", "/shop/cart", ("t", *"1.3.9-lts", "enter"), write=True),
    Scene("retag-refused", "/shop/cart", ("t", *"1.4.0", "enter"), write=True),
    Scene("copy-question", "/shop/cart", ("T",), write=True),
    Scene("copy-plan", "/shop/cart", ("j", "j", "T", Typed("{place}/mirror/cart:1.4.0"), "enter"), write=True),
    Scene("push", "/shop/cart", _palette("push", "Push an image"), write=True),
    Scene("push-which", "/shop/cart", (*_palette("push", "Push an image"), Typed("{place}"), "enter"), write=True),
    Scene("pull", "/shop/cart", ("P",)),
    Scene("retention", "/shop/cart", ("K",), write=True),
    Scene("retention-rule", "/shop/cart", ("K", *_RULE), write=True),
    Scene("retention-plan", "/shop/cart", ("K", *_RULE, "enter", "right", "enter"), write=True),
    Scene("retention-export", "/shop/cart", ("K", *_KEEP, "enter", "right", "right", "enter", "enter"), write=True),
    Scene("doctor", "/shop/cart", ("H",)),
    Scene("undo", "/shop/cart", ("u",), (120, 32), write=True, until="byte for byte", changed=True),
    Scene("undo-nothing", "/shop/cart", ("u",), write=True),
    Scene("undo-plan", "/shop/cart", ("u", "enter"), write=True, changed=True),
)

THEMES: Final = tuple(
    Scene(f"theme-{name}", "/shop/cart:1.4.2", (), (100, 26), theme=f"regtui-{name}")
    for name in ("dark", "light", "dusk", "contrast", "colourblind", "mono", "ansi")
)

SCENES: Final = (*EXPLORER, *INSIDE, *TRUST, *CHANGES, *THEMES)
