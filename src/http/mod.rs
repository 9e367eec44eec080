//! HTTP/1.1 plumbing over hyper: the listener, bodies with a bound, answers.
