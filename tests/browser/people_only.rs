//! Makes a database with the demo people and without their conversation: `cargo run --example people_only FILE`.
//!
//! What the tests in browsers begin with: where nothing was said yet, they count what they say.

#[path = "../support/database.rs"]
#[allow(unreachable_pub, reason = "shared with the tests")]
mod database;

fn main() {
    for file in std::env::args().skip(1) {
        database::create_with_people_only(file.as_ref());
    }
}
