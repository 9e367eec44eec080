//! What was measured: named numbers with units, printed alone or beside those of a peer.

use std::time::Duration;

/// One number.
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// The numbers of one measurement, in order.
#[derive(Default)]
pub(crate) struct Metrics(pub Vec<Figure>);

impl Metrics {
    /// Appends a number.
    pub(crate) fn push(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.0.push(Figure { name: name.into(), value, unit });
    }

    /// Appends the median, the 99th percentile and the maximum of `times`, in milliseconds.
    pub(crate) fn push_times(&mut self, name: &str, times: &mut [Duration]) {
        times.sort_unstable();
        for (what, share) in [("p50", 0.50), ("p99", 0.99), ("max", 1.0)] {
            self.push(format!("{name} {what}"), quantile(times, share).as_secs_f64() * 1e3, "ms");
        }
    }

    /// One line per number.
    pub(crate) fn print(&self, title: &str) {
        println!("{title}");
        for figure in &self.0 {
            println!("  {:<44} {:>12} {}", figure.name, shown(figure.value), figure.unit);
        }
    }

    /// One line per number that both have: ours, theirs, and how many times theirs is ours.
    pub(crate) fn print_beside(&self, peer: &Metrics, title: &str) {
        println!("{title:<46} {:>12} {:>12} {:>9}", "lexchat", "peer", "peer/lexchat");
        for ours in &self.0 {
            let Some(theirs) = peer.0.iter().find(|figure| figure.name == ours.name) else { continue };
            let ratio = theirs.value / ours.value;
            println!(
                "  {:<44} {:>12} {:>12} {ratio:>9.2}  {}",
                ours.name,
                shown(ours.value),
                shown(theirs.value),
                ours.unit
            );
        }
    }
}

/// The value below which `share` of the sorted times lie.
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
