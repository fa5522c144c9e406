"""BAD_INPUTS 49-61: histories, through the command line where they are refused, and as data where they are read."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reportgen.analysis.evidence import Curve, History
from reportgen.errors import InputRefused
from reportgen.inputs.history import parse_history
from reportgen.inputs.history_files import stitch
from tests.inputs.model_files import Folder, write_keras


def read(text: str | bytes) -> History:
    """Return the history that a text holds."""
    return parse_history(text.encode() if isinstance(text, str) else text, "history", "history.x")


def curve(history: History, name: str) -> Curve:
    """Return a curve that must be there."""
    found = history.curve(name)
    assert found is not None, [item.name for item in history.curves]
    return found


def refused(folder: Folder, data: bytes, *words: str, name: str = "history.json") -> None:
    """Expect `check` to refuse a history file."""
    write_keras(folder.path / "model.keras")
    (folder.path / name).write_bytes(data)
    folder.refused(name, *words, history=name)


def test_49_a_pickle_is_refused_and_told_how_to_save_json(folder: Folder) -> None:
    refused(folder, pickle.dumps({"loss": [1.0]}), "pickle", "json.dump")


def test_49_every_pickle_protocol_is_refused(folder: Folder) -> None:
    for protocol in (2, 3, 4, 5):
        refused(folder, pickle.dumps({"loss": [1.0]}, protocol), "pickle")


def test_50_nan_and_inf_are_gaps_with_a_count() -> None:
    history = read('{"loss": [1.0, NaN, null, Infinity, 0.5]}')
    values = curve(history, "loss").values
    assert np.isnan(values[1]) and np.isnan(values[2]) and np.isinf(values[3])
    assert "`loss` is not a number in 2 of 5 epochs." in history.notes
    assert "`loss` is infinite in 1 of 5 epochs." in history.notes


@pytest.mark.parametrize("text", ['{"loss": []}', "{}", "epoch,loss\n", "[]"])
def test_51_no_epoch_is_a_note(text: str) -> None:
    history = read(text)
    assert history.curves == () and "The history holds no epoch." in history.notes


def test_52_one_epoch_is_read() -> None:
    assert curve(read('{"loss": [0.5]}'), "loss").epochs.tolist() == [1]
    assert curve(read('{"loss": 0.5}'), "loss").values.tolist() == [0.5]


def test_53_a_million_epochs_are_read_whole() -> None:
    text = json.dumps({"loss": np.linspace(1, 0, 1_000_000).round(6).tolist()})
    assert curve(read(text), "loss").values.shape == (1_000_000,)


def test_54_the_largest_numbers_are_kept_and_larger_ones_are_infinite() -> None:
    values = curve(read('{"loss": [1e308, -1e308, 1e400, -1e400]}'), "loss").values
    assert values[:2].tolist() == [1e308, -1e308] and np.isinf(values[2:]).all()


def test_54_a_whole_number_beyond_floats_is_infinite() -> None:
    assert np.isinf(curve(read('{"loss": [1' + "0" * 400 + "]}"), "loss").values[0])


def test_55_ragged_lengths_are_read_and_warned_of() -> None:
    history = read('{"loss": [5, 4, 3, 2, 1], "val_loss": [5, 4, 3]}')
    assert curve(history, "val_loss").epochs.tolist() == [1, 2, 3]
    assert any("`val_loss` has 3 values" in note for note in history.notes)


def test_55_a_metric_of_every_second_epoch_stands_at_its_epochs() -> None:
    history = read('{"loss": [6, 5, 4, 3, 2, 1], "val_loss": [5, 4, 3]}')
    assert curve(history, "val_loss").epochs.tolist() == [2, 4, 6]
    assert any("every 2 epochs" in note for note in history.notes)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ('["a", "b"]', "the text `a`"),
        ("[[1, 2], [3, 4]]", "lists"),
        ("[true, false]", "true or false"),
        ('[{"a": 1}]', "lists"),
    ],
)
def test_56_texts_and_nested_values_leave_out_the_key_and_name_it(value: str, word: str) -> None:
    history = read('{"loss": [1, 2], "odd": ' + value + "}")
    assert [item.name for item in history.curves] == ["loss"]
    assert any("`odd` was left out" in note and word in note for note in history.notes)


def test_56_numbers_written_as_text_are_numbers() -> None:
    assert curve(read('{"loss": ["0.5", "nan", "1e-3"]}'), "loss").values[[0, 2]].tolist() == [0.5, 0.001]


def test_57_duplicate_keys_are_refused_by_name(folder: Folder) -> None:
    refused(folder, b'{"loss": [1], "loss": [2]}', "`loss` stands twice")


def test_57_duplicate_columns_are_refused_with_their_line(folder: Folder) -> None:
    refused(folder, b"epoch,loss,loss\n0,1,2\n", "history.csv:1:", "`loss` stands twice", name="history.csv")


def test_58_a_validation_metric_alone_is_read() -> None:
    assert [item.name for item in read('{"val_loss": [1, 2]}').curves] == ["val_loss"]


def test_59_old_names_are_understood() -> None:
    history = read('{"acc": [0], "val_acc": [0], "head_acc": [0], "lr": [0.1]}')
    assert [item.name for item in history.curves] == ["accuracy", "val_accuracy", "head_accuracy", "learning_rate"]


def test_59_an_old_name_beside_the_new_one_is_kept_and_noted() -> None:
    history = read('{"acc": [0.1], "accuracy": [0.2]}')
    assert {item.name for item in history.curves} == {"acc", "accuracy"}
    assert any("Both `acc` and `accuracy`" in note for note in history.notes)


@pytest.mark.parametrize(
    "mark", [",", ";", "\t", "|", ":", " "], ids=["comma", "semicolon", "tab", "bar", "colon", "space"]
)
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_60_any_separator_with_or_without_bom(mark: str, start: str, end: str) -> None:
    rows = [["epoch", "accuracy", "loss"], ["0", "0.5", "1.5"], ["1", "0.75", "1.25"]]
    history = read(start + end.join(mark.join(row) for row in rows) + end)
    assert curve(history, "loss").values.tolist() == [1.5, 1.25]
    assert curve(history, "accuracy").epochs.tolist() == [1, 2]


def test_60_decimal_commas_are_read_where_commas_do_not_separate() -> None:
    assert curve(read("epoch;loss\n0;0,5\n1;0,25\n"), "loss").values.tolist() == [0.5, 0.25]


def test_60_a_nul_byte_is_refused_with_its_line(folder: Folder) -> None:
    refused(folder, b"epoch,loss\n0,1\n1,\x002\n", "history.csv:3:", "NUL", name="history.csv")


def test_60_a_huge_field_is_refused_with_its_line(folder: Folder) -> None:
    refused(folder, b"epoch,loss\n0,1\n1," + b"1" * 200_000 + b"\n", "history.csv:3:", name="history.csv")


def test_60_a_row_of_another_length_is_refused_with_its_line(folder: Folder) -> None:
    refused(
        folder,
        b"epoch,loss\n0,1\n1,2,3\n2,3\n",
        "history.csv:3:",
        "3 fields where the header has 2",
        name="history.csv",
    )


def test_60_a_last_row_that_was_cut_off_is_left_out_with_a_note() -> None:
    history = read("epoch,accuracy,loss\n0,0.5,1.5\n1,0.7")
    assert curve(history, "loss").values.tolist() == [1.5]
    assert any("Line 3" in note for note in history.notes)


def test_60_a_file_that_is_not_utf8_is_refused_with_its_line(folder: Folder) -> None:
    refused(folder, b"epoch,loss\n0,\xff\n", "history.csv:2:", "0xff", name="history.csv")


def test_60_no_header_is_refused(folder: Folder) -> None:
    refused(folder, b"0,1\n1,2\n", "history.csv:1:", "name the columns", name="history.csv")


def test_61_a_run_appended_from_epoch_zero_goes_on_behind_the_first() -> None:
    history = read("epoch,loss\n0,5\n1,4\n0,3\n1,2\n")
    assert curve(history, "loss").epochs.tolist() == [1, 2, 3, 4]
    assert curve(history, "loss").values.tolist() == [5, 4, 3, 2]
    assert history.seams == (3,)
    assert any("resumed" in note for note in history.notes)


def test_61_a_run_resumed_from_a_checkpoint_replaces_what_was_lost() -> None:
    history = read("epoch,loss\n0,5\n1,4\n2,3\n1,3.5\n2,2.5\n3,1.5\n")
    assert curve(history, "loss").epochs.tolist() == [1, 2, 3, 4]
    assert curve(history, "loss").values.tolist() == [5, 3.5, 2.5, 1.5]
    assert history.seams == (2,)
    assert any("2 epochs were trained again" in note for note in history.notes)


def test_61_a_second_header_in_the_middle_is_a_seam_and_may_bring_new_columns() -> None:
    history = read("epoch,loss\n0,5\n1,4\nepoch,loss,lr\n2,3,0.1\n3,2,0.1\n")
    assert curve(history, "loss").epochs.tolist() == [1, 2, 3, 4]
    assert history.seams == (3,)
    assert np.isnan(curve(history, "learning_rate").values[:2]).all()


def test_61_three_runs_are_stitched_in_order() -> None:
    history = read("epoch,loss\n0,6\n1,5\n0,4\n1,3\n0,2\n1,1\n")
    assert curve(history, "loss").epochs.tolist() == [1, 2, 3, 4, 5, 6]
    assert history.seams == (3, 5)


def test_epochs_that_count_from_one_stay() -> None:
    assert curve(read("epoch,loss\n1,5\n2,4\n"), "loss").epochs.tolist() == [1, 2]


def test_epochs_that_are_none_are_counted_by_row_with_a_note() -> None:
    history = read("epoch,loss\na,5\nb,4\n")
    assert curve(history, "loss").epochs.tolist() == [1, 2]
    assert any("rows are counted" in note for note in history.notes)


@pytest.mark.parametrize(
    "text",
    [
        '{"history": {"loss": [2, 1]}, "epoch": [0, 1], "params": {"epochs": 2}}',
        '{"loss": {"0": 2, "1": 1}}',
        '[{"epoch": 0, "loss": 2}, {"epoch": 1, "loss": 1}]',
        '{"epoch": 0, "loss": 2}\n{"epoch": 1, "loss": 1}\n',
        '{"epoch": [0, 1], "loss": [2, 1]}',
    ],
    ids=["history object", "pandas", "list of epochs", "json lines", "with epochs"],
)
def test_other_forms_of_json_give_the_same_curve(text: str) -> None:
    found = curve(read(text), "loss")
    assert found.epochs.tolist() == [1, 2] and found.values.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b'{"loss": [1' + b"0" * 5000 + b"]}", "thousands of digits"),
        (b'{"loss": [1,]', ":1:"),
        (b"[1, 2]", "metrics by name"),
        (b'{"a": 1}\n[2]\n', ":2:"),
        (b"PK\x03\x04rest", "NPZ"),
        (b"\xff\xfe{\x00", "UTF-16"),
    ],
)
def test_what_is_no_history_is_refused_with_the_reason(folder: Folder, data: bytes, word: str) -> None:
    refused(folder, data, word)


def test_a_missing_history_is_named(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    folder.refused("history.csv", "no such file", history="history.csv")


def test_every_mutant_is_read_or_refused() -> None:
    random = np.random.default_rng(5)
    seeds = [
        b"epoch,loss,val_loss\n0,5,6\n1,4,5\n0,3,4\n",
        b'{"loss": [1, 2, NaN], "acc": [0.5, "x", null], "lr": 1e-3}',
    ]
    for number in range(4000):
        data = bytearray(seeds[number % 2])
        for _ in range(random.integers(1, 6)):
            position = int(random.integers(0, len(data)))
            choice = random.integers(0, 3)
            if choice == 0:
                data[position] = random.integers(0, 256)
            elif choice == 1:
                del data[position]
            else:
                data[position:position] = data[position : position + 9]
        try:
            history = parse_history(bytes(data), "history", "history.x")
        except InputRefused:
            continue
        for item in history.curves:
            assert (np.diff(item.epochs) > 0).all() and item.epochs.shape == item.values.shape, bytes(data)


def test_the_examples_are_read_without_a_note() -> None:
    for path in sorted(Path("examples").glob("*/history.*")):
        history = parse_history(path.read_bytes(), path.name, str(path))
        assert history.curves and not history.notes, path


def test_60_a_table_of_50000_columns_is_read_at_once_and_the_first_1000_kept() -> None:
    """Looking for each name among all others took minutes."""
    names = [f"m{index}" for index in range(50_000)]
    history = read(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    assert len(history.curves) == 1000
    assert "Only the first 1,000 of 50,000 metrics were read." in history.notes


@pytest.mark.parametrize("kind", ["csv", "json lines"])
def test_rows_that_name_another_metric_each_do_not_fill_the_memory(folder: Folder, kind: str) -> None:
    """Half a megabyte would be 400 million numbers."""
    rows = (f"epoch,m{i}\n{i},1\n" if kind == "csv" else f'{{"epoch":{i},"m{i}":1}}\n' for i in range(20_000))
    words = ("20,000", "metrics over 20,000 epochs make more than 20,000,000 numbers")
    refused(folder, "".join(rows).encode(), *words, name="history.csv" if kind == "csv" else "history.json")


def test_an_npz_header_that_claims_8_tb_is_refused_from_the_header(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + "\n"
    with zipfile.ZipFile(folder.path / "h.npz", "w") as archive:
        archive.writestr("loss.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + bytes(64))
    folder.refused("h.npz", "`loss` declares 8,000,000,000,000 bytes and holds 64", history="h.npz")


def test_61_many_pieces_are_stitched_without_looking_at_all_of_them_each_time() -> None:
    one = read('{"loss": [2, 1]}')
    again = read('{"epoch": [2], "loss": [0.5]}')
    history = stitch([one] * 3000 + [again])
    assert curve(history, "loss").epochs.tolist() == [1, 2, 3]
    assert curve(history, "loss").values.tolist() == [2, 1, 0.5]
    assert any("5998 epochs were trained again" in note for note in history.notes)
    whole = stitch([one] * 3000)
    assert curve(whole, "loss").epochs.tolist() == list(range(1, 6001))
    assert whole.notes[0].endswith("at epoch 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, ....")
