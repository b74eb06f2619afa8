"""Following a job: events in order, from any point, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import itertools
import json

from workbench.jobs import Event


def test_events_tell_the_whole_story_in_order_and_end_with_the_job(pool):
    job = pool.submit("sleep", {"seconds": 0.3})
    events = list(pool.events(job.id, timeout=20))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    statuses = [status for status, _ in itertools.groupby(event.job.status for event in events)]
    assert statuses == ["queued", "running", "done"]
    steps = [event.payload["step"] for event in events if event.payload]
    assert len(steps) > 3
    assert steps == sorted(set(steps))


def test_a_reader_that_comes_back_gets_what_followed(pool):
    job = pool.submit("sleep", {"seconds": 0.3})
    pool.wait(job.id, timeout=20)
    everything = list(pool.events(job.id))
    assert list(pool.events(job.id, after=3)) == everything[3:]
    assert list(pool.events(job.id, after=10_000)) == []


def test_events_end_when_none_comes_in_time(own_pool, until):
    job = own_pool.submit("deaf to the message")
    until(lambda: own_pool.get(job.id).message == "not listening")
    last = list(own_pool.events(job.id, timeout=0.05))[-1]
    assert (last.job.status, last.job.progress) == ("running", 0.5)


def test_fast_reports_are_thinned_out_and_the_last_one_is_kept(pool):
    job = pool.submit("frames", {"n": 1009})
    asked, drawn = pool.wait(job.id, timeout=20).value
    frames = [event.payload["frame"] for event in pool.events(job.id) if event.payload]
    assert asked == 1009
    assert frames[-1] == 1008
    assert len(frames) < 50
    assert drawn == len(frames) - 1  # the task counted before the last one was flushed: nothing was drawn in vain


def test_progress_stays_between_zero_and_one(pool):
    import numpy as np

    job = pool.submit("numbers", arrays={"x": np.zeros(2)})
    assert [event.job.progress for event in pool.events(job.id, timeout=20) if event.payload] == [1.0]


def test_an_event_is_strict_json_for_a_browser(pool):
    import numpy as np

    job = pool.submit("numbers", arrays={"x": np.zeros(2)})
    text = next(event.to_json() for event in pool.events(job.id, timeout=20) if event.payload)
    assert "NaN" not in text
    record = json.loads(text)
    assert record["payload"] == {"loss": None, "best": 0.25}
    assert (record["job"], record["status"], record["message"]) == (job.id, "running", "beyond")


def test_a_long_job_keeps_its_latest_events_only(pool, monkeypatch):
    monkeypatch.setattr("workbench.jobs.journal.RING", 3)
    job = pool.submit("sleep", {"seconds": 0.5})
    pool.wait(job.id, timeout=20)
    events = list(pool.events(job.id))
    assert len(events) == 3
    assert events[-1].job.status == "done"
    assert events[0].number == events[-1].number - 2 > 1


def test_stream_yields_the_same_events_without_blocking_the_loop(pool):
    job = pool.submit("sleep", {"seconds": 0.3})

    async def follow() -> tuple[list[Event], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        events = [event async for event in pool.stream(job.id, heartbeat=20) if event]
        ticking.cancel()
        return events, ticks

    events, ticks = asyncio.run(follow())
    assert events == list(pool.events(job.id))
    assert ticks > 5


def test_stream_beats_while_nothing_happens_and_can_be_left(own_pool, until):
    job = own_pool.submit("deaf to the message")
    until(lambda: own_pool.get(job.id).message == "not listening")

    async def listen() -> list[Event | None]:
        heard = []
        stream = own_pool.stream(job.id, after=2, heartbeat=0.02)
        async for event in stream:
            heard.append(event)
            if len(heard) == 4:
                break
        await stream.aclose()
        return heard

    first, *rest = asyncio.run(listen())
    assert first.job.message == "not listening"
    assert rest == [None, None, None]


def test_a_stream_whose_loop_is_gone_does_not_disturb_the_job(pool):
    job = pool.submit("sleep", {"seconds": 0.3})

    async def leave_at_once() -> None:
        async for _ in pool.stream(job.id):
            return

    asyncio.run(leave_at_once())
    assert pool.wait(job.id, timeout=20).value == 30
