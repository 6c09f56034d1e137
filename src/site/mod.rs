//! The pages of `minima doc`: the standard library, the documents and the user's programs as a
//! site that opens from a folder, without a server and without a network.
//!
//! Nothing is written here: a site is a list of paths with their contents. All that is said comes from the
//! programs and documents themselves: comments, signatures and sources from the trees, hyper-parameters from
//! the catalogue of the optimizers, links from the names that a program uses.

mod builder;
mod code;
mod documents;
mod embedded;
mod html;
mod index;
mod library;
mod links;
mod markdown;
mod needs;
mod optimizers;
mod programs;
mod search;
mod unit;

pub use builder::{Program, site};
pub use embedded::error_pages;
