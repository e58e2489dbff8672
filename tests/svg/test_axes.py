import pytest

from evenkeel.svg.axes import Entry, Frame, heading, legend, nothing, picture, plot, x_axis, y_axis
from evenkeel.svg.scale import AxisScale, fit_scale, position
from evenkeel.svg.ticks import Tick


def draw_nothing(x, y):
    return ""


def test_the_body_is_drawn_between_scales_that_lie_inside_the_picture(sound):
    seen = []

    def body(x, y):
        seen.extend([x, y])
        return ""

    sound(plot(body, x=fit_scale([[0, 5]]), y=fit_scale([[1, 9]]), title="t", x_label="update", y_label="loss"))
    x, y = seen
    assert 0 < x.start < x.stop < 440 and 0 < y.stop < y.start < 290
    assert position(y, 9) < position(y, 1)


def test_labels_and_legend_are_written(sound, texts):
    entries = [Entry(name="training", colour="red"), Entry(name="validation", colour="blue", shape="area")]
    scale = AxisScale(low=0.0, high=1.0)
    drawn = plot(draw_nothing, x=scale, y=scale, title="Loss", x_label="update", y_label="nats", entries=entries)
    written = texts(sound(drawn))
    assert {"Loss", "update", "nats", "training", "validation", "0.4"} <= set(written)


def test_own_ticks_replace_the_numbers(sound, texts):
    scale = AxisScale(low=0.0, high=1.0)
    drawn = plot(draw_nothing, x=scale, y=scale, title="t", x_ticks=[Tick(value=0.5, label="layer 3")])
    assert "layer 3" in texts(sound(drawn))


def test_a_long_legend_wraps_and_takes_more_height():
    short = [Entry(name="one", colour="red", shape="dot")]
    long = [Entry(name=f"a series with a long name {index}", colour="red", shape="dashed") for index in range(5)]
    assert legend([], left=0, top=0, right=300) == ("", 0.0)
    assert legend(short, left=0, top=0, right=300)[1] < legend(long, left=0, top=0, right=300)[1]


@pytest.mark.parametrize("title", ["", "a title"])
def test_a_picture_is_accessible_even_without_a_title(title, sound):
    root = sound(picture("", width=10, height=20, title=title, description="what it shows"))
    assert root[1].text == "what it shows"
    assert heading("", 100) == ""


def test_an_empty_plot_explains_itself(sound, texts):
    assert texts(sound(nothing("Loss", text="no validation rows"))) == ["Loss", "no validation rows"]


def test_axes_stand_at_the_edges_of_their_frame():
    frame = Frame(left=40, right=200, top=10, bottom=90)
    across = x_axis(frame, AxisScale(low=0.0, high=1.0, start=40.0, stop=200.0), [Tick(value=0.5, label="half")], "x")
    up = y_axis(frame, AxisScale(low=0.0, high=1.0, start=90.0, stop=10.0), [Tick(value=0.5, label="half")], "y")
    assert 'y1="90"' in across and 'x="120"' in across
    assert 'y1="50"' in up and 'text-anchor="end"' in up
