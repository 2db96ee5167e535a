"""What administrators fix and forbid in their own file, held against everybody's settings.

A convenience, and no security: what somebody may do on the cluster is SLURM's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cromwell_userdb import settings as names
from cromwell_userdb.errors import SettingError
from cromwell_userdb.settings import Layer, Resolved, Value


def resolve(layers: Sequence[Layer]) -> Resolved:
    """Merge as `settings.resolve` does, what the site has fixed coming first.

    Raises SettingError, with the site's own words, for a layer that says otherwise, and for a
    value that is forbidden.
    """
    site = names.resolve([layer for layer in layers if layer.is_site])
    locked = [names.known(name, origin="site.locked") for name in site.settings.site_locked]
    fixed = {name: site.settings.by_name()[name] for name in locked}
    kept = [_without(layer, fixed, site) for layer in layers]
    resolved = names.resolve(kept, fixed=frozenset(fixed))
    for name, value in _forbidden(site):
        if value in _parts(resolved.settings.by_name()[name]):
            origin = resolved.origins.get(name, "by default")
            raise SettingError(f"{origin}: {refusal(site, f'{name} = {value}')}")
    return resolved


def _without(layer: Layer, fixed: dict[str, Value], site: Resolved) -> Layer:
    """The layer without what is not its own to say."""
    if layer.is_site:
        return layer
    for name, value in layer.values.items():
        if name.startswith("site."):
            raise SettingError(
                f"{layer.origin}: {name} is for administrators, and stands in their file only."
            )
        if name in fixed and value != fixed[name]:
            raise SettingError(f"{layer.origin}: {_is_fixed(name, site)}")
    return Layer(
        layer.origin, {name: value for name, value in layer.values.items() if name not in fixed}
    )


def _is_fixed(name: str, resolved: Resolved) -> str:
    value = _shown(resolved.settings.by_name()[name])
    return f"{name} is fixed at {value} by {_file(resolved, 'site.locked')}.{_words(resolved)}"


def check_free(name: str, resolved: Resolved) -> None:
    """Refuse to change a setting that the site has fixed, or that is the site's own."""
    if name in resolved.fixed:
        raise SettingError(_is_fixed(name, resolved))
    if name.startswith("site."):
        raise SettingError(f"{name} is for administrators, and stands in their file only.")


def check_choice(name: str, value: Value, resolved: Resolved) -> None:
    """Refuse what is about to be set, or what `auto` came to, where the site forbids it."""
    for word in _parts(value):
        if (name, word) in _forbidden(resolved):
            raise SettingError(refusal(resolved, f"{name} = {word}"))


def check_asked(name: str, value: Value, resolved: Resolved) -> None:
    """Refuse what somebody asks for past the settings, where the site has it otherwise."""
    if name in resolved.fixed and value not in _parts(resolved.settings.by_name()[name]):
        raise SettingError(_is_fixed(name, resolved))
    check_choice(name, value, resolved)


def refusal(resolved: Resolved, what: str, *, rule: str = "site.forbidden") -> str:
    """What may not be, whose file says so, and the administrators' own words."""
    return f"{what} may not be, says {_file(resolved, rule)}.{_words(resolved)}"


def _forbidden(resolved: Resolved) -> Iterator[tuple[str, str]]:
    for pair in resolved.settings.site_forbidden:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise SettingError(f"site.forbidden takes setting=value, not {pair!r}.")
        yield names.known(name, origin="site.forbidden"), value


def _parts(value: Value) -> tuple[str, ...]:
    """The words of a value: SLURM takes several partitions as one text."""
    if isinstance(value, tuple):
        return value
    return tuple(_shown(value).split(","))


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def _file(resolved: Resolved, rule: str) -> str:
    return resolved.origins.get(rule, "your site")


def _words(resolved: Resolved) -> str:
    message = resolved.settings.site_message.strip()
    return f" {message}" if message else ""
