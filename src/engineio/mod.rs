//! Engine.IO v4: a reliable, ordered message channel over long-polling and WebSocket.
