"""Ids that were seen, however many."""

from reconcile.lms.reading.seen import SeenIds


def test_seen_ids_are_found_again_however_many() -> None:
    with SeenIds() as seen:
        seen.add(range(0, 100_000, 2))
        seen.add([4, 4, 2**62])
        assert seen.find([1, 4, 99_998, 99_999, 2**62]) == {4, 99_998, 2**62}
