//! Socket.IO v5 over Engine.IO: namespaces, events, acknowledgements, binary.
