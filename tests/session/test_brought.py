"""Which layer brought a package: by the report, else by the packages of the layers, and never by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.session import Session, parse_image
from regtui.session.brought import LayerFinder, find_layers
from regtui.trust.findings import Finding
from regtui.trust.severity import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.session import Image


@pytest.fixture
async def image(session: Session, demo: Path) -> Image:
    return await session.image(parse_image(f"{demo}/shop/cart:1.4.2"))


def finding(package: str | None = None, installed: str | None = None, **more: str) -> Finding:
    return Finding("CVE-2026-1", Severity.HIGH, package=package, installed=installed, **more)


async def test_the_report_s_own_word_counts_first(image: Image) -> None:
    assert image.manifest is not None
    assert image.config is not None
    find = LayerFinder(image)
    assert find(finding(layer_digest=image.manifest.layers[2].digest)) == 2
    assert find(finding(layer_diff_id=image.config.diff_ids[1])) == 1
    assert find(finding(layer_digest="sha256:" + "0" * 64)) is None
    assert find(finding("zlib1g", "1")) is None


async def test_packages_of_layers_that_are_known_are_joined_without_reading(image: Image, session: Session) -> None:
    nothing = await find_layers(session.contents, image, only_known=True)
    assert nothing(finding("zlib1g")) is None
    read = await find_layers(session.contents, image)
    number = read(finding("zlib1g"))
    assert number == 0
    assert read(finding("no-such-package")) is None
    python = read(finding("Gunicorn"))
    assert python is not None
    assert python > 0
    again = await find_layers(session.contents, image, only_known=True)
    assert again(finding("zlib1g")) == number


async def test_what_is_no_image_has_no_layers(session: Session, demo: Path) -> None:
    chart = await session.image(parse_image(f"{demo}/charts/cart:1.0.0"))
    assert (await find_layers(session.contents, chart))(finding("zlib1g")) is None
