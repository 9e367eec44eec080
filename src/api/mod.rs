//! The HTTP API: one file per noun; parse a request, ask `chat`, shape the reply.
