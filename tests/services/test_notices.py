"""Messages: repeats fold into a count."""

from __future__ import annotations

from desktop.services.notices import Notice, Notices


def test_repeats_fold_into_one_with_a_count_until_it_is_cleared() -> None:
    notices = Notices()
    posted: list[Notice] = []
    cleared: list[str] = []
    notices.posted.connect(posted.append)
    notices.cleared.connect(cleared.append)
    notices.post("The disk is full.", "warning", key="disk")
    notices.post("The disk is still full.", "warning", key="disk")
    notices.post("Other.")
    assert [(n.text, n.count) for n in posted] == [
        ("The disk is full.", 1),
        ("The disk is still full.", 2),
        ("Other.", 1),
    ]
    assert [n.key for n in notices.open] == ["disk", "Other."]
    notices.clear("disk")
    notices.clear("disk")
    notices.post("The disk is full.", "warning", key="disk")
    assert cleared == ["disk"]
    assert posted[-1].count == 1
