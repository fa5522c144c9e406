"""The benchmark of faults holds what it promises: kinds, ways, numbers of cases, halves that share nothing."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bench_faults import choose
from faults.constructed import EDITS, constructed_recipes
from faults.healthy import healthy_recipes
from faults.injections import FAULTS, fault_recipes
from faults.recipe import HELD_OUT_KINDS, KINDS, TUNING_KINDS, Recipe
from faults.score import rate_text
from faults.truth import TOOK

from reportgen.checks import CODES

FAULTY, HEALTHY = fault_recipes(), healthy_recipes()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_three_causes_and_enough_held_out_cases(fault: str) -> None:
    cases = [recipe for recipe in FAULTY if recipe.fault == fault]
    assert fault in CODES and len(FAULTS[fault]) >= 3
    assert len({recipe.way for recipe in cases}) == len(FAULTS[fault])
    assert sum(recipe.held_out for recipe in cases) >= 22
    assert {recipe.kind for recipe in cases if not recipe.held_out} == set(TUNING_KINDS)


def test_there_are_enough_healthy_models_of_every_kind() -> None:
    kinds = Counter(recipe.kind for recipe in HEALTHY)
    assert len(HEALTHY) >= 150 and set(kinds) == set(KINDS) and min(kinds.values()) >= 25


def test_the_halves_share_neither_kinds_nor_seeds_and_every_case_is_another_one() -> None:
    cases = [*FAULTY, *HEALTHY]
    tuning, held = (
        ({r.kind for r in cases if r.held_out is h}, {r.seed for r in cases if r.held_out is h}) for h in (False, True)
    )
    assert not tuning[0] & held[0] and not tuning[1] & held[1]
    assert held[0] == set(HELD_OUT_KINDS)
    digests = {recipe.digest() for recipe in (*cases, *constructed_recipes())}
    assert len(digests) == len(cases) + len(constructed_recipes())


def test_a_knob_at_its_default_is_not_part_of_the_hash_and_any_other_value_is() -> None:
    recipe = Recipe("mlp", "digits", 3)
    assert replace(recipe, lr=recipe.lr).digest() == recipe.digest() != replace(recipe, lr=0.1).digest()
    assert '"lr"' not in recipe.to_json() and '"lr": 0.1' in replace(recipe, lr=0.1).to_json()


def test_what_is_asked_and_what_is_edited_are_checks() -> None:
    assert set(TOOK) <= set(FAULTS) and set(EDITS) <= set(CODES)
    edited = Counter(recipe.fault for recipe in constructed_recipes())
    assert set(edited) == set(EDITS) and min(edited.values()) >= 4


def test_the_short_run_has_every_fault_every_kind_and_healthy_models() -> None:
    recipes, _ = choose(full=False)
    assert {recipe.fault for recipe in recipes} == {"", *FAULTS}
    assert {recipe.kind for recipe in recipes} == set(KINDS)
    assert set(recipes) <= set(choose(full=True)[0])


def test_rates_are_written_with_their_interval() -> None:
    assert rate_text(19, 20) == "95.0% (19 of 20; 76.4% to 99.1%)" and rate_text(0, 0) == "none of 0"
