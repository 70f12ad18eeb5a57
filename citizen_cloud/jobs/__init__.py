"""The job queue's one door: the outbox, scheduled work, and the worker that does both."""
