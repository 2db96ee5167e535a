"""`images`: which images of tasks are here, and how others come here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cromwell_userdb import docker, images
from cromwell_userdb.cli import containers, place, screen
from cromwell_userdb.cli.options import JSON
from cromwell_userdb.cli.place import Place, absolute, tilde
from cromwell_userdb.cli.verbs import Verbs
from cromwell_userdb.errors import NotFound, UsageError, UserDBError
from cromwell_userdb.images import Image, Problem, Store
from cromwell_userdb.reference import Reference, parse
from cromwell_userdb.report.words import moment, plural, size, table

FOLDER = click.option(
    "--folder", metavar="DIR", help="The images in this folder, such as a site's; not yours."
)

_FILE = "sha256-"


@click.group("images", cls=Verbs)
def images_() -> None:
    """Show the images that tasks run in, and have others come here.

    Each is a file, kept once for all runs. Runs pull what is missing by themselves.

    \b
    Examples:
      cromwell-userdb images list
      cromwell-userdb images pull workflow.wdl
    """


def _store(where: Place, folder: str | None) -> Store:
    """The folder that is named, by itself; else the user's and the site's."""
    return images.check(Store(absolute(folder))) if folder else containers.store(where.settings)


@images_.command("list")
@FOLDER
@JSON
@place.options
def list_(place: Place, folder: str | None, as_json: bool) -> None:
    """List the images that are here.

    \b
    Example:
      cromwell-userdb images list
    """
    store = _store(place, folder)
    found = images.present(store)
    if as_json:
        return screen.answer([_facts(store, where, one) for where, one in found])
    if not found:
        return screen.note(f"No images in {_folders(store)} yet: runs pull what they need.")
    now = datetime.now(UTC)
    lines = [
        [
            one.name,
            _version(one.tag),
            _short(one.digest),
            size(one.bytes),
            moment(datetime.fromisoformat(one.when), now),
            _whose(store, where, one),
        ]
        for where, one in found
    ]
    print(table(("image", "tag", "digest", "size", "since", ""), lines, right="size"))


def _facts(store: Store, where: Path, one: Image) -> dict[str, Any]:
    file = images.located(store, one.digest)
    return {**asdict(one), "file": str(file), "site": where != store.own}


def _folders(store: Store) -> str:
    return " and ".join(tilde(folder) for folder in store.folders)


def _version(tag: str) -> str:
    """A tag as it is, a digest cut short.

    >>> _version("20.04@sha256:71cd6a0e3d7b8a2f"), _version("sha256:71cd6a0e3d7b8a2f")
    ('20.04, pinned', 'pinned')
    """
    plain = tag.rpartition("sha256:")[0].rstrip("@") if "sha256:" in tag else tag
    return plain if plain == tag else ", ".join(filter(None, [plain, "pinned"]))


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _whose(store: Store, where: Path, one: Image) -> str:
    if where != store.own:
        return "the site's"
    return "a link" if images.file_of(where, one.digest).is_symlink() else ""


@images_.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("image", metavar="NAME")
@click.option("--link", is_flag=True, help="Leave it where it is, and lead there.")
@FOLDER
@JSON
@place.options
def add(
    place: Place, file: Path, image: str, link: bool, folder: str | None, as_json: bool
) -> None:
    """Take in an image that is a file here, under the name that tasks have for it.

    With a digest in the name the file stands for that very image.

    \b
    Examples:
      cromwell-userdb images add samtools.sif quay.io/biocontainers/samtools:1.17
      cromwell-userdb images add /shared/gatk.sif broadinstitute/gatk:4.5.0.0 --link
    """
    with screen.bytes_bar() as progress:
        one = images.add(
            _store(place, folder), absolute(str(file)), parse(image), link=link, progress=progress
        )
    _answer([one], as_json=as_json)


def _answer(found: Sequence[Image], *, as_json: bool) -> None:
    if as_json:
        return screen.answer([asdict(one) for one in found])
    for one in found:
        print(f"{one.name}:{_version(one.tag)}  {_short(one.digest)}  {size(one.bytes)}")


@images_.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME|WDL...")
@click.option("-i", "--inputs", metavar="FILE", help="The inputs of the workflow.")
@click.option("-p", "--imports", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option("--update", is_flag=True, help="Ask what tags stand for now, though they are here.")
@FOLDER
@JSON
@place.options
def pull(
    place: Place,
    names: tuple[str, ...],
    inputs: str | None,
    imports: tuple[Path, ...],
    update: bool,
    folder: str | None,
    as_json: bool,
) -> None:
    """Have images pulled that are not here yet: by their names, or all of a workflow.

    \b
    Examples:
      cromwell-userdb images pull ubuntu:22.04
      cromwell-userdb images pull workflow.wdl -i inputs.json
    """
    from cromwell_userdb import pulls

    how = containers.containers(place)
    if how is None:
        raise UsageError("container.runtime is none: tasks run here without their images.")
    if folder:
        how = replace(how, store=_store(place, folder))
    way, found, failed = docker.way(how), [], []
    network = place.settings.engine_network_imports
    wanted = [one for name in names for one in _wanted(name, inputs, imports, network=network)]
    with screen.spinner() as say:
        for one in dict.fromkeys(wanted):
            try:
                found.append(pulls.bring(way, one, os.environ, say=say, anew=update))
            except UserDBError as error:
                failed.append(error)
                say(str(error))
    _answer(found, as_json=as_json)
    if failed:
        sys.exit(failed[0].exit_code)


def _wanted(
    name: str, inputs: str | None, imports: Sequence[Path], *, network: bool
) -> Iterator[Reference]:
    """The image of this name, or those of the workflow in this file."""
    if not name.endswith(".wdl"):
        yield parse(name)
        return
    from cromwell_userdb import files, wdl

    document = wdl.load(absolute(name), imports=imports, network=network)
    given = files.read_inputs(inputs, types={one.name: one.type for one in document.inputs})
    for wish, kind, image in containers.wanted(
        wdl.wishes(document.workflow, given, perhaps=True), {}
    ):
        if image is wdl.UNKNOWN:
            screen.note(
                f"{wish.lines[kind]}: only the run will tell the image of {wish.task}; "
                "with its inputs (-i) it may be known."
            )
        else:
            yield parse(str(image))


@images_.command()
@FOLDER
@JSON
@place.options
def verify(place: Place, folder: str | None, as_json: bool) -> None:
    """Look whether every image is what it was, and for files that none leads to.

    \b
    Example:
      cromwell-userdb images verify
    """
    store = _store(place, folder)
    with screen.bytes_bar() as progress:
        found = [
            problem
            for where in store.folders
            for problem in images.verify(
                store, where, lambda image, done, total: progress(done, total)
            )
        ]
    if as_json:
        screen.answer([asdict(one) for one in found])
    elif found:
        print("\n".join(f"{tilde(one.file)}: {one.words}" for one in found))
        screen.note(_advice(found, "" if folder is None else f" --folder {folder}"))
    else:
        screen.note(f"{plural(len(images.present(store)), 'image')}: all as it should be.")
    if found:
        sys.exit(1)


def _advice(found: Sequence[Problem], option: str) -> str:
    lines = []
    if any(_FILE in one.file.name and not one.stray for one in found):
        lines.append(
            f"What changed or went: cromwell-userdb images remove NAME{option}, then pull it again."
        )
    if any(one.stray for one in found):
        lines.append(f"What is left over: cromwell-userdb images remove --strays{option}")
    return "\n".join(lines)


@images_.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--strays", is_flag=True, help="What verify calls left over, too.")
@click.option("--yes", is_flag=True, help="Delete what is shown.")
@FOLDER
@JSON
@place.options
def remove(
    place: Place,
    names: tuple[str, ...],
    strays: bool,
    yes: bool,
    folder: str | None,
    as_json: bool,
) -> None:
    """Show what there is of images, and with --yes delete it.

    A site's images stay, and what a link leads to. Results of tasks that ran in an image stay in
    the cache.

    \b
    Examples:
      cromwell-userdb images remove ubuntu:20.04
      cromwell-userdb images remove ubuntu:20.04 --yes
      cromwell-userdb images remove --strays --yes
    """
    if not names and not strays:
        raise UsageError("Name images, or say --strays.")
    store = _store(place, folder)
    unwanted = [one for name in names for one in _known(store, name)]
    left = [one.file for one in _strays(store)] if strays else []
    files = sorted({*images.last_files(store.own, unwanted), *left})
    if yes:
        images.forget(store.own, unwanted)
        for file in left:
            images.sweep(file)
    facts = {
        "images": [asdict(one) for one in unwanted],
        "files": [str(file) for file in files],
        "removed": yes,
    }
    if as_json:
        return screen.answer(facts)
    verb = "gone" if yes else "would go"
    for one in unwanted:
        print(f"{one.name}:{_version(one.tag)}  {_short(one.digest)}  {verb}")
    for file in files:
        print(f"{tilde(file)}  {verb}")
    if not yes and (unwanted or left):
        screen.note("Nothing was deleted: with --yes all of this goes.")


def _known(store: Store, name: str) -> list[Image]:
    """The images of the store's own folder that are meant by a name, or by its digest alone."""
    wanted = parse(name)
    own = images.listed(store.own)
    same = [one for one in own if one.name == wanted.name]
    bare = ":" not in name.rpartition("/")[2] and not wanted.digest
    found = [
        one for one in same if bare or one.tag == wanted.version or one.digest == wanted.digest
    ]
    if found:
        return found
    if images.find(store, wanted):
        raise UsageError(f"{wanted} is the site's, not yours to remove.")
    raise NotFound(f'There is no image {wanted} here: "cromwell-userdb images list" shows those.')


def _strays(store: Store) -> list[Problem]:
    return [one for one in images.strays(store.own) if one.stray]
