//! Everything that elaboration says to users: one function per diagnostic, from facts to a report.
//!
//! E02 types and shapes, E03 names and calls, E04 statements, objectives, optimizers and solves,
//! E05 stops at run time and limits, E09 what is not built yet.

mod names;
mod plots;
mod runs;
mod shapes;
mod solves;
mod statements;
mod values;

pub use names::*;
pub use plots::*;
pub use runs::*;
pub use shapes::*;
pub use solves::*;
pub use statements::*;
pub use values::*;

/// Whether a report says that a value is not known when code is built, or follows from that.
pub fn is_about_knowledge(code: &str) -> bool {
    matches!(
        code,
        "E0216"
            | "E0217"
            | "E0229"
            | "E0232"
            | "E0241"
            | "E0242"
            | "E0255"
            | "E0259"
            | "E0260"
            | "E0262"
            | "E0263"
            | "E0264"
            | "E0265"
    )
}

/// Bytes for people.
pub fn human(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < units.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{size:.1} {}", units[unit]) }
}
