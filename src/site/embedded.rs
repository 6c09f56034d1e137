//! What the binary carries beside the library: the documents, the pages about errors, the examples.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The pages about error codes: the code and the page.
pub fn error_pages() -> &'static [(&'static str, &'static str)] {
    PAGES
}

/// The documents of `docs/`: the name without its ending, and the text.
pub fn documents() -> &'static [(&'static str, &'static str)] {
    DOCUMENTS
}

/// The programs of `examples/`, by their paths.
pub fn examples() -> &'static [(&'static str, &'static str)] {
    EXAMPLES
}

/// The pictures that documents show, by their paths.
pub const PICTURES: [(&str, &str); 1] = [("docs/growth.svg", include_str!("../../docs/growth.svg"))];
