"""Configurations that Cromwell takes without a word, and that people regret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]

_FALSE = {"false", "no", "off"}
_TRUE = {"true", "yes", "on"}
_SFS = "ConfigBackendLifecycleActorFactory"
_WAITS = ("--wait", " -W ")


def traps(tree: Tree) -> list[str]:
    """A sentence for each setting of `tree` that does harm, or is likely to.

    None of them keeps a run from being right, so none is a reason to refuse one.
    """
    return [*_caching(tree), *_ends(tree), *_database(tree), *_times(tree, ""), *_providers(tree)]


def _at(tree: Any, path: str) -> Any:
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree


def _is(tree: Tree, path: str, words: set[str]) -> bool:
    value = _at(tree, path)
    return value is not None and str(value).lower() in words


def _caching(tree: Tree) -> Iterator[str]:
    if _is(tree, "call-caching.enabled", _FALSE):
        yield ("call-caching.enabled is false: nothing is cached, or taken from the cache.")
    if _is(tree, "call-caching.invalidate-bad-cache-results", _TRUE):
        yield (
            "call-caching.invalidate-bad-cache-results is true: a result whose files are out of "
            "reach once, on a scratch disk that is not mounted, say, is lost to the cache for ever."
        )


def _ends(tree: Tree) -> Iterator[str]:
    if _is(tree, "system.abort-jobs-on-terminate", _FALSE):
        yield "system.abort-jobs-on-terminate is false: after Ctrl-C the jobs go on without a run."
    refresh = "services.MetadataService.config.metadata-summary-refresh-interval"
    if _is(tree, refresh, {"inf", "infinity"}):
        yield f"{refresh} is Inf: Cromwell would wait for its own summary, and never end."


def _database(tree: Tree) -> Iterator[str]:
    if _is(tree, "database.liquibase.updateSchema", _TRUE):
        yield (
            "database.liquibase.updateSchema is true: each start then waits for a lock that is "
            "looked at every ten seconds, and several runs at once may die of it."
        )
    url = _at(tree, "database.db.url")
    if url is not None and "UnixSocketFactory" not in str(url):
        yield "database.db.url is another database: nothing here will see what becomes of the run."


def _times(tree: Any, above: str) -> Iterator[str]:
    """A bare number is milliseconds to Cromwell, whatever the person thought of."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and name not in {"database", "akka", "providers"}:
            yield from _times(value, f"{above}{name}.")
        elif isinstance(value, int) and name in {"per", "ttl", "db-flush-rate", "flush-rate"}:
            yield f'{above}{name} is {value} milliseconds; for seconds say "{value} seconds".'


def _providers(tree: Tree) -> Iterator[str]:
    providers = _at(tree, "backend.providers")
    for name, provider in providers.items() if isinstance(providers, Mapping) else ():
        config = _at(provider, "config")
        factory = _at(provider, "actor-factory")
        if isinstance(config, Mapping) and str(factory or _SFS).endswith(_SFS):
            path = f"backend.providers.{name}.config"
            yield from _links(config, path)
            # A part of a provider has the rest elsewhere.
            if factory:
                yield from _jobs(config, path)


def _links(config: Tree, path: str) -> Iterator[str]:
    """Hashes that look at a path or a time need links that keep it."""
    hashing = _at(config, "filesystems.local.caching.hashing-strategy")
    ways = {
        "localization": _first(_at(config, "filesystems.local.localization")),
        "caching.duplication-strategy": _first(
            _at(config, "filesystems.local.caching.duplication-strategy")
        ),
    }
    for key, way in ways.items():
        where = f"{path}.filesystems.local.{key}"
        if hashing in {"path", "path+modtime"} and way not in {"soft-link", None}:
            yield (
                f'{where} begins with "{way}", which gives a file another path in each run: with '
                f'the hashes "{hashing}" calls that take it never come from the cache. Begin '
                'with "soft-link".'
            )
        if hashing == "fingerprint" and way in {"copy", "cached-copy"}:
            yield (
                f'{where} begins with "{way}", which gives a file another time: with the hashes '
                '"fingerprint" calls that take it never come from the cache. Begin with '
                '"hard-link" or "soft-link".'
            )


def _first(ways: Any) -> Any:
    return ways[0] if isinstance(ways, list) and ways else None


def _jobs(config: Tree, path: str) -> Iterator[str]:
    background = _is(config, "run-in-background", _TRUE)
    if "kill" not in config and "submit" in config and not background:
        yield f'{path} has no "kill": after an abort the jobs go on.'
    if "kill-docker" not in config and "submit-docker" in config:
        yield f'{path} has no "kill-docker": after an abort jobs in containers go on.'
    if "submit-docker" not in config and " docker" in str(config.get("runtime-attributes") or ""):
        yield f'{path} has no "submit-docker": a task that names a container fails.'
    if not background and not {"check-alive", "exit-code-timeout-seconds"} <= config.keys():
        yield (
            f'{path} needs both "check-alive" and "exit-code-timeout-seconds": without, a call '
            "that the scheduler killed is waited for for ever."
        )
    for key in ("submit", "submit-docker"):
        if "sbatch" in str(config.get(key)) and any(way in str(config[key]) for way in _WAITS):
            yield f"{path}.{key} has sbatch wait: no more than some forty calls run at a time."
    root = config.get("root")
    if root is not None and not str(root).startswith("/"):
        yield f"{path}.root is {root!r}, relative: calls run wherever Cromwell was started."
