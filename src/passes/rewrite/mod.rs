//! The engine of the declared rules.
