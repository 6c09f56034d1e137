//! Inputs made to break the parser: deep, long, random, mutated.
