//! Files to tables and arrays, and back; with errors that point into the file.
//!
//! Nothing here panics on any input: every failure is a [`DataError`] from `errors`, and every
//! allocation whose size comes from a file is checked against a limit before it is made.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod columns;
mod csv;
mod errors;
mod file;
mod json;
mod load;
mod npy;
mod npz;
mod rows;
mod table;

#[cfg(test)]
mod hostile;

pub use columns::{Group, Pick, group, matrix, names, one_hot, standardize};
pub use errors::{DataError, array_too_large, not_a_picture};
pub use file::{PROGRAM, neighbours, read_text, resolve, write};
pub use load::{Loaded, Reading, count_rows, load, load_as, save};
pub use rows::{split, split_rows, take_rows};
pub use table::{Column, Entry, Table, Values};
