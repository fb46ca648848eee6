"""Policies as data: papers, clauses, rules and readings, read strictly from TOML."""

from geoplan.policy.document import Clause, Document, Words
from geoplan.policy.load import (
    ALWAYS,
    DEFAULT,
    Cited,
    Misquote,
    PolicyBook,
    misquotes,
    parse_policy,
    policy_of,
    shipped,
)
from geoplan.policy.model import Policy
from geoplan.policy.rule import KINDS, Limit, Rule

__all__ = [
    "ALWAYS",
    "DEFAULT",
    "KINDS",
    "Cited",
    "Clause",
    "Document",
    "Limit",
    "Misquote",
    "Policy",
    "PolicyBook",
    "Rule",
    "Words",
    "misquotes",
    "parse_policy",
    "policy_of",
    "shipped",
]
