"""BAD_INPUTS 49, 62-65 and issue 3: TensorBoard, NPZ, JSON lines, pickle by allow-list, several files, one found."""

from __future__ import annotations

import collections
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.evidence import History
from reportgen.errors import InputRefused
from reportgen.inputs.history import load_history
from reportgen.inputs.history_files import find_history, load_histories
from tests.inputs.batch_files import Case, all_text, scores, section
from tests.inputs.event_files import write_events
from tests.inputs.model_files import Folder, write_keras

LOSS = [1.0, 0.8, 0.6, 0.5]
MADE = "predictions: {path: p.npz, y_true: y, y_pred: p}\n"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Return a folder with predictions, so that a report can be built without a model."""
    y, p = scores(40)
    np.savez(tmp_path / "p.npz", y=y, p=p)
    return Case(tmp_path)


def curves(history: History) -> dict[str, tuple[list[int], list[float]]]:
    """Return (epochs, values) by metric."""
    return {c.name: (c.epochs.tolist(), np.round(c.values, 6).tolist()) for c in history.curves}


@pytest.mark.parametrize("style", ["simple", "tensor", "content"])
def test_63_scalars_of_tf1_and_tf2_in_one_folder_or_two_give_the_same_curves(tmp_path: Path, style: str) -> None:
    write_events(tmp_path / "one", {"loss": LOSS, "val_loss": LOSS[::-1]}, style)
    write_events(tmp_path / "two" / "train", {"epoch_loss": LOSS}, style)
    write_events(tmp_path / "two" / "validation", {"epoch_loss": LOSS[::-1]}, style)
    wanted = {"loss": ([1, 2, 3, 4], LOSS), "val_loss": ([1, 2, 3, 4], LOSS[::-1])}
    assert curves(load_history(tmp_path / "one")) == wanted
    assert curves(load_history(tmp_path / "two")) == wanted


@pytest.mark.keras
@pytest.mark.slow
def test_63_what_tensorflow_itself_writes_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    for side, values in (("train", LOSS), ("validation", LOSS[::-1])):
        with tf.summary.create_file_writer(str(tmp_path / "logs" / side)).as_default():
            for step, value in enumerate(values):
                tf.summary.scalar("epoch_loss", value, step=step)
                tf.summary.histogram("kernel", tf.random.normal([100]), step=step)
    found = curves(load_history(tmp_path / "logs"))
    assert found == {"loss": ([1, 2, 3, 4], LOSS), "val_loss": ([1, 2, 3, 4], LOSS[::-1])}


def test_tensorboard_logs_make_the_training_section(case: Case) -> None:
    write_events(case.path / "logs" / "train", {"epoch_loss": LOSS, "epoch_acc": LOSS})
    write_events(case.path / "logs" / "validation", {"epoch_loss": LOSS, "evaluation_loss_vs_iterations": [9.0, 8.0]})
    report = case.build(MADE + "history: logs")
    assert {item["name"] for item in report["history"]} == {"loss", "accuracy", "val_loss"}
    assert "Not recorded once an epoch, and left out: evaluation_loss_vs_iterations." in all_text(report, "training")


def test_tensorboard_is_read_without_importing_tensorflow(tmp_path: Path) -> None:
    import subprocess

    write_events(tmp_path / "logs", {"loss": LOSS})
    code = f"""
import sys, pathlib
from reportgen.inputs.history import load_history
assert load_history(pathlib.Path({str(tmp_path / "logs")!r})).curves
assert "tensorflow" not in sys.modules
"""
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("cut", "points"), [(3, 19), (200, 16)])
def test_62_a_truncated_log_is_drawn_and_warned_of_with_its_points(case: Case, cut: int, points: int) -> None:
    file = write_events(case.path / "logs", {"loss": np.linspace(1, 0, 20)}, "simple")
    file.write_bytes(file.read_bytes()[:-cut])
    report = case.build(MADE + "history: logs")
    said = all_text(report, "training")
    assert "could not be read to its end (it is cut off)" in said
    assert f"{report['history'][0]['points']} points before that are shown" in said
    assert abs(report["history"][0]["points"] - points) <= 1


def test_62_a_flipped_bit_ends_the_curve_there_and_is_warned_of(case: Case) -> None:
    file = write_events(case.path / "logs", {"loss": np.linspace(1, 0, 20)}, "simple")
    data = bytearray(file.read_bytes())
    data[len(data) * 12 // 20] ^= 1
    file.write_bytes(data)
    report = case.build(MADE + "history: logs")
    said = all_text(report, "training")
    assert 8 <= report["history"][0]["points"] <= 13
    assert f"(it is damaged): {report['history'][0]['points']} points before that are shown" in said


@pytest.mark.parametrize("make", [False, True], ids=["missing", "empty"])
def test_64_a_missing_or_empty_log_folder_is_a_card(case: Case, make: bool) -> None:
    if make:
        (case.path / "logs").mkdir()
    report = case.build(MADE + "history: logs")
    assert section(report, "training")["state"] == "empty"
    assert ("no TensorBoard event file" if make else "there is no such folder") in all_text(report, "training")


def test_65_a_repeated_step_shows_the_later_value_and_drops_what_followed(tmp_path: Path) -> None:
    write_events(tmp_path / "logs", {"loss": [1.0, 0.9, 0.8, 0.7]}, time=1_700_000_000)
    write_events(tmp_path / "logs", {"loss": [0.5, 0.4]}, time=1_700_009_000, first=1)
    history = load_history(tmp_path / "logs")
    assert curves(history) == {"loss": ([1, 2, 3], [1.0, 0.5, 0.4])}
    assert any("3 points were written again at an earlier step" in note for note in history.notes)


def test_65_of_several_runs_the_newest_is_shown_and_the_others_are_named(tmp_path: Path) -> None:
    for run, time, values in (("a", 1_700_000_000, [3.0]), ("b", 1_700_009_000, LOSS), ("c", 1_700_000_500, [2.0])):
        write_events(tmp_path / "logs" / run / "train", {"epoch_loss": values}, time=time)
        write_events(tmp_path / "logs" / run / "validation", {"epoch_loss": values}, time=time)
    history = load_history(tmp_path / "logs")
    assert curves(history)["loss"][1] == LOSS and len(history.curves) == 2
    assert "Of 3 runs the newest is shown, b (not a, c)." in history.notes


def test_a_missing_tensorboard_package_says_what_to_install(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_events(folder.path / "logs", {"loss": LOSS})
    write_keras(folder.path / "model.keras")
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    folder.refused("logs", "pip install 'reportgen[tensorboard]'", history="logs")


def test_npz_with_an_array_a_metric(folder: Folder) -> None:
    np.savez(folder.path / "h.npz", loss=LOSS, val_loss=LOSS, epoch=[0, 1, 2, 3])
    assert curves(load_history(folder.path / "h.npz"))["val_loss"] == ([1, 2, 3, 4], LOSS)
    write_keras(folder.path / "model.keras")
    np.savez(folder.path / "o.npz", history=np.array({"loss": LOSS}, dtype=object))
    folder.refused("o.npz", "`history`", "pickle", "np.savez(path, **history.history)", history="o.npz")
    (folder.path / "cut.npz").write_bytes((folder.path / "h.npz").read_bytes()[:300])
    folder.refused("cut.npz", "corrupt", history="cut.npz")
    with zipfile.ZipFile(folder.path / "none.npz", "w") as archive:
        archive.writestr("config.json", "{}")
    folder.refused("none.npz", "without any array", "np.savez", history="none.npz")


def test_json_lines_one_epoch_a_line(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text("".join(json.dumps({"epoch": i, "loss": v}) + "\n" for i, v in enumerate(LOSS)))
    assert curves(load_history(path)) == {"loss": ([1, 2, 3, 4], LOSS)}
    path.write_text('{"epoch": 0, "loss": 0.5}\n')
    assert curves(load_history(path)) == {"loss": ([1], [0.5])}


def test_json_lines_cut_off_in_the_last_line_are_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text('{"loss": 1}\n{"loss": 0.5}\n{"lo')
    history = load_history(path)
    assert curves(history) == {"loss": ([1, 2], [1.0, 0.5])}
    assert "Line 3, the last one, is cut off and was left out." in history.notes


def test_49_a_pickle_is_refused_without_trust_and_names_the_flag(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "h.pkl").write_bytes(pickle.dumps({"loss": LOSS}))
    folder.refused("h.pkl", "pickle", "--trust=pickle", "json.dump", history="h.pkl")
    assert folder.check("--trust=pickle", history="h.pkl").exit_code == 0


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "values",
    [
        {"loss": LOSS},
        {"loss": [np.float64(v) for v in LOSS]},
        {"loss": [np.float32(v) for v in LOSS]},
        {"loss": np.array(LOSS)},
        collections.OrderedDict(loss=LOSS),
        collections.defaultdict(list, loss=LOSS),
        np.array({"loss": LOSS}, dtype=object),
    ],
    ids=["floats", "float64", "float32", "array", "ordered", "default", "object-array"],
)
def test_49_trusted_pickles_of_numbers_are_read(tmp_path: Path, values: Any, protocol: int) -> None:
    (tmp_path / "h.pkl").write_bytes(pickle.dumps(values, protocol))
    found = load_history(tmp_path / "h.pkl", frozenset({"pickle"}))
    assert np.allclose(found.curves[0].values, LOSS) and found.curves[0].name == "loss"


def test_49_what_np_save_makes_of_a_history_is_read_when_trusted(tmp_path: Path) -> None:
    np.save(tmp_path / "h.npy", {"loss": LOSS}, allow_pickle=True)  # type: ignore[arg-type]
    assert curves(load_history(tmp_path / "h.npy", frozenset({"pickle"}))) == {"loss": ([1, 2, 3, 4], LOSS)}


class _Evil:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "evil",
    [
        _Evil(os.system, "touch evil"),
        _Evil(eval, "open('evil', 'w')"),
        _Evil(np.load, "x"),
        _Evil(np.ndarray, (1 << 40,)),
        _Evil(collections.deque, [1]),
    ],
    ids=["system", "eval", "np.load", "terabyte", "deque"],
)
def test_49_even_trusted_nothing_that_a_pickle_names_is_called(folder: Folder, evil: Any) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "h.pkl").write_bytes(pickle.dumps({"loss": evil}))
    result = folder.check("--trust=pickle", history="h.pkl")
    assert result.exit_code in (0, 3) and not list(folder.path.glob("**/evil")) and not Path("evil").exists()
    if result.exit_code == 0:
        assert "no epoch" in result.output or "left out" in result.output


def test_49_an_index_that_a_pickle_names_reserves_no_memory(tmp_path: Path) -> None:
    import resource

    (tmp_path / "h.pkl").write_bytes(b"\x80\x02}r\xff\xff\xff\x7fX\x04\x00\x00\x00loss]G?\xf0\0\0\0\0\0\0as.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert curves(load_history(tmp_path / "h.pkl", frozenset({"pickle"}))) == {"loss": ([1], [1.0])}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_a_list_stitches_the_pieces_of_a_resumed_run(folder: Folder) -> None:
    (folder.path / "one.json").write_text(json.dumps({"loss": [4.0, 3.0]}))
    (folder.path / "two.csv").write_text("epoch,loss\n2,2.0\n3,1.0\n")
    (folder.path / "three.json").write_text(json.dumps({"loss": [0.5]}))
    found, problems = load_histories([folder.path / f"{n}" for n in ("one.json", "two.csv", "three.json")])
    assert found is not None and not problems
    assert curves(found) == {"loss": ([1, 2, 3, 4, 5], [4.0, 3.0, 2.0, 1.0, 0.5])} and found.seams == (3, 5)
    write_keras(folder.path / "model.keras")
    result = folder.check(history="[one.json, two.csv, three.json]")
    assert result.exit_code == 0 and "5 epochs" in result.output
    assert "Stitched from 3 files; the run continues at epoch 3, 5." in result.output


def test_a_piece_that_begins_in_the_middle_replaces_what_was_trained_again(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("epoch,loss\n0,4\n1,3\n2,9\n")
    (tmp_path / "two.csv").write_text("epoch,loss\n2,2\n3,1\n")
    found, _ = load_histories([tmp_path / "one.csv", tmp_path / "two.csv"])
    assert found is not None and curves(found) == {"loss": ([1, 2, 3, 4], [4.0, 3.0, 2.0, 1.0])}
    assert any("1 epochs were trained again" in note or "1 epoch was trained again" in note for note in found.notes)


def test_a_history_beside_the_model_is_found_and_said_to_be(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "history.json").write_text(json.dumps({"loss": LOSS}))
    result = folder.check()
    assert result.exit_code == 0
    assert "history.json was found with the model" in result.output and "4 epochs" in result.output
    assert "history:" not in folder.check(history="[]").output


def test_one_named_after_the_model_comes_first_and_logs_come_last(tmp_path: Path) -> None:
    write_events(tmp_path / "logs" / "train", {"epoch_loss": LOSS})
    assert find_history(tmp_path / "best.keras") == tmp_path / "logs"
    (tmp_path / "history.csv").write_text("epoch,loss\n0,1\n")
    assert find_history(tmp_path / "best.keras") == tmp_path / "history.csv"
    (tmp_path / "best_history.json").write_text("{}")
    assert find_history(tmp_path / "best.keras") == tmp_path / "best_history.json"
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "history.json").write_text("{}")
    assert find_history(tmp_path / "saved") == tmp_path / "saved" / "history.json"


def test_a_found_file_that_is_no_history_is_told_and_does_not_stop_the_check(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "log.csv").write_text("1,2\n3,4\n")
    result = folder.check()
    assert result.exit_code == 0 and "no history that can be read" in result.output


def test_a_named_file_that_is_missing_is_refused(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    folder.refused("gone.json", "no such file", history="gone.json")
    with pytest.raises(InputRefused):
        load_histories([folder.path / "gone.csv"])
