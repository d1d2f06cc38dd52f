"""lines/*.yaml as values: one line (trunk) a file, named by it."""

from __future__ import annotations

from config.setting import Country, Encrypted, Name, Network, Profile, setting, settings
from config.sound import LineSound


@settings
class LineSettings:
    name: Name = setting("The line's name, from the file's.", derived=True)
    enabled: bool = setting("Take calls from the line.", default=True)
    country: Country = setting("Country whose national number format the line uses.")
    market: Name | None = setting("Market its calls belong to; the node's when left out.", default=None)
    profile: Profile | None = setting(
        "What its networks carry, as in media.yaml; the region's when left out.", default=None
    )
    srtp: Encrypted = setting(
        "Encryption of its calls' sound, as in media.yaml: `auto`, `required`, `preferred` or `off`.",
        default="auto",
    )
    sound: LineSound = setting("What is done with the sound of its callers.", default=LineSound())
    sources: tuple[Network, ...] = setting("Networks its calls come from.", default=())
