"""How much abuse an installation puts up with in an hour; set once, by its settings."""

from dataclasses import dataclass

from citizen_cloud.config import Settings


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """Texts and failures per network, texts in all; the defaults are production's.

    ``kept_share`` of the texts is kept for devices that prove themselves: an attack that spends
    the city's money first runs into the smaller number.
    """

    codes_per_network: int = 15
    failures_per_network: int = 100
    texts: int = 50_000
    kept_share: float = 0.2

    @property
    def texts_for_strangers(self) -> int:
        """Return how many of the texts may go out at the word of an unproven device."""
        return int(self.texts * (1 - self.kept_share))


def from_settings(settings: Settings) -> Allowances:
    """Return an installation's allowances."""
    return Allowances(
        codes_per_network=settings.otp_per_network_hour,
        failures_per_network=settings.failures_per_network_hour,
        texts=settings.sms_per_hour,
    )


_current = [Allowances()]


def install(allowances: Allowances) -> None:
    """Use these from now on."""
    _current[:] = [allowances]


def current() -> Allowances:
    """Return the process's allowances."""
    return _current[0]
