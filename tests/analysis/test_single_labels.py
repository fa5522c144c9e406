"""Single labels of a multilabel output: which disagreements speak against the label, whatever the split."""

import numpy as np

from reportgen.analysis.single_labels import SingleLabelKeeper, count_others, is_suspicious


def reliable(n=300, labels=3):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (n, labels))
    return truth, np.where(truth == 1, 0.9995, 0.0005) + rng.uniform(-0.0003, 0.0003, (n, labels))


def kept(truth, share, cuts=1, order=None):
    keeper = SingleLabelKeeper(truth.shape[1])
    for index in np.array_split(np.arange(len(truth)) if order is None else order, cuts):
        part = SingleLabelKeeper(truth.shape[1])
        part.add(index, [f"s{i}" for i in index], truth[index], share[index])
        keeper.merge(part)
    return keeper.result()


def test_a_changed_label_is_suspicious_where_the_model_is_reliable():
    truth, share = reliable()
    truth[7, 1] = 1 - truth[7, 1]
    found = kept(truth, share)
    assert (found.positions.tolist(), found.labels.tolist(), found.ids, found.found) == ([7], [1], ("s7",), 1)
    assert found.given[0] == 1 - truth[7, 1] and is_suspicious(found, 0)
    right, others = count_others(found, 0)
    assert right == others == int((truth[:, 1] == 1 - truth[7, 1]).sum())


def test_a_label_on_which_the_model_is_too_sure_accuses_nobody():
    truth, share = reliable()
    truth[::4, 1] = 1 - truth[::4, 1]
    truth[7, 2] = 1 - truth[7, 2]
    found = kept(truth, share)
    judged = {
        (int(p), int(label)): is_suspicious(found, i)
        for i, (p, label) in enumerate(zip(found.positions, found.labels, strict=True))
    }
    assert judged.pop((7, 2)) and len(judged) == 75 and not any(judged.values())


def test_a_rare_label_is_not_accused_where_the_model_expects_to_miss_some():
    rng = np.random.default_rng(2)
    truth = (rng.random((20_000, 1)) < 0.002).astype(int)
    found = kept(truth, np.full((20_000, 1), 0.002))
    assert found.found == int(truth.sum()) > 20
    assert not any(is_suspicious(found, row) for row in range(len(found.labels)))
    changed = np.zeros((400, 1), int)
    changed[3] = 1
    assert is_suspicious(kept(changed, np.full((400, 1), 1e-4)), 0)


def test_unknown_labels_unsure_answers_and_nan_are_left_out():
    truth, share = reliable(100)
    truth[3], share[4], truth[5] = 2, np.nan, 1 - truth[5]
    share[5] = np.where(truth[5] == 1, 0.02, 0.98)
    found = kept(truth, share)
    assert found.found == 0 and int(found.answers.sum()) == 97 * 3


def test_the_choice_is_bounded_and_does_not_depend_on_the_split():
    rng = np.random.default_rng(1)
    truth, share = rng.integers(0, 2, (900, 4)), np.round(rng.random((900, 4)), 3)
    share = np.where(share > 0.5, 1 - (1 - share) / 60, share / 60)
    whole, parts = kept(truth, share), kept(truth, share, 7, rng.permutation(900))
    assert len(whole.labels) == 200 < whole.found
    for name in ("positions", "labels", "given", "sure", "answers", "right", "ids", "found"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name), err_msg=name)
