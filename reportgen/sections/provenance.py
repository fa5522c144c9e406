"""The provenance section: what this report was made from, so that it can be made again.

The facts of the run and the ledger are parts of the Report, which renderers show under this heading; here they are
only summed up.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.report.blocks import Block, Fact, Facts, Table, TableColumn, Text
from reportgen.report.types import LedgerEntry, Provenance, RunFacts, Section
from reportgen.report.values import Missing
from reportgen.report.words import count, join_words, seconds_text, shorten

ID = "provenance"
TITLE = "Provenance"


def build(
    artifacts: Artifacts, provenance: Provenance, run: RunFacts | None, ledger: tuple[LedgerEntry, ...]
) -> Section:
    """Build the section: files with their hashes, versions, seeds, commit, trust, and whose content the file holds."""
    blocks: list[Block] = [_files(provenance), _origin(artifacts, provenance)]
    if provenance.versions:
        blocks.append(
            Facts("Versions", tuple(Fact(name, text, "code") for name, text in sorted(provenance.versions.items())))
        )
    blocks.append(Text(describe_content(artifacts, provenance)))
    return Section(ID, TITLE, "shown", _summary(provenance, run, ledger), tuple(blocks))


def describe_content(artifacts: Artifacts, provenance: Provenance) -> str:
    """Say how many samples' content the file holds; the build ends with the same sentence."""
    privacy, shown = artifacts.privacy, provenance.samples_shown
    if privacy == "none":
        return "This file holds the content of no sample: only keys and scores (samples: none)."
    if privacy == "ids":
        return "This file holds the content of no sample: only ids, keys and scores (samples: ids)."
    if not shown:
        return "This file holds the content of no sample."
    how = ", blurred (samples: blur)" if privacy == "blur" else ""
    return f"This file holds the content of {count(shown, 'sample')}{how}."


def _summary(provenance: Provenance, run: RunFacts | None, ledger: tuple[LedgerEntry, ...]) -> str:
    """Sum up in one line what can be traced."""
    commit = "" if isinstance(provenance.git_commit, Missing) else f"Commit {provenance.git_commit[:12]}. "
    took = f"Made in {seconds_text(run.seconds)}. " if run else "Times and places of the run were left out. "
    cut = (
        f"{count(len(ledger), 'thing')} was sampled or reduced."
        if len(ledger) == 1
        else f"{len(ledger):,} things were sampled or reduced."
    )
    return f"{commit}{took}{cut if ledger else 'Nothing was sampled or reduced.'}"


def _files(provenance: Provenance) -> Table:
    """List the files with their SHA-256, or why there is none."""
    named = (
        ("Model", provenance.model_file, provenance.model_sha256),
        ("Test batch", provenance.batch_file, provenance.batch_sha256),
        ("History", provenance.history_file, provenance.history_sha256),
        ("Config", provenance.config_file, provenance.config_sha256),
    )
    return Table(
        "provenance-files",
        "Files",
        (
            TableColumn("What"),
            TableColumn("File", "code"),
            TableColumn("SHA-256", "code", help="Changes when one bit does"),
        ),
        tuple((what, shorten(file, 200) or "none", digest) for what, file, digest in named),
        "A file with the same SHA-256 is the same file, bit for bit.",
    )


def _origin(artifacts: Artifacts, provenance: Provenance) -> Facts:
    """List commit, seeds, what the model file says about its making, and what was trusted."""
    seeds = join_words([f"{name} {value}" for name, value in sorted(provenance.seeds.items())])
    items = [
        Fact("Git commit", provenance.git_commit, "code"),
        Fact("Seeds", seeds or "not recorded", help="Seeds found in the config and in the model file"),
        Fact(
            "Trusted",
            join_words(provenance.trusted) if provenance.trusted else "nothing: no code from the inputs ran",
            help="What the command line allowed to run with --trust",
        ),
    ]
    model = artifacts.worker.model if artifacts.worker else None
    if model is not None:
        items.append(Fact("Model saved with", f"Keras {model.saved_with}" if model.saved_with else "not recorded"))
        items.append(Fact("Model saved on", model.saved_on or "not recorded"))
        items.append(Fact("Run with", f"Keras {model.keras_version}, {model.backend} {model.backend_version}"))
    return Facts("Origin", tuple(items))
