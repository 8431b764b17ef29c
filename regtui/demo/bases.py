"""base/debian and base/alpine: what the other images are built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.demo import packages, rootfs
from regtui.demo.images import Recipe, Step, moment
from regtui.demo.workshop import run_config, seconds

if TYPE_CHECKING:
    from regtui.demo.layers import Tree
    from regtui.demo.story import Release
    from regtui.demo.workshop import Workshop
    from regtui.oci import Platform


def debian(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """One layer, as debuerreotype makes it."""
    installed = packages.debian_base(release.newer, platform.architecture)
    made = moment(release.created)

    def tree() -> Tree:
        return rootfs.debian_tree(installed, seconds(release), release.version.partition("-")[0])

    script = f"# debian.sh --arch '{platform.architecture}' out/ 'bookworm' '@{seconds(release)}'"
    layer = workshop.layer(f"debian {release.version} {platform}", tree)
    steps = (
        Step(script, layer, installed, "debuerreotype 0.16", made),
        Step('CMD ["bash"]', None, (), "debuerreotype 0.16", made),
    )
    return Recipe(platform, made, steps, run_config(cmd=["bash"]))


def alpine(workshop: Workshop, release: Release, platform: Platform) -> Recipe:
    """One layer out of a root file system archive."""
    installed = packages.alpine_base(release.newer, platform.architecture)
    made = moment(release.created)

    def tree() -> Tree:
        return rootfs.alpine_tree(installed, seconds(release), release.version)

    archive = f"alpine-minirootfs-{release.version}-{installed[0].architecture}.tar.gz"
    layer = workshop.layer(f"alpine {release.version} {platform}", tree)
    steps = (Step(f"ADD {archive} / # buildkit", layer, installed, at=made), Step('CMD ["/bin/sh"]', at=made))
    return Recipe(platform, made, steps, run_config(cmd=["/bin/sh"]))
