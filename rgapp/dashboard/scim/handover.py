"""Plain text with which somebody else connects the client: addresses, steps and names of attributes, no secret."""

from collections.abc import Sequence

from rgapp.integrations.scim.presets import ClientPreset, our_values


def handover(preset: ClientPreset, address: str, settings: Sequence[tuple[str, str]]) -> str:
    """Return what the IT team needs; the bearer token travels by a safer way."""
    values = our_values(address)
    lines = [f"Provisioning by SCIM 2.0 from {preset.name}", ""]
    lines += [f"Base URL: {address}", f"{preset.credential_field}: the bearer token, handed over separately", ""]
    for number, step in enumerate((*preset.connecting, *preset.mapping), start=1):
        lines.append(f"{number}. {step.text}")
        if step.copy:
            lines.append(f"   {step.their_field}: {values[step.copy]}")
    lines += ["", "What is read, and how:", *(f"- {label}: {value}" for label, value in settings)]
    lines += ["", preset.try_one, preset.first_cycle]
    return "\n".join(lines)
