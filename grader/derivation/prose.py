"""What the words beside a formula say of it."""

from __future__ import annotations

import re

OTHERWISE = re.compile(
    r"otherwise|\b(?:else|unless|except|sonst|andernfalls|ansonsten|außer)\b"
    r"|\b(?:other|übrigen|anderen) (?:cases|pairs|terms|indices|points|Fällen?|Paare|Punkte|Indizes)",
    re.IGNORECASE,
)
ZERO = re.compile(r"\b(?:set|sett?ing|setzen?|setzt|null\w*|zero|stationary|optimal\w*)\b", re.IGNORECASE)
CONSTANT = re.compile(r"constant|konstant", re.IGNORECASE)
