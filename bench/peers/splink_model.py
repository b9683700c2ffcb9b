"""Splink on the mentions that splink.ts exports: a model as Splink's documentation advises to build one.

python splink_model.py MENTIONS.csv CLUSTERS.tsv REPORT.json THREADS

The truth is not read here. CLUSTERS.tsv gets a partition for each threshold (system, mention_id, cluster), so that
splink.ts can tell which threshold would have been the best one; REPORT.json gets milliseconds.
"""

import json
import logging
import math
import sys
import time

import duckdb
import splink
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SEED = 1
# Match weights in bits. 0.99 as a probability is what users commonly begin with.
THRESHOLDS = {"splink 0.99": math.log2(0.99 / 0.01)} | {
    f"splink {bits} bits": float(bits) for bits in (0, 2, 4, 6, 8, 10, 12, 16, 20, 24)
}

# `number` is the document number, valid or with a slip. Household codes and person numbers mean something within
# one department only, so the feed is part of them.
PREPARE = """
CREATE TABLE mention AS
SELECT mention_id::BIGINT AS unique_id, * EXCLUDE (mention_id, kin),
       coalesce(id_number, id_odd) AS number,
       coalesce(birth, id_birth) AS born,
       feed || ' ' || source_person AS own_number,
       feed || ' ' || household_code AS household,
       string_split(trim(kin, '{}'), ',')::BIGINT[] AS family
FROM read_csv(?, all_varchar = true, header = true, delim = ',', quote = '"', escape = '"')
"""


def level(condition, label, **settings):
    return cll.CustomLevel(condition, label_for_charts=label).configure(**settings)


def missing(condition):
    return cll.CustomLevel(condition, label_for_charts="missing").configure(is_null_level=True)


# Two numbers with right check digits that differ by more than a slip speak against a match; between a right one and
# a wrong one the distance tells. That two persons share a number is rare, and random pairs contain more matches than
# such persons: u of the exact level is given.
NUMBER = cl.CustomComparison(
    output_column_name="number",
    comparison_levels=[
        missing("number_l IS NULL OR number_r IS NULL"),
        cll.ExactMatchLevel("number").configure(u_probability=1e-8, fix_u_probability=True),
        level("id_number_l IS NOT NULL AND id_number_r IS NOT NULL", "both valid, and different"),
        level("damerau_levenshtein(number_l, number_r) <= 1", "one slip", u_probability=1e-7, fix_u_probability=True),
        level("damerau_levenshtein(number_l, number_r) <= 2", "two slips", u_probability=1e-6, fix_u_probability=True),
        cll.ElseLevel(),
    ],
)

NAME = cl.CustomComparison(
    output_column_name="name",
    comparison_levels=[
        missing("name_l IS NULL OR name_r IS NULL"),
        cll.ExactMatchLevel("name").configure(tf_adjustment_column="name"),
        level("pinyin_l = pinyin_r", "homophones", tf_adjustment_column="pinyin"),
        level("shape_l = shape_r", "look-alikes"),
        level("name_l LIKE name_pattern_r OR name_r LIKE name_pattern_l", "unreadable characters"),
        cll.JaroWinklerLevel("pinyin", 0.92),
        cll.ElseLevel(),
    ],
)

# The birth date inside a number says nothing new about two mentions with the same number.
BIRTH = cl.CustomComparison(
    output_column_name="birth",
    comparison_levels=[
        missing("born_l IS NULL OR born_r IS NULL"),
        level(
            "born_l = born_r OR (number_l IS DISTINCT FROM number_r"
            " AND (birth_l = id_birth_r OR id_birth_l = birth_r))",
            "same day",
        ),
        level("birth_l = lunar_birth_r OR lunar_birth_l = birth_r", "one in the lunar calendar"),
        level(
            "substr(born_l, 1, 4) = substr(born_r, 1, 4) AND substr(born_l, 5, 2) = substr(born_r, 7, 2)"
            " AND substr(born_l, 7, 2) = substr(born_r, 5, 2)",
            "day and month swapped",
        ),
        level(
            "substr(born_l, 1, 4) = substr(born_r, 1, 4) AND (substr(born_l, 5) = '0101' OR substr(born_r, 5) = '0101')",
            "same year, one on 1 January",
        ),
        cll.DamerauLevenshteinLevel("born", 1),
        level("substr(born_l, 1, 4) = substr(born_r, 1, 4)", "same year"),
        cll.ElseLevel(),
    ],
)

PLACE = cl.CustomComparison(
    output_column_name="place",
    comparison_levels=[
        missing(
            "coalesce(address_l, dwelling_code_l, household_l, division_l) IS NULL"
            " OR coalesce(address_r, dwelling_code_r, household_r, division_r) IS NULL"
        ),
        level("address_l = address_r OR dwelling_code_l = dwelling_code_r OR household_l = household_r", "same home"),
        level(
            "division_l = division_r OR registered_division_l = division_r OR division_l = registered_division_r",
            "same village",
        ),
        level("substr(division_l, 1, 9) = substr(division_r, 1, 9)", "same township"),
        cll.ElseLevel(),
    ],
)

# Of a mention without a number, the mentions with one of the families that stand beside it in its record.
FAMILY = cl.CustomComparison(
    output_column_name="family",
    comparison_levels=[
        missing("(family_l IS NULL OR id_number_r IS NULL) AND (family_r IS NULL OR id_number_l IS NULL)"),
        level("list_contains(family_l, unique_id_r) OR list_contains(family_r, unique_id_l)", "of the family"),
        cll.ElseLevel(),
    ],
)

SETTINGS = SettingsCreator(
    link_type="dedupe_only",
    unique_id_column_name="unique_id",
    comparisons=[
        NUMBER,
        NAME,
        BIRTH,
        cl.ExactMatch("sex"),
        cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
        PLACE,
        cl.ExactMatch("own_number"),
        cl.ExactMatch("property_code"),
        FAMILY,
    ],
    blocking_rules_to_generate_predictions=[
        block_on("number"),
        block_on("surname_pinyin", "born"),
        block_on("given_pinyin", "born"),
        block_on("pinyin", "id_birth"),
        block_on("pinyin", "substr(born, 1, 4)"),
        block_on("pinyin", "substr(number, -8)"),
        block_on("phone"),
        block_on("own_number"),
        block_on("address", "surname_pinyin"),
        block_on("dwelling_code", "surname_pinyin"),
        block_on("household", "surname_pinyin"),
        block_on("pinyin", "division"),
        block_on("name", "address"),
        block_on("name", "dwelling_code"),
        block_on("pinyin", "property_code"),
    ],
    retain_intermediate_calculation_columns=False,
    retain_matching_columns=False,
)


def make_linker(connection):
    """Splink 5 takes registered tables; Splink 4 takes their names."""
    api = DuckDBAPI(connection)
    if splink.__version__.startswith("4."):
        return Linker("mention", SETTINGS, api)
    return Linker(api.register("mention"), SETTINGS)


def train(linker):
    linker.training.estimate_probability_two_random_records_match(
        [block_on("id_number"), block_on("name", "birth", "phone")], recall=0.95
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("number"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "birth"))


def main():
    mentions, clusters, report, threads = sys.argv[1:]
    connection = duckdb.connect(config={"threads": int(threads)})
    clock = time.perf_counter()

    def lap():
        nonlocal clock
        begun, clock = clock, time.perf_counter()
        return (clock - begun) * 1000

    connection.execute(PREPARE, [mentions])
    load = lap()
    linker = make_linker(connection)
    logging.getLogger("splink").setLevel(logging.WARNING)
    train(linker)
    trained = lap()
    predictions = linker.inference.predict(threshold_match_weight=min(THRESHOLDS.values()))
    predicted = lap()
    pairs = connection.execute(f"SELECT count(*) FROM {predictions.physical_name}").fetchone()[0]

    connection.execute("CREATE TABLE partitions (system VARCHAR, mention_id BIGINT, cluster BIGINT)")
    partitions = []
    for system, weight in THRESHOLDS.items():
        lap()
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predictions, threshold_match_weight=weight
        )
        partitions.append({"system": system, "cluster": lap()})
        connection.execute(
            f"INSERT INTO partitions SELECT ?, unique_id, cluster_id FROM {found.physical_name}", [system]
        )
    connection.execute(f"COPY partitions TO '{clusters}' (DELIMITER '\t', HEADER false)")

    versions = {"Splink": splink.__version__, "DuckDB": duckdb.__version__}
    with open(report, "w", encoding="utf-8") as file:
        json.dump(
            {
                "versions": versions,
                "load": load,
                "train": trained,
                "predict": predicted,
                "pairs": pairs,
                "partitions": partitions,
            },
            file,
        )


main()
