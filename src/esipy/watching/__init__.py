"""Data that changes becomes events: calls that are looked at again and again, as gently as ESI asks for.

- `sights` looks at a call once, as its operation is read.
- `watched` compares that with what was seen before, and knows when to look next (`schedule`).
- `watcher` does so for an iterator, in its caller's own time.
- `scheduler` does so for signals, for all of a client by one thread or task.

Coroutine functions over an `esipy.engine.pipeline.Engine`, one text for both colours; `verbs` gives them theirs.
"""
