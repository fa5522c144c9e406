"""Every line of the list of bad inputs has its tests, by name: what is missing here is missing in the product.

The numbers are those of the project's list of bad inputs and faults (1 to 110).
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
LINES = range(1, 111)

CONFIG = "inputs/test_model_config.py::"
MEMBERS = "inputs/test_model_members.py::"
HDF5 = "inputs/test_model_hdf5.py::"
HISTORY = "inputs/test_histories.py::"
HISTORIES = "inputs/test_history_formats.py::"
BATCH = "inputs/test_batches.py::"
BATCHES = "inputs/test_bad_batches.py::"
YAML = "config/test_config_mistakes.py::"
OWN = "renderers/test_own_templates.py::"
KINDS = "pipeline/test_model_kinds.py::"
MODEL = "faults/test_model_faults.py::"
NAMES = "faults/test_names_faults.py::"
OUTPUT = "faults/test_output_faults.py::"
RUNNING = "faults/test_running_faults.py::"
WORKER = "faults/test_worker_faults.py::"
CONFINE = "faults/test_confine_faults.py::"
REMOTE = "faults/test_remote_faults.py::"
BOMB = f"{WORKER}test_a_bomb_that_passes_the_preflight_ends_within_its_memory_limit_and_leaves_a_report"

MAP: dict[int, tuple[str, ...]] = {
    1: (
        f"{CONFIG}test_1_a_lambda_layer_names_the_layer_and_the_flag",
        f"{CONFIG}test_1_a_lambda_activation_names_the_layer_and_the_flag",
    ),
    2: (f"{CONFIG}test_2_a_lambda_in_h5_is_refused",),
    3: (
        f"{CONFIG}test_3_a_module_of_python_is_refused",
        f"{CONFIG}test_3_a_module_of_python_below_keras_is_refused",
    ),
    4: (
        f"{CONFIG}test_4_a_function_of_keras_that_is_no_part_of_a_model_is_refused",
        f"{CONFIG}test_4_operations_that_take_functions_or_write_are_refused",
        "inputs/test_keras_names.py::test_every_operation_of_keras_is_on_the_list_but_those_that_take_functions",
    ),
    5: (f"{CONFIG}test_5_an_unconnected_node_that_calls_a_function_is_refused", BOMB),
    6: (f"{CONFIG}test_6_a_custom_class_is_shown_with_its_module_and_the_fix",),
    7: (f"{CONFIG}test_7_a_missing_custom_loss_metric_or_optimizer_is_no_obstacle",),
    8: (f"{CONFIG}test_8_a_vocabulary_outside_the_file_is_refused",),
    9: (f"{CONFIG}test_9_layers_that_hold_foreign_programs_are_refused_even_with_trust",),
    10: (
        f"{MEMBERS}test_24_a_broken_saved_model_is_called_corrupt",
        f"{KINDS}test_10_a_saved_model_predicts_with_trust_and_its_layers_say_why_not",
    ),
    11: (f"{KINDS}test_11_operations_of_a_saved_model_that_reach_outside_are_listed",),
    12: (f"{HDF5}test_12_to_16_in_the_weights_of_a_keras_file", f"{HDF5}test_12_to_16_in_an_h5_file"),
    13: (f"{HDF5}test_12_to_16_in_the_weights_of_a_keras_file", f"{HDF5}test_12_to_16_in_an_h5_file"),
    14: (f"{HDF5}test_12_to_16_in_the_weights_of_a_keras_file", f"{HDF5}test_12_to_16_in_an_h5_file"),
    15: (f"{HDF5}test_12_to_16_in_the_weights_of_a_keras_file", f"{HDF5}test_12_to_16_in_an_h5_file"),
    16: (f"{HDF5}test_12_to_16_in_the_weights_of_a_keras_file", f"{HDF5}test_12_to_16_in_an_h5_file"),
    17: (f"{MEMBERS}test_17_config_json_of_300_mb_is_refused_at_16_mib_without_unpacking",),
    18: (f"{MEMBERS}test_18_a_member_that_would_be_written_elsewhere_is_refused",),
    19: (
        f"{MEMBERS}test_19_a_member_that_stands_twice_is_refused",
        f"{MEMBERS}test_19_a_symbolic_link_as_member_is_refused",
        f"{MEMBERS}test_19_an_encrypted_member_is_refused",
    ),
    20: (f"{CONFIG}test_20_dense_of_200_million_units_in_a_small_file_is_refused", BOMB),
    21: (f"{MEMBERS}test_21_json_100000_levels_deep_is_refused",),
    22: (f"{MEMBERS}test_22_a_truncated_model_is_called_corrupt", f"{MEMBERS}test_22_a_truncated_h5_is_called_corrupt"),
    23: (f"{MEMBERS}test_23_an_empty_model_is_named_empty",),
    24: (f"{MEMBERS}test_24_one_flipped_bit_names_its_member",),
    25: (
        f"{MEMBERS}test_25_h5_content_under_a_keras_name_is_told_by_its_content",
        f"{MEMBERS}test_25_keras_content_under_an_h5_name_is_told_by_its_content",
    ),
    26: (f"{MEMBERS}test_26_a_folder_named_keras_is_refused",),
    27: (f"{HDF5}test_27_a_weights_only_h5_says_what_is_needed",),
    28: (
        f"{MEMBERS}test_28_an_address_is_refused_and_names_the_flag",
        f"{REMOTE}test_28_only_the_command_line_grants_it",
        f"{REMOTE}test_28_what_goes_wrong_on_the_way_is_one_line",
        f"{REMOTE}test_28_no_address_leads_to_files_of_this_machine",
    ),
    30: (f"{KINDS}test_30_a_registered_subclassed_model_is_loaded_with_its_own_classes",),
    29: (f"{MODEL}test_29_an_unbuilt_model_says_so_and_the_other_sections_run",),
    31: (f"{MODEL}test_31_32_900_layers_are_folded_and_those_with_nan_are_named",),
    32: (f"{MODEL}test_31_32_900_layers_are_folded_and_those_with_nan_are_named",),
    33: (
        "pipeline/test_build.py::test_every_example_builds_without_a_failed_section",
        "worker/test_pass.py::test_two_inputs_are_fed_by_name",
    ),
    34: (
        f"{MEMBERS}test_34_a_fifo_is_refused_without_hanging",
        f"{MEMBERS}test_34_a_device_is_refused_without_hanging",
    ),
    35: (
        f"{KINDS}test_35_a_keras_2_file_predicts_what_it_predicted_in_keras_2",
        f"{KINDS}test_35_a_keras_2_file_that_cannot_be_loaded_still_shows_its_graph",
    ),
    36: (f"{BATCHES}test_72_a_wrong_shape_names_both_shapes_and_the_other_sections_run",),
    37: (
        "pipeline/test_tasks.py::test_logits_become_probabilities_where_the_loss_says_so",
        "pipeline/test_tasks.py::test_scores_are_never_called_a_percentage",
    ),
    38: (f"{MODEL}test_38_39_outputs_in_a_dict_are_matched_by_key_and_those_without_labels_say_so",),
    39: (f"{MODEL}test_38_39_outputs_in_a_dict_are_matched_by_key_and_those_without_labels_say_so",),
    40: (
        f"{NAMES}test_40_every_section_is_whole_and_the_names_are_those_of_the_model",
        f"{NAMES}test_40_41_the_graph_draws_with_literal_names_and_without_a_link_of_theirs",
    ),
    41: (f"{NAMES}test_40_41_the_graph_draws_with_literal_names_and_without_a_link_of_theirs",),
    42: (
        f"{NAMES}test_42_nothing_that_was_a_name_became_markup",
        "e2e/test_hostile_in_browser.py::test_a_payload_in_every_text_of_a_report_does_nothing",
    ),
    43: (f"{NAMES}test_43_44_what_hides_reorders_or_breaks_text_is_written_out",),
    44: (
        f"{NAMES}test_43_44_what_hides_reorders_or_breaks_text_is_written_out",
        f"{NAMES}test_44_every_drawing_is_well_formed",
    ),
    45: (f"{NAMES}test_45_dollars_in_title_and_names_are_no_mathematics",),
    46: (f"{NAMES}test_46_a_name_of_100000_characters_is_short_in_the_page_and_whole_in_report_json",),
    47: (f"{NAMES}test_47_emoji_and_cjk_are_shown",),
    48: (
        f"{NAMES}test_48_sidecars_and_logs_hold_no_command_mention_or_markup",
        "cli/test_commands.py::test_48_a_file_name_cannot_forge_a_line_or_a_ci_command",
        f"{CONFINE}test_a_name_with_line_breaks_makes_no_second_line",
    ),
    49: (
        f"{HISTORIES}test_49_a_pickle_is_refused_without_trust_and_names_the_flag",
        f"{HISTORIES}test_49_even_trusted_nothing_that_a_pickle_names_is_called",
    ),
    50: (f"{HISTORY}test_50_nan_and_inf_are_gaps_with_a_count",),
    51: (f"{HISTORY}test_51_no_epoch_is_a_note",),
    52: (
        f"{HISTORY}test_52_one_epoch_is_read",
        "figures/test_charts.py::test_one_epoch_is_a_marker_and_not_an_invisible_line",
    ),
    53: (f"{HISTORY}test_53_a_million_epochs_are_read_whole",),
    54: (f"{HISTORY}test_54_the_largest_numbers_are_kept_and_larger_ones_are_infinite",),
    55: (f"{HISTORY}test_55_ragged_lengths_are_read_and_warned_of",),
    56: (f"{HISTORY}test_56_texts_and_nested_values_leave_out_the_key_and_name_it",),
    57: (f"{HISTORY}test_57_duplicate_keys_are_refused_by_name",),
    58: (f"{HISTORY}test_58_a_validation_metric_alone_is_read",),
    59: (f"{HISTORY}test_59_old_names_are_understood",),
    60: (
        f"{HISTORY}test_60_any_separator_with_or_without_bom",
        f"{HISTORY}test_60_a_nul_byte_is_refused_with_its_line",
        f"{HISTORY}test_60_a_huge_field_is_refused_with_its_line",
    ),
    61: (f"{HISTORY}test_61_a_run_appended_from_epoch_zero_goes_on_behind_the_first",),
    62: (f"{HISTORIES}test_62_a_truncated_log_is_drawn_and_warned_of_with_its_points",),
    63: (f"{HISTORIES}test_63_scalars_of_tf1_and_tf2_in_one_folder_or_two_give_the_same_curves",),
    64: (f"{HISTORIES}test_64_a_missing_or_empty_log_folder_is_a_card",),
    65: (
        f"{HISTORIES}test_65_a_repeated_step_shows_the_later_value_and_drops_what_followed",
        f"{HISTORIES}test_65_of_several_runs_the_newest_is_shown_and_the_others_are_named",
    ),
    66: (f"{BATCHES}test_66_object_arrays_in_npz_are_refused", f"{BATCHES}test_66_object_arrays_in_npy_are_refused"),
    67: (
        f"{BATCH}test_67_a_header_that_claims_4_tb_is_refused_from_the_header",
        f"{BATCHES}test_67_an_npy_header_that_claims_4_tb_is_refused_from_the_header",
    ),
    68: (f"{BATCHES}test_68_one_mb_of_npz_that_holds_one_gib_is_refused",),
    69: (f"{BATCHES}test_69_no_sample_is_a_note",),
    70: (f"{BATCHES}test_70_one_sample_works",),
    71: (f"{BATCHES}test_71_channels_first_is_explained",),
    72: (f"{BATCHES}test_72_a_wrong_shape_names_both_shapes_and_the_other_sections_run",),
    73: (f"{BATCHES}test_73_inputs_of_other_number_types_work", f"{BATCHES}test_73_bfloat16_is_explained"),
    74: (f"{BATCHES}test_74_types_that_no_model_takes_are_refused_by_name",),
    75: (f"{BATCHES}test_75_nan_pixels_are_counted_and_marked",),
    76: (f"{BATCHES}test_76_and_83_floats_of_0_to_255_are_stated_and_the_collapse_is_found",),
    77: (f"{BATCHES}test_77_x_and_y_of_different_lengths_are_refused_with_both",),
    78: (f"{BATCHES}test_78_odd_labels_are_handled_or_a_card",),
    79: (f"{BATCHES}test_79_ten_thousand_classes_give_no_giant_matrix",),
    80: (f"{BATCHES}test_80_a_million_samples_are_all_counted_and_few_are_shown",),
    81: (f"{BATCHES}test_81_an_image_bomb_is_refused_by_its_header",),
    82: (f"{BATCHES}test_82_class_names_that_are_not_as_many_as_outputs_are_refused_with_both",),
    83: (f"{BATCHES}test_76_and_83_floats_of_0_to_255_are_stated_and_the_collapse_is_found",),
    84: (f"{YAML}test_84_an_unknown_key_has_its_place_and_the_nearest_key",),
    85: (
        f"{YAML}test_85_a_duplicate_key_names_both_places",
        f"{YAML}test_85_a_tab_has_its_place",
        f"{YAML}test_85_a_second_document_has_its_place",
    ),
    86: (
        f"{YAML}test_86_tags_are_refused_at_their_place",
        f"{YAML}test_86_an_alias_bomb_is_refused_at_once",
        f"{YAML}test_86_recursion_is_refused",
    ),
    87: (
        "config/test_config_values.py::test_87_plain_words_stay_words_where_a_text_is_meant",
        "config/test_config_values.py::test_87_numbers_are_understood",
    ),
    88: (f"{YAML}test_88_a_file_that_is_not_utf8_names_the_byte",),
    89: (f"{OWN}test_89_an_undefined_name_is_told_with_file_and_line",),
    90: (
        f"{OWN}test_90_a_loop_without_an_end_is_ended",
        f"{OWN}test_90_a_page_without_an_end_is_ended",
        f"{OWN}test_90_memory_without_an_end_is_ended",
    ),
    91: ("inputs/test_look.py::test_91_links_are_refused",),
    92: (
        f"{CONFINE}test_92_no_key_leads_outside_the_folder",
        f"{CONFINE}test_92_no_link_leads_outside_the_folder",
        f"{CONFINE}test_92_a_history_that_is_found_by_itself_is_not_followed_outside",
        "report/test_write.py::test_any_text_gives_one_safe_name",
    ),
    93: (f"{OUTPUT}test_93_output_that_is_a_symlink_is_replaced_and_never_followed",),
    94: (
        f"{OUTPUT}test_94_a_read_only_folder_fails_before_tensorflow_is_imported",
        f"{OUTPUT}test_94_a_file_in_place_of_the_folder_fails_before_tensorflow_is_imported",
    ),
    95: (
        f"{OUTPUT}test_95_a_full_disk_leaves_the_old_report_and_gives_74",
        f"{OUTPUT}test_95_a_limit_on_file_sizes_leaves_the_old_report_and_gives_74",
    ),
    96: (
        f"{OUTPUT}test_96_a_name_that_is_too_long_is_told_and_a_long_title_makes_none",
        "report/test_write.py::test_a_name_that_is_too_long_is_shortened_with_a_hash",
    ),
    97: (
        f"{RUNNING}test_97_a_signal_at_any_stage_leaves_nothing_and_gives_its_code",
        f"{OUTPUT}test_97_a_signal_at_every_step_of_writing_leaves_nothing_behind",
    ),
    98: (
        f"{RUNNING}test_98_sigkill_leaves_the_old_report_and_no_worker_and_the_next_run_sweeps",
        f"{OUTPUT}test_98_sigkill_at_every_step_of_writing_leaves_an_old_or_a_new_report",
    ),
    99: (f"{OUTPUT}test_99_two_writers_of_one_report_leave_one_of_them_whole",),
    101: (
        f"{RUNNING}test_101_a_worker_that_the_system_kills_leaves_a_report_that_says_so",
        f"{RUNNING}test_101_a_worker_over_its_limit_is_ended_and_the_limit_is_named",
        BOMB,
    ),
    102: (
        f"{RUNNING}test_102_a_worker_that_hangs_is_ended_at_its_time_limit_with_all_it_started",
        f"{RUNNING}test_102_a_worker_that_starts_a_process_that_hangs_is_ended_with_it",
        "figures/test_graph.py::test_an_engine_that_hangs_is_ended_with_all_it_started",
    ),
    103: (f"{RUNNING}test_103_104_without_graphviz_and_with_a_broken_section_and_check_the_rest_is_whole",),
    104: (
        f"{RUNNING}test_103_104_without_graphviz_and_with_a_broken_section_and_check_the_rest_is_whole",
        f"{RUNNING}test_104_every_section_that_raises_alone_is_a_card_and_exit_4",
    ),
    105: ("pipeline/test_build.py::test_the_same_inputs_give_the_same_bytes",),
    106: (
        f"{NAMES}test_106_no_secret_of_the_environment_is_in_a_report_or_a_message",
        f"{CONFINE}test_106_credentials_in_an_address_and_secrets_in_a_value_are_never_said",
        f"{WORKER}test_an_isolated_worker_has_no_network_and_none_has_secrets_or_input",
    ),
    107: (f"{NAMES}test_107_cuda_devices_that_do_not_exist_mean_cpu_and_the_report_says_so",),
    108: (
        f"{YAML}test_108_a_key_that_runs_code_is_refused_with_exit_3_and_names_the_flag",
        f"{YAML}test_108_set_cannot_grant_trust_nor_bring_code_in",
    ),
    109: (
        f"{CONFINE}test_109_a_file_by_a_stranger_is_refused_by_render",
        f"{CONFINE}test_109_a_file_by_a_stranger_is_refused_as_the_earlier_report",
        "comparison/test_what_changed.py::test_109_an_earlier_report_full_of_markup_is_plain_text_in_the_page",
        f"{CONFINE}test_109_a_report_with_markup_in_its_data_is_rendered_as_text",
    ),
    110: (
        f"{NAMES}test_110_the_good_one_is_built_and_the_table_says_which_failed",
        "cli/test_commands.py::test_110_over_several_configs_the_first_by_precedence_is_given_and_a_table_says_which_failed",
    ),
}

# Lines without a test, and why. It may only become shorter.
PENDING: dict[int, str] = {
    100: "the archive does not exist yet",
}


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the names of the tests in a file, without importing it."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_line_is_tested_or_pending_and_none_is_both() -> None:
    assert set(MAP) | set(PENDING) == set(LINES)
    assert not set(MAP) & set(PENDING)


@pytest.mark.parametrize("line", sorted(MAP))
def test_the_named_tests_exist(line: int) -> None:
    assert MAP[line]
    for name in MAP[line]:
        file, _, test = name.partition("::")
        assert test in names_in(file), f"line {line}: {name} does not exist"


def test_a_test_with_a_number_in_its_name_is_about_a_line() -> None:
    for path in sorted(TESTS.rglob("test_*.py")):
        for name in names_in(str(path.relative_to(TESTS))):
            first = name.split("_")[1] if name.startswith("test_") else ""
            assert not first.isdigit() or int(first) in LINES, f"{path.name}::{name}"


def test_what_is_pending_says_why() -> None:
    assert len(PENDING) <= 1
    assert all(len(reason) > 20 for reason in PENDING.values())
