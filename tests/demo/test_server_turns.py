"""Turns: one holder at a time, and the urgent do not wait for the patient ones behind the current holder."""

from __future__ import annotations

import threading

from desktop.demo.turns import Turns


def test_the_urgent_overtake_the_patient() -> None:
    turns = Turns()
    order: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.patient():
            begun.set()
            may_end.wait(10)
            order.append("holder")

    def wait_for_turn(name: str, is_urgent: bool) -> None:
        with turns.urgent() if is_urgent else turns.patient():
            order.append(name)

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert begun.wait(10)
    patient = [threading.Thread(target=wait_for_turn, args=(f"patient {i}", False)) for i in range(3)]
    for thread in patient:
        thread.start()
    urgent = threading.Thread(target=wait_for_turn, args=("urgent", True))
    urgent.start()
    while not turns._next.locked():  # until the urgent one stands right behind the holder
        pass
    may_end.set()
    for thread in (*threads, *patient, urgent):
        thread.join(10)
    assert order[:2] == ["holder", "urgent"]
    assert sorted(order[2:]) == ["patient 0", "patient 1", "patient 2"]


def test_a_failing_holder_lets_go() -> None:
    turns = Turns()
    for take in (turns.urgent, turns.patient, turns.urgent):
        try:
            with take():
                raise KeyError
        except KeyError:
            pass
    with turns.patient():
        assert turns._held.locked()
    assert not turns._held.locked()
