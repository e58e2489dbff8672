import os
import signal
import threading

import pytest

from evenkeel.train.signals import EXIT_CODES, Interruption

SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("name", SIGNALS)
def test_the_first_signal_is_remembered(name):
    with Interruption() as interruption:
        assert interruption.reason == ""
        send(SIGNALS[name])
        assert interruption.reason == name and name in EXIT_CODES


@pytest.mark.parametrize("name", SIGNALS)
def test_a_second_signal_raises_as_usual(name):
    with Interruption() as interruption:
        send(SIGNALS[name])
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert interruption.reason == name, "the first one counts"


@pytest.mark.parametrize("name", SIGNALS)
def test_a_block_that_may_be_left_is_left_at_once(name):
    reached = []
    with Interruption() as interruption:
        with interruption.at_once():
            reached.append("before")
            send(SIGNALS[name])
            reached.append("after")
        assert reached == ["before"] and interruption.reason == name


def test_a_keyboard_interrupt_from_elsewhere_passes_through():
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt), interruption.at_once():
        raise KeyboardInterrupt


def test_an_error_inside_passes_through_and_later_signals_are_remembered_again():
    with Interruption() as interruption:
        with pytest.raises(ValueError, match="mine"), interruption.at_once():
            raise ValueError("mine")
        send(signal.SIGINT)
        assert interruption.reason == "SIGINT"


@pytest.mark.parametrize("problem", [None, ValueError])
def test_the_handlers_are_put_back(problem):
    before = [signal.getsignal(number) for number in SIGNALS.values()]
    try:
        with Interruption():
            assert [signal.getsignal(number) for number in SIGNALS.values()] != before
            if problem:
                raise problem
    except ValueError:
        pass
    assert [signal.getsignal(number) for number in SIGNALS.values()] == before


def test_outside_the_main_thread_nothing_changes():
    found = []

    def elsewhere():
        with Interruption() as interruption:
            found.append((interruption.reason, signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [("", before)]
