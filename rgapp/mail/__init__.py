"""Mail: messages built as data, an outbox in the caller's transaction, delivery by the worker."""
