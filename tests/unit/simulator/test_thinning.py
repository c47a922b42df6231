from loadcenter.simulator.encode import Record, encode_record, gap_record
from loadcenter.simulator.thinning import merge, thin


def record(seq, power_mw, *, volts=230_000, mhz=50_000, on=True, samples=1):
    source = {"v_mv": volts, "f_mhz": mhz}
    outlet = {"n": 1, "on": on, "i_ma": power_mw // 230, "p_mw": power_mw, "e_mwh": seq * 10}
    body = {"active": "main", "live": on, "src": {"main": source, "backup": dict(source)}, "out": [outlet]}
    return Record(seq, seq, seq * 1000, body, samples)


def test_averages_extremes_and_the_last_sample_make_a_thinned_record():
    merged = merge([record(1, 1000), record(2, 5000, volts=231_000), record(3, 3000, on=False)])
    assert (merged.first, merged.seq, merged.up_ms, merged.samples) == (1, 3, 3000, 3)
    [outlet] = merged.body["out"]
    assert (outlet["p_mw"], outlet["p_min_mw"], outlet["p_max_mw"]) == (3000, 1000, 5000)
    assert (outlet["on"], outlet["e_mwh"], merged.body["live"]) == (False, 30, False)
    assert merged.body["src"]["main"]["v_mv"] == 230_333


def test_merging_what_was_merged_weighs_by_samples():
    first = merge([record(1, 1000), record(2, 3000)])
    merged = merge([first, record(3, 8000)])
    [outlet] = merged.body["out"]
    assert (outlet["p_mw"], outlet["p_min_mw"], outlet["p_max_mw"]) == (4000, 1000, 8000)


def test_unknown_values_count_nothing():
    merged = merge([record(1, 1000, mhz=None), record(2, 1000, mhz=49_000)])
    assert merged.body["src"]["main"]["f_mhz"] == 49_000
    assert merge([record(1, 1000, mhz=None)]).body["src"]["main"]["f_mhz"] is None


def test_the_number_of_samples_is_told_where_it_is_not_the_span():
    gap = gap_record("overflow", 1, 4, 4000, 4)
    assert b'"from":1' in encode_record(gap, 1, None)
    assert b"samples" not in encode_record(merge([record(1, 1), record(2, 1)]), 1, None)


def test_seconds_become_tens_and_tens_become_minutes():
    records = [record(seq, 1000) for seq in range(1, 12)]
    assert [one.samples for one in thin(records)] == [10, 1]
    tens = [merge([record(base + n, 1000) for n in range(10)]) for base in range(1, 61, 10)]
    assert [one.samples for one in thin([*tens, record(61, 1)])] == [60, 1]


def test_a_gap_grows_by_what_is_lost_next():
    minutes = [Record(n * 60 + 1, n * 60 + 60, 0, {}, 60) for n in range(3)]
    once = thin(minutes)
    assert (once[0].first, once[0].seq, once[0].count) == (1, 120, 120)
    twice = thin(once)
    assert (twice[0].first, twice[0].seq, twice[0].count) == (1, 180, 180)


def test_a_gap_of_unknown_count_stays_unknown():
    records = [gap_record("not_held", 1, 5, 0, None), Record(6, 6, 0, {}, 0), Record(7, 7, 0, {}, 0)]
    assert thin(records)[0].count is None
