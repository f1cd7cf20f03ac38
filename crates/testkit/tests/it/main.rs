//! What happens to a world whose program is killed.

#[cfg(test)]
mod kill;
