//! The model server, spoken to as a provider is.

#[cfg(test)]
mod upstream;
