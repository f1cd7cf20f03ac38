//! The checks on the corpora, without a fuzzer.

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod seeds;
